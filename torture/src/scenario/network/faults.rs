//! The scenarios.

use std::num::NonZeroUsize;

use super::{Network, play::Injection};
use crate::{
    proxy::{DropAction, Dropped, FailEntries, FailedEntry, Faults},
    servers::Server,
};

/// Most jobs are polled once for each dispatch, whatever becomes of connections.
const FEW_AGAIN: f64 = 1.3;

const NETWORK: Network = Network {
    name: "",
    about: "",
    injections: &[],
    broken_s: 60,
    working_s: 0,
    must_count: &[],
    channel_latency_ms: 20,
    polls_per_dispatch: FEW_AGAIN,
    strikes: 0,
    worker_args: &[],
    room_for_events: None,
};

pub(super) const ALL: [Network; 12] = [
    Network {
        name: "reply-cut-redis",
        about: "Redis has done what it was asked to, and one answer in 100 is cut somewhere",
        injections: &[cut(&[Server::Redis])],
        must_count: &["redis cut-reply"],
        ..NETWORK
    },
    Network {
        name: "reply-cut-sqs",
        about: "SQS has done what it was asked to, and one answer in 100 is cut somewhere",
        injections: &[cut(&[Server::Sqs])],
        must_count: &["sqs cut-reply"],
        ..NETWORK
    },
    Network {
        name: "reply-cut-kafka",
        about: "Kafka has done what it was asked to, and one answer in 10 is cut somewhere",
        injections: &[Injection {
            servers: &[Server::Kafka],
            faults: || Faults {
                // A batch of events is one request: there are few.
                cut_reply: 0.1,
                ..Faults::default()
            },
            reset_open: false,
        }],
        must_count: &["kafka cut-reply"],
        ..NETWORK
    },
    Network {
        name: "half-open",
        about: "each server in turn takes everything for 6 s and never answers; those connections stay dead",
        injections: &[
            black_hole(&[Server::Redis]),
            black_hole(&[Server::Sqs]),
            black_hole(&[Server::Kafka]),
        ],
        broken_s: 6,
        working_s: 14,
        must_count: &["redis black-hole", "sqs black-hole", "kafka black-hole"],
        ..NETWORK
    },
    Network {
        name: "latency",
        about: "requests to all servers, and their answers, take 10 to 150 ms longer",
        injections: &[Injection {
            servers: &Server::ALL,
            faults: || Faults {
                latency_ms: Some(10..=150),
                ..Faults::default()
            },
            reset_open: false,
        }],
        must_count: &["redis latency", "sqs latency", "kafka latency"],
        ..NETWORK
    },
    Network {
        name: "one-byte-at-a-time",
        about: "requests to all servers, and their answers, come byte by byte",
        injections: &[Injection {
            servers: &Server::ALL,
            faults: || Faults {
                slice_bytes: NonZeroUsize::new(1),
                ..Faults::default()
            },
            reset_open: false,
        }],
        must_count: &["redis slice", "sqs slice", "kafka slice"],
        ..NETWORK
    },
    Network {
        name: "reset",
        about: "connections to all servers are reset: every 10 s all, and at one request in 200",
        injections: &[Injection {
            servers: &Server::ALL,
            faults: || Faults {
                reset: 0.005,
                ..Faults::default()
            },
            reset_open: true,
        }],
        broken_s: 10,
        must_count: &["redis reset", "sqs reset", "kafka reset"],
        ..NETWORK
    },
    Network {
        name: "duplicate-deliveries",
        about: "one receive in five gives messages of an earlier one again, deleted or not",
        injections: &[on_sqs(|| Faults {
            replay_receive: 0.2,
            ..Faults::default()
        })],
        must_count: &["sqs replay-receive"],
        // A message given twice is polled twice.
        polls_per_dispatch: 2.0,
        ..NETWORK
    },
    Network {
        name: "heartbeats-lost",
        about: "no ChangeMessageVisibility reaches SQS, while jobs take longer than the visibility timeout",
        injections: &[Injection {
            servers: &[Server::Sqs, Server::Kafka],
            faults: || Faults {
                latency_ms: Some(300..=600),
                ..dropped("ChangeMessageVisibility", 1.0)
            },
            reset_open: false,
        }],
        must_count: &["sqs drop-action"],
        // With publishing and completing most need more than the 5 s.
        channel_latency_ms: 3_000,
        polls_per_dispatch: 2.5,
        // A message that outlives its visibility timeout at every receive ends as a dead letter,
        // though its job was completed.
        strikes: 200,
        ..NETWORK
    },
    Network {
        name: "acks-lost",
        about: "seven in ten DeleteMessage never reach SQS, which answers with status 500",
        injections: &[on_sqs(|| dropped("DeleteMessage", 0.7))],
        must_count: &["sqs drop-action"],
        // What was not deleted comes again, and may end as a dead letter though its job was
        // completed.
        polls_per_dispatch: 2.5,
        strikes: 200,
        ..NETWORK
    },
    Network {
        name: "partial-batches",
        about: "one entry in five of SQS's batches fails under HTTP 200, some of them though they were carried out",
        injections: &[
            on_sqs(|| partial(FailedEntry::NotDelivered)),
            on_sqs(|| partial(FailedEntry::Delivered)),
        ],
        broken_s: 15,
        must_count: &["sqs fail-entry"],
        polls_per_dispatch: 1.6,
        ..NETWORK
    },
    Network {
        name: "kafka-queue-full",
        about: "each worker may have two events on their way to Kafka, which take 20 to 60 ms longer",
        injections: &[Injection {
            servers: &[Server::Kafka],
            faults: || Faults {
                latency_ms: Some(20..=60),
                ..Faults::default()
            },
            reset_open: false,
        }],
        must_count: &["kafka latency"],
        worker_args: &["--kafka=queue.buffering.max.messages=2"],
        room_for_events: Some(2),
        ..NETWORK
    },
];

const fn cut(servers: &'static [Server]) -> Injection {
    Injection {
        servers,
        faults: || Faults {
            cut_reply: 0.01,
            ..Faults::default()
        },
        reset_open: false,
    }
}

const fn black_hole(servers: &'static [Server]) -> Injection {
    Injection {
        servers,
        faults: || Faults {
            black_hole: true,
            ..Faults::default()
        },
        reset_open: false,
    }
}

const fn on_sqs(faults: fn() -> Faults) -> Injection {
    Injection {
        servers: &[Server::Sqs],
        faults,
        reset_open: false,
    }
}

fn dropped(action: &str, probability: f64) -> Faults {
    let drop = DropAction {
        action: action.to_owned(),
        probability,
        answer: Dropped::Error500,
    };
    Faults {
        drop_actions: vec![drop],
        ..Faults::default()
    }
}

fn partial(entry: FailedEntry) -> Faults {
    let fail = FailEntries {
        probability: 0.2,
        entry,
    };
    Faults {
        fail_entries: Some(fail),
        ..Faults::default()
    }
}
