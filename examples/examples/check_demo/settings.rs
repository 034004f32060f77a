//! Settings that were changed while the system ran: what the channel saw of it.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::channel_log::Response;

/// Calls of jobs that had left the scheduler before a change, or were under way, may come so much later.
const UNDER_WAY_MS: i64 = 3_000;

/// What was done, as `dev/demo` writes it down: one JSON object a line. Times are UTC milliseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Step {
    /// A cushion was put into Consul.
    Cushion {
        value: u32,
        #[serde(flatten)]
        change: Change,
    },
    /// How many jobs a worker may have under way was put into Consul.
    Concurrency {
        value: usize,
        #[serde(flatten)]
        change: Change,
    },
    /// Consul was killed, and came back without its data.
    Outage {
        from_ms: i64,
        to_ms: i64,
        /// When Consul answered again …
        back_ms: i64,
        /// … and the scheduler had heard of it, which may take so long.
        heard_ms: i64,
        bound_ms: i64,
        /// What the scheduler's `/readyz` answered meanwhile.
        ready: u16,
        /// What it said of its settings.
        told: String,
        /// The cushion in force once Consul had answered that it holds nothing.
        kept: u32,
    },
}

/// A value that was put, taken up, and in force until the next.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Change {
    put_ms: i64,
    in_force_ms: i64,
    until_ms: i64,
    /// The longest that it may have taken.
    bound_ms: i64,
}

/// What must hold, and whether it does.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Held {
    pub(crate) check: &'static str,
    pub(crate) found: String,
    pub(crate) holds: bool,
}

pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Step>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the steps {}", path.display()))?;
    let steps = text.lines().map(serde_json::from_str);
    let steps: Result<Vec<_>, _> = steps.collect();
    let steps = steps.with_context(|| format!("{} is broken", path.display()))?;
    let is_there = |is: fn(&Step) -> bool| steps.iter().any(is);
    ensure!(
        is_there(|step| matches!(step, Step::Cushion { .. }))
            && is_there(|step| matches!(step, Step::Concurrency { .. }))
            && is_there(|step| matches!(step, Step::Outage { .. })),
        "{} has not all steps: one of them failed",
        path.display()
    );
    Ok(steps)
}

/// `latency_ms` is how long each call of the channel takes.
pub(crate) fn judge(steps: &[Step], calls: &[Response], latency_ms: i64) -> Vec<Held> {
    let mut held = Vec::new();
    let mut cushion = None;
    for step in steps {
        match step {
            Step::Cushion { value, change } => {
                held.push(change.taken_up("a cushion reaches the scheduler", value));
                held.push(stops_at(*value, cushion, change, calls));
                cushion = Some(*value);
            }
            Step::Concurrency { value, change } => {
                held.push(change.taken_up("a bound reaches the workers", value));
                held.push(at_once(*value, change, calls, latency_ms));
            }
            Step::Outage { .. } => held.push(goes_on(step, cushion, calls)),
        }
    }
    held
}

impl Change {
    fn taken_up(&self, check: &'static str, value: impl std::fmt::Display) -> Held {
        let took_ms = self.in_force_ms - self.put_ms;
        Held {
            check,
            found: format!(
                "{value} in force after {took_ms} ms; it may take {} ms",
                self.bound_ms
            ),
            holds: (0..=self.bound_ms).contains(&took_ms),
        }
    }

    /// When nothing is under way any more that was decided before.
    fn settled(&self, calls: &[Response]) -> impl Iterator<Item = Response> {
        let (from_ms, to_ms) = (self.in_force_ms + UNDER_WAY_MS, self.until_ms);
        between(calls, from_ms, to_ms).cloned()
    }
}

fn between(calls: &[Response], from_ms: i64, to_ms: i64) -> impl Iterator<Item = &Response> {
    let within = move |call: &&Response| (from_ms..to_ms).contains(&call.time_ms);
    calls.iter().filter(within)
}

/// A poll begins only with more calls left than the cushion, and they are used down to it. That shows something only if it
/// is lower than the cushion before, or if calls went further down before.
fn stops_at(cushion: u32, before: Option<u32>, change: &Change, calls: &[Response]) -> Held {
    let polls: Vec<_> = change
        .settled(calls)
        .filter(Response::starts_poll)
        .collect();
    let below = polls.iter().filter(|call| call.remaining < cushion).count();
    let shows = before.is_some_and(|before| cushion < before)
        || between(calls, 0, change.put_ms).any(|call| call.remaining < cushion);
    let least = polls.iter().map(|call| call.remaining).min();
    let least = least.map_or_else(|| "none".to_owned(), |least| least.to_string());
    Held {
        check: "polls stop at the new cushion",
        found: format!(
            "{below} of {} polls began below {cushion}; least calls left after one: {least}",
            polls.len()
        ),
        holds: shows && below == 0 && polls.iter().any(|call| call.remaining == cushion),
    }
}

