//! What is counted of the cycle, and how an observation is counted.

use std::time::Duration;

use polling_model::{ErrorClass, Observation};
use prometheus_client::metrics::{counter::Counter, histogram::Histogram};

use super::{objectives::Kept, register::Register, series::Series, web::Web};
use crate::objectives::Objective;

/// Upper bounds for calls to servers, seconds; a receive waits up to 20 s.
const CALLS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// Upper bounds for polls, and for waits of publishing, seconds.
pub(crate) const POLLS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// Upper bounds for lateness, seconds: a slot is 60 s wide, and drained over most of it.
pub(crate) const LATENESS: [f64; 12] = [
    0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0,
];

/// Upper bounds for staleness, seconds: what is polled every minute, or every day.
const STALENESS: [f64; 12] = [
    1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0,
];

/// Upper bounds for calls of a poll.
const CALLS_OF_A_POLL: [f64; 9] = [0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// Upper bounds for what is left of a limit.
const LEFT: [f64; 9] = [0.0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0];

/// Every metric of the cycle.
#[derive(Debug)]
pub(super) struct Domain {
    polls: Series<1, 1, Counter>,
    poll_duration: Series<1, 0, Histogram>,
    poll_events: Series<1, 0, Counter>,
    bugs: Series<1, 1, Counter>,
    dropped_late: Series<1, 0, Counter>,
    undecodable: Series<0, 1, Counter>,
    redelivered: Series<0, 1, Counter>,
    publish_throttle: Series<0, 0, Histogram>,
    ack_failures: Series<0, 0, Counter>,
    requests: Series<1, 1, Counter>,
    request_messages: Series<1, 1, Counter>,
    drained: Series<1, 0, Counter>,
    lateness: Series<1, 0, Histogram>,
    postponed: Series<1, 2, Counter>,
    poll_calls: Series<2, 0, Histogram>,
    scope_used: Series<2, 0, Counter>,
    scope_left: Series<2, 0, Histogram>,
    staleness: Series<2, 0, Histogram>,
    settled: Series<1, 2, Counter>,
    reaped: Series<1, 0, Counter>,
    resent: Series<1, 0, Counter>,
    repaired: Series<1, 0, Counter>,
    held: Series<1, 1, Counter>,
    call_duration: Series<2, 1, Histogram>,
    call_errors: Series<2, 2, Counter>,
    client_requests: Series<2, 1, Counter>,
    web: Web,
    kept: Kept,
}

impl Domain {
    #[rustfmt::skip]
    pub(super) fn new(register: &mut Register<'_>, objectives: &[Objective]) -> Self {
        let r = register;
        Self {
            polls: r.counter("polling_polls", "Polls that ended, by outcome: ok, or the class of the error", ["job_type"], ["outcome"]),
            poll_duration: r.seconds("polling_poll_duration", "How long polls took", ["job_type"], [], || Histogram::new(POLLS)),
            poll_events: r.counter("polling_poll_events", "Events that polls brought", ["job_type"], []),
            bugs: r.counter("polling_bugs", "Polls that did not end as a poll should: their message is delivered again", ["job_type"], ["kind"]),
            dropped_late: r.counter("polling_dropped_late", "Messages dropped without polling, since they had waited too long", ["job_type"], []),
            undecodable: r.counter("polling_undecodable", "Messages that could not be decoded, by what their queue is for", [], ["queue"]),
            redelivered: r.counter("polling_redelivered_messages", "Messages received that had been received before, by what their queue is for", [], ["queue"]),
            publish_throttle: r.seconds("polling_publish_throttle", "How long publishing waited for its throttle or for the bus", [], [], || Histogram::new(POLLS)),
            ack_failures: r.counter("polling_ack_failures", "Messages not deleted although their outcome is stored; their repeats change nothing", [], []),
            requests: r.counter("polling_queue_requests", "Requests to the server of a queue: what such servers charge for", ["queue"], ["call"]),
            request_messages: r.counter("polling_queue_request_messages", "Messages that those requests sent, received, deleted or extended", ["queue"], ["call"]),
            drained: r.counter("polling_drained_jobs", "Jobs taken out of the due slot", ["channel"], []),
            lateness: r.seconds("polling_drain_lateness", "How late the latest job of each drained chunk was", ["channel"], [], || Histogram::new(LATENESS)),
            postponed: r.counter("polling_postponed_jobs", "Jobs placed later than their rules ask, since a rate limit left no call: at a drain, which was in vain, or as they settled", ["channel"], ["at", "by"]),
            poll_calls: r.histogram(("polling_poll", "calls"), "Calls to the channel that each poll made", ["channel", "job_type"], [], || Histogram::new(CALLS_OF_A_POLL)),
            scope_used: r.counter("polling_scope_used_calls", "How much of a limit polls used up, by scope as the rules write it", ["channel", "scope"], []),
            scope_left: r.histogram(("polling_scope_left", "ratio"), "Share that was left of a scope's tightest window, at the end of each poll", ["channel", "scope"], [], || Histogram::new(LEFT)),
            staleness: r.seconds("polling_event_staleness", "Age of events when they were published, of the newest 100 of each poll; a job's first poll is left out", ["channel", "level"], [], || Histogram::new(STALENESS)),
            settled: r.counter("polling_settled", "Completions settled, and dead letters, whose outcome is dead_letter: a cycle has ended where the verdict is accepted, any other changed nothing", ["channel"], ["verdict", "outcome"]),
            reaped: r.counter("polling_reaped_jobs", "Jobs in flight past their deadline, placed anew", ["channel"], []),
            resent: r.counter("polling_resent_jobs", "Jobs sent again, since their first sending was not known to have ended", ["channel"], []),
            repaired: r.counter("polling_repaired_jobs", "Jobs whose place the sweep mended: 0 in a run without faults", ["channel"], []),
            held: r.counter("polling_held_jobs", "Jobs that were held, by a rule or since their message was refused", ["channel"], ["hold"]),
            call_duration: r.seconds("polling_port_call_duration", "How long calls to a queue, a bus, a slot store or of a client took; their number is its count", ["name", "operation"], ["port"], || Histogram::new(CALLS)),
            call_errors: r.counter("polling_port_call_errors", "Calls to a queue, a bus, a slot store or of a client that failed", ["name", "operation"], ["port", "error"]),
            client_requests: r.counter("polling_client_requests", "Requests to servers, as clients tell them: attempts of AWS's, each type of Kafka's with commits and rebalances", ["name", "operation"], ["port"]),
            web: Web::new(r),
            kept: Kept::new(r, objectives),
        }
    }

    pub(super) fn observe(&self, observation: Observation<'_>) {
        match observation {
            Observation::Polled {
                job_type,
                error,
                events,
                elapsed,
            } => {
                let job_type = [job_type.as_str()];
                self.polls.add(job_type, [outcome(error)], 1);
                self.poll_duration
                    .record(job_type, [], elapsed.as_secs_f64());
                self.poll_events.add(job_type, [], events);
            }
            Observation::Bug { job_type, kind } => self.bugs.add([job_type.as_str()], [kind], 1),
            Observation::DroppedLate { job_type } => {
                self.dropped_late.add([job_type.as_str()], [], 1);
            }
            Observation::Undecodable { queue } => self.undecodable.add([], [queue], 1),
            Observation::Redelivered { queue } => self.redelivered.add([], [queue], 1),
            Observation::Requested {
                queue,
                call,
                messages,
            } => {
                self.requests.add([queue], [call], 1);
                self.request_messages.add([queue], [call], messages);
            }
            Observation::PublishThrottled { waited } => {
                self.publish_throttle.record([], [], waited.as_secs_f64());
            }
            Observation::AckFailed => self.ack_failures.add([], [], 1),
            Observation::Called {
                port,
                name,
                operation,
                error,
                elapsed,
            } => {
                self.call_duration
                    .record([name, operation], [port], elapsed.as_secs_f64());
                if let Some(error) = error {
                    self.call_errors.add([name, operation], [port, error], 1);
                }
            }
            Observation::Sent {
                port,
                name,
                operation,
                error,
                requests,
            } => {
                self.client_requests
                    .add([name, operation], [port], requests);
                if let Some(error) = error {
                    self.call_errors
                        .add([name, operation], [port, error], requests);
                }
            }
            Observation::Answered { .. } => self.web.observe(observation),
            of_scheduler => self.observe_scheduler(of_scheduler),
        }
    }

    fn observe_scheduler(&self, observation: Observation<'_>) {
        match observation {
            Observation::Drained {
                channel,
                jobs,
                lateness_ms,
            } => {
                self.drained.add([channel.as_str()], [], jobs);
                self.lateness
                    .record([channel.as_str()], [], seconds(lateness_ms));
                self.kept.drained(channel, jobs, lateness_ms);
            }
            Observation::Postponed {
                channel,
                jobs,
                at,
                by,
            } => {
                self.postponed.add([channel.as_str()], [at, by], jobs);
            }
            Observation::Settled {
                channel,
                verdict,
                outcome,
            } => {
                self.settled.add([channel.as_str()], [verdict, outcome], 1);
            }
            Observation::Reaped { channel, jobs } => {
                self.reaped.add([channel.as_str()], [], jobs);
            }
            Observation::Resent { channel, jobs } => {
                self.resent.add([channel.as_str()], [], jobs);
            }
            Observation::Repaired { channel, jobs } => {
                self.repaired.add([channel.as_str()], [], jobs);
            }
            Observation::Held {
                channel,
                jobs,
                hold,
            } => {
                self.held.add([channel.as_str()], [hold], jobs);
            }
            of_completion => self.observe_completion(of_completion),
        }
    }

    fn observe_completion(&self, observation: Observation<'_>) {
        match observation {
            Observation::Completed {
                channel,
                job_type,
                calls,
            } => {
                let names = [channel.as_str(), job_type.as_str()];
                self.poll_calls.record(names, [], f64::from(calls));
            }
            Observation::ScopeUsed {
                channel,
                scope,
                used,
                left,
            } => {
                let names = [channel.as_str(), scope];
                self.scope_used.add(names, [], used as usize);
                if let Some(left) = left {
                    self.scope_left.record(names, [], left);
                }
            }
            Observation::Published {
                channel,
                level,
                created_ms,
                older,
                published_ms,
            } => {
                let ages_ms = created_ms.iter().map(|at_ms| published_ms - at_ms);
                for age_ms in ages_ms.clone() {
                    let names = [channel.as_str(), level.as_str()];
                    self.staleness.record(names, [], seconds(age_ms));
                }
                self.kept.published(channel, level, ages_ms, older);
            }
            _ => {}
        }
    }
}

fn seconds(ms: i64) -> f64 {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0)).as_secs_f64()
}

fn outcome(error: Option<ErrorClass>) -> &'static str {
    error.map_or("ok", ErrorClass::as_str)
}
