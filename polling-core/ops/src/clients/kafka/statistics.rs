//! What librdkafka counts, as what happened since it told last.

use std::{collections::HashMap, time::Duration};

use rdkafka::{
    Statistics,
    statistics::{Broker, Window},
};

use super::MonitoredContext;

/// Round trips told of one broker at each statistics: so many stand for more.
const MAX_ROUND_TRIPS: i64 = 1_000;

/// What each broker was asked up to now; of those alone that the last statistics named.
#[derive(Default)]
pub(super) struct Totals(HashMap<String, Broker>);

impl Totals {
    pub(super) fn tell<C>(&mut self, statistics: &Statistics, context: &MonitoredContext<C>) {
        let none = Broker::default();
        for (name, broker) in &statistics.brokers {
            let before = self.0.get(name).unwrap_or(&none);
            tell_requests(broker, before, context);
            tell_failures(broker, before, context);
            if let Some(window) = &broker.rtt {
                tell_round_trips(window, context);
            }
        }
        self.0 = statistics.brokers.clone();
    }
}

/// By type, over all brokers: those have names without bound.
fn tell_requests<C>(broker: &Broker, before: &Broker, context: &MonitoredContext<C>) {
    for (request, &total) in &broker.req {
        let sent = total - before.req.get(request).copied().unwrap_or(0);
        // A type that this librdkafka has no name for ends in a question mark.
        if let Ok(sent @ 1..) = usize::try_from(sent)
            && !request.ends_with('?')
        {
            context.sent(request, None, sent);
        }
    }
}

fn tell_failures<C>(broker: &Broker, before: &Broker, context: &MonitoredContext<C>) {
    for (error, total, before) in [
        ("timeout", broker.req_timeouts, before.req_timeouts),
        ("transmit", broker.txerrs, before.txerrs),
        ("receive", broker.rxerrs, before.rxerrs),
    ] {
        if let failed @ 1.. = total.saturating_sub(before) {
            context.sent("failed", Some(error), failed as usize);
        }
    }
}

/// As many as there were between two quantiles are told as having taken as long as the upper one. Each statistics has a
/// window of its own.
fn tell_round_trips<C>(window: &Window, context: &MonitoredContext<C>) {
    let round_trips = window.cnt.clamp(0, MAX_ROUND_TRIPS);
    let mut told = 0;
    for (percent, micros) in [
        (50, window.p50),
        (75, window.p75),
        (90, window.p90),
        (95, window.p95),
        (99, window.p99),
        (100, window.max),
    ] {
        let up_to = round_trips * percent / 100;
        let elapsed = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        for _ in told..up_to {
            context.called("round_trip", None, elapsed);
        }
        told = up_to;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use polling_model::Observation;
    use rdkafka::{ClientContext as _, client::DefaultClientContext};

    use super::*;

    type Told = Arc<Mutex<Vec<(String, Option<&'static str>, usize)>>>;

    fn context() -> (Told, MonitoredContext<DefaultClientContext>) {
        let told = Told::default();
        let tell = Arc::clone(&told);
        let observer = move |observation: Observation<'_>| {
            let happened = match observation {
                Observation::Sent {
                    operation,
                    error,
                    requests,
                    ..
                } => (operation.to_owned(), error, requests),
                Observation::Called { elapsed, .. } => {
                    ("round_trip".to_owned(), None, elapsed.as_micros() as usize)
                }
                _ => return,
            };
            tell.lock().unwrap().push(happened);
        };
        let context = MonitoredContext::new(DefaultClientContext, "orders", Arc::new(observer));
        (told, context)
    }

    fn statistics(brokers: impl IntoIterator<Item = (&'static str, Broker)>) -> Vec<u8> {
        let brokers = brokers
            .into_iter()
            .map(|(name, broker)| (name.to_owned(), broker));
        let statistics = Statistics {
            brokers: brokers.collect(),
            ..Statistics::default()
        };
        serde_json::to_vec(&statistics).unwrap()
    }

    fn broker(produced: i64, timeouts: u64) -> Broker {
        Broker {
            req: [
                ("Produce".to_owned(), produced),
                ("Unknown-99?".to_owned(), 5),
            ]
            .into(),
            req_timeouts: timeouts,
            ..Broker::default()
        }
    }

    #[test]
    fn totals_become_what_happened_since_they_were_told() {
        let (told, context) = context();
        context.stats_raw(&statistics([
            ("a:1/1", broker(3, 0)),
            ("b:1/2", broker(4, 0)),
        ]));
        let mut first = std::mem::take(&mut *told.lock().unwrap());
        first.sort();
        let produced = |n| ("Produce".to_owned(), None, n);
        assert_eq!(first, [produced(3), produced(4)]);
        // One broker is gone, the other has gone on.
        context.stats_raw(&statistics([("a:1/1", broker(5, 2))]));
        let failed = ("failed".to_owned(), Some("timeout"), 2);
        assert_eq!(*told.lock().unwrap(), [produced(2), failed]);
    }

    #[test]
    fn a_window_becomes_as_many_round_trips_by_its_quantiles() {
        let (told, context) = context();
        let window = |cnt| Window {
            cnt,
            p50: 50,
            p75: 75,
            p90: 90,
            p95: 95,
            p99: 99,
            max: 100,
            ..Window::default()
        };
        let busy = |cnt| Broker {
            rtt: Some(window(cnt)),
            ..Broker::default()
        };
        context.stats_raw(&statistics([("a:1/1", busy(4))]));
        let micros =
            |told: &Told| -> Vec<_> { told.lock().unwrap().iter().map(|it| it.2).collect() };
        assert_eq!(micros(&told), [50, 50, 75, 100]);
        context.stats_raw(&statistics([("a:1/1", busy(1_000_000))]));
        assert_eq!(micros(&told).len(), 4 + MAX_ROUND_TRIPS as usize);
    }

    #[test]
    fn statistics_that_cannot_be_read_are_passed_on_alone() {
        let (told, context) = context();
        context.stats_raw(b"{");
        assert!(told.lock().unwrap().is_empty());
    }
}