/// No worker has more calls under way than jobs; before it, one had.
fn at_once(most: usize, change: &Change, calls: &[Response], latency_ms: i64) -> Held {
    let before = between(calls, 0, change.put_ms).cloned();
    let (before, after) = (
        busiest(before, latency_ms),
        busiest(change.settled(calls), latency_ms),
    );
    Held {
        check: "no worker makes more calls at once",
        found: format!("{after} at most, {most} may be; {before} before"),
        holds: (1..=most).contains(&after) && before > most,
    }
}

/// Most calls of one worker that were under way at once.
fn busiest(calls: impl Iterator<Item = Response>, latency_ms: i64) -> usize {
    let mut workers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for call in calls {
        workers.entry(call.worker).or_default().push(call.time_ms);
    }
    let most = workers.values().flat_map(|times| {
        let until = |begin: i64| times.partition_point(|time| *time < begin + latency_ms);
        times
            .iter()
            .enumerate()
            .map(move |(index, begin)| until(*begin) - index)
    });
    most.max().unwrap_or(0)
}

fn goes_on(outage: &Step, cushion: Option<u32>, calls: &[Response]) -> Held {
    let Step::Outage {
        from_ms,
        to_ms,
        ready,
        told,
        kept,
        back_ms,
        heard_ms,
        bound_ms,
    } = outage
    else {
        unreachable!("only an outage is given");
    };
    let polls = between(calls, *from_ms, *to_ms).count();
    Held {
        check: "polls go on without Consul",
        found: format!(
            "{polls} calls in {} s; /readyz {ready}, \"{told}\"; heard of again after {} ms; the cushion stays {kept}",
            (to_ms - from_ms) / 1_000,
            heard_ms - back_ms
        ),
        holds: polls > 0
            && *ready == 200
            && told.contains("consul")
            && cushion == Some(*kept)
            && heard_ms - back_ms <= *bound_ms,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(time_ms: i64, remaining: u32) -> Response {
        Response {
            number: 0,
            time_ms,
            account: 7,
            worker: "a".to_owned(),
            since_id: 0,
            min_id: Some(0),
            limit: 20,
            status: 200,
            ids: Vec::new(),
            remaining,
        }
    }

    fn change(in_force_ms: i64) -> Change {
        Change {
            put_ms: 9_800,
            in_force_ms,
            until_ms: 30_000,
            bound_ms: 1_000,
        }
    }

    fn holds(step: Step, calls: &[Response]) -> Vec<bool> {
        let held = judge(&[step], calls, 100);
        held.iter().map(|held| held.holds).collect()
    }

    #[test]
    fn a_poll_below_the_cushion_is_told_once_nothing_is_under_way() {
        let cushion = |in_force_ms| Step::Cushion {
            value: 10,
            change: change(in_force_ms),
        };
        let calls = [call(9_000, 5), call(12_000, 9), call(14_500, 10)];
        assert_eq!(holds(cushion(10_000), &calls), [true, true]);
        assert_eq!(
            holds(cushion(11_600), &calls),
            [false, false],
            "late, and none in time"
        );
        assert_eq!(
            holds(cushion(10_000), &calls[1..]),
            [true, false],
            "as before"
        );
        let late = [&calls[..], &[call(15_000, 9)]].concat();
        assert_eq!(holds(cushion(10_000), &late), [true, false]);
    }

    #[test]
    fn calls_at_once_are_counted_for_each_worker() {
        let bound = |value| Step::Concurrency {
            value,
            change: change(10_000),
        };
        let at = |times: &[i64]| times.iter().map(|time| call(*time, 9)).collect::<Vec<_>>();
        let calls = at(&[1_000, 1_010, 1_099, 14_000, 14_050, 14_100, 14_150]);
        assert_eq!(holds(bound(2), &calls), [true, true]);
        assert_eq!(holds(bound(1), &calls), [true, false], "two were");
        assert_eq!(
            holds(bound(3), &calls),
            [true, false],
            "no more were before"
        );
    }

    #[test]
    fn an_outage_stops_nothing_and_is_told() {
        let steps = |ready, told: &str, kept| {
            let told = told.to_owned();
            let outage = Step::Outage {
                from_ms: 15_000,
                to_ms: 20_000,
                back_ms: 18_000,
                heard_ms: 19_000,
                bound_ms: 5_000,
                ready,
                told,
                kept,
            };
            let cushion = Step::Cushion {
                value: 10,
                change: change(10_000),
            };
            judge(&[cushion, outage], &[call(16_000, 10)], 100)
                .pop()
                .unwrap()
                .holds
        };
        assert!(steps(200, "consul http://x: no answer", 10));
        assert!(!steps(503, "consul http://x: no answer", 10));
        assert!(!steps(200, "", 10));
        assert!(!steps(200, "consul http://x: no answer", 5));
    }
}
