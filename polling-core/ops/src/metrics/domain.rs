//! What is counted of the cycle, and how an observation is counted.

use std::time::Duration;

use polling_model::{ErrorClass, Observation};
use prometheus_client::metrics::{counter::Counter, histogram::Histogram};

use super::{register::Register, series::Series};

/// Upper bounds for calls to servers, seconds; a receive waits up to 20 s.
const CALLS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// Upper bounds for polls, and for waits of publishing, seconds.
const POLLS: [f64; 12] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0,
];

/// Upper bounds for lateness, seconds: a slot is 60 s wide, and drained over most of it.
const LATENESS: [f64; 12] = [
    0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0,
];

/// Every metric of the cycle.
#[derive(Debug)]
pub(super) struct Domain {
    polls: Series<1, 1, Counter>,
    poll_duration: Series<1, 0, Histogram>,
    poll_events: Series<1, 0, Counter>,
    bugs: Series<1, 1, Counter>,
    dropped_late: Series<1, 0, Counter>,
    undecodable: Series<0, 1, Counter>,
    publish_throttle: Series<0, 0, Histogram>,
    ack_failures: Series<0, 0, Counter>,
    requests: Series<1, 1, Counter>,
    request_messages: Series<1, 1, Counter>,
    drained: Series<1, 0, Counter>,
    lateness: Series<1, 0, Histogram>,
    postponed: Series<1, 0, Counter>,
    settled: Series<1, 2, Counter>,
    reaped: Series<1, 0, Counter>,
    resent: Series<1, 0, Counter>,
    repaired: Series<1, 0, Counter>,
    held: Series<1, 1, Counter>,
    call_duration: Series<1, 2, Histogram>,
    call_errors: Series<1, 3, Counter>,
}

impl Domain {
    #[rustfmt::skip]
    pub(super) fn new(register: &mut Register<'_>) -> Self {
        let r = register;
        Self {
            polls: r.counter("polling_polls", "Polls that ended, by outcome: ok, or the class of the error", ["job_type"], ["outcome"]),
            poll_duration: r.seconds("polling_poll_duration", "How long polls took", ["job_type"], [], || Histogram::new(POLLS)),
            poll_events: r.counter("polling_poll_events", "Events that polls brought", ["job_type"], []),
            bugs: r.counter("polling_bugs", "Polls that did not end as a poll should: their message is delivered again", ["job_type"], ["kind"]),
            dropped_late: r.counter("polling_dropped_late", "Messages dropped without polling, since they had waited too long", ["job_type"], []),
            undecodable: r.counter("polling_undecodable", "Messages that could not be decoded, by what their queue is for", [], ["queue"]),
            publish_throttle: r.seconds("polling_publish_throttle", "How long publishing waited for its throttle or for the bus", [], [], || Histogram::new(POLLS)),
            ack_failures: r.counter("polling_ack_failures", "Messages not deleted although their outcome is stored; their repeats change nothing", [], []),
            requests: r.counter("polling_queue_requests", "Requests to the server of a queue: what such servers charge for", ["queue"], ["call"]),
            request_messages: r.counter("polling_queue_request_messages", "Messages that those requests sent, received, deleted or extended", ["queue"], ["call"]),
            drained: r.counter("polling_drained_jobs", "Jobs taken out of the due slot", ["channel"], []),
            lateness: r.seconds("polling_drain_lateness", "How late the latest job of each drained chunk was", ["channel"], [], || Histogram::new(LATENESS)),
            postponed: r.counter("polling_postponed_jobs", "Drained jobs that got no call within their rate limits, and were placed anew", ["channel"], []),
            settled: r.counter("polling_settled", "Completions and dead letters settled: a cycle has ended where the verdict is accepted, any other changed nothing", ["channel"], ["verdict", "outcome"]),
            reaped: r.counter("polling_reaped_jobs", "Jobs in flight past their deadline, placed anew", ["channel"], []),
            resent: r.counter("polling_resent_jobs", "Jobs sent again, since their first sending was not known to have ended", ["channel"], []),
            repaired: r.counter("polling_repaired_jobs", "Jobs whose place the sweep mended: 0 in a run without faults", ["channel"], []),
            held: r.counter("polling_held_jobs", "Jobs that were held, by a rule or since their message was refused", ["channel"], ["hold"]),
            call_duration: r.seconds("polling_port_call_duration", "How long calls to a queue, a bus or a slot store took; their number is its count", ["name"], ["port", "operation"], || Histogram::new(CALLS)),
            call_errors: r.counter("polling_port_call_errors", "Calls to a queue, a bus or a slot store that failed", ["name"], ["port", "operation", "error"]),
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
                    .record([name], [port, operation], elapsed.as_secs_f64());
                if let Some(error) = error {
                    self.call_errors.add([name], [port, operation, error], 1);
                }
            }
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
                let channel = [channel.as_str()];
                let lateness = Duration::from_millis(u64::try_from(lateness_ms).unwrap_or(0));
                self.drained.add(channel, [], jobs);
                self.lateness.record(channel, [], lateness.as_secs_f64());
            }
            Observation::Postponed { channel, jobs } => {
                self.postponed.add([channel.as_str()], [], jobs);
            }
            Observation::Settled {
                channel,
                verdict,
                error,
            } => {
                self.settled
                    .add([channel.as_str()], [verdict, outcome(error)], 1);
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
            _ => {}
        }
    }
}

fn outcome(error: Option<ErrorClass>) -> &'static str {
    error.map_or("ok", ErrorClass::as_str)
}
