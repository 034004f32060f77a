//! What is promised, and by which figure it is shown.

use super::Figures;

/// One promise.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    /// What is measured.
    pub what: &'static str,
    /// The figure that shows it.
    pub figure: &'static str,
    /// What it is to reach, all of it.
    pub reach: &'static [Reach],
}

/// What a figure is to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// A value.
    AtLeast(f64),
    /// Another one.
    AtMost(f64),
    /// So many times another figure, by name.
    Times(f64, &'static str),
}

impl Reach {
    /// Whether the promise is kept; `None` if a figure is missing.
    #[must_use]
    pub fn kept(self, value: f64, figures: &Figures) -> Option<bool> {
        Some(match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::Times(times, _) => self.ratio(value, figures)? >= times,
        })
    }

    /// To what it is compared with, where it is.
    #[must_use]
    pub fn ratio(self, value: f64, figures: &Figures) -> Option<f64> {
        match self {
            Self::Times(_, other) => Some(value / figures.get(other)?.value),
            Self::AtLeast(_) | Self::AtMost(_) => None,
        }
    }
}

/// All of them, as issues 7 and 8 have them.
pub const PROMISES: &[Promise] = &[
    Promise {
        what: "layers' overhead per job, all layers, no I/O",
        figure: "layers/overhead",
        reach: &[Reach::AtMost(1.0)],
    },
    Promise {
        what: "a call that is told, of a port, a client or a server: what is added, the dearest",
        figure: "metering",
        reach: &[Reach::AtMost(200.0)],
    },
    Promise {
        what: "policy decision, one core",
        figure: "policy",
        reach: &[Reach::AtLeast(5e6)],
    },
    Promise {
        what: "full cycle in process, wire format on",
        figure: "cycle/in-process",
        reach: &[Reach::AtLeast(250_000.0)],
    },
    Promise {
        what: "Redis store, drain and settle",
        figure: "store/redis",
        reach: &[Reach::Times(0.9, "ceiling/redis")],
    },
    Promise {
        what: "the same on three cluster masters: how uneven their shares are",
        figure: "cluster/uneven",
        reach: &[Reach::AtMost(5.0)],
    },
    Promise {
        what: "full cycle on Redis Streams",
        figure: "cycle/streams",
        reach: &[
            Reach::Times(3.0, "peer/bullmq"),
            Reach::Times(1.5, "peer/apalis-plain"),
        ],
    },
    Promise {
        what: "full cycle on SQS, Redis and Kafka",
        figure: "cycle/servers",
        reach: &[Reach::Times(0.85, "ceiling/servers")],
    },
    Promise {
        what: "Kafka publishing",
        figure: "kafka/publishing",
        reach: &[Reach::Times(0.85, "ceiling/kafka")],
    },
    Promise {
        what: "memory in Redis per job over its context",
        figure: "memory/redis",
        reach: &[Reach::AtMost(200.0)],
    },
    Promise {
        what: "lateness of dispatch, p99, 1 million jobs every 5 minutes",
        figure: "lateness",
        reach: &[Reach::AtMost(1.0)],
    },
    Promise {
        what: "registering 1 million jobs",
        figure: "registration",
        reach: &[Reach::AtMost(30.0)],
    },
    Promise {
        what: "100,000 jobs due at once: the longest script",
        figure: "giant-slot",
        reach: &[Reach::AtMost(5.0)],
    },
    Promise {
        what: "growth: cost of a cycle with 5 million jobs over that with 100,000",
        figure: "growth",
        reach: &[Reach::AtMost(1.3)],
    },
    Promise {
        what: "SQS requests per job under load",
        figure: "sqs/requests-per-job",
        reach: &[Reach::AtMost(0.65)],
    },
];

/// What holds on any machine, however busy: counts, and shares of raw clients with a wide margin.
pub const STABLE: &[Promise] = &[
    Promise {
        what: "allocations of all layers for a job",
        figure: "allocations/layers",
        reach: &[Reach::AtMost(24.0)],
    },
    Promise {
        what: "allocations of telling a call, the most of any kind",
        figure: "allocations/metering",
        reach: &[Reach::AtMost(1.0)],
    },
    Promise {
        what: "allocations of a decision",
        figure: "allocations/policy",
        reach: &[Reach::AtMost(2.0)],
    },
    Promise {
        what: "allocations of encoding a job",
        figure: "allocations/encode",
        reach: &[Reach::AtMost(4.0)],
    },
    Promise {
        what: "allocations of decoding a job",
        figure: "allocations/decode",
        reach: &[Reach::AtMost(7.0)],
    },
    Promise {
        what: "memory in Redis per job over its context",
        figure: "memory/redis",
        reach: &[Reach::AtMost(200.0)],
    },
    Promise {
        what: "Redis store, drain and settle",
        figure: "store/redis",
        reach: &[Reach::Times(0.6, "ceiling/redis")],
    },
    Promise {
        what: "Kafka publishing",
        figure: "kafka/publishing",
        reach: &[Reach::Times(0.5, "ceiling/kafka")],
    },
    Promise {
        what: "full cycle on SQS, Redis and Kafka",
        figure: "cycle/servers",
        reach: &[Reach::Times(0.4, "ceiling/servers")],
    },
    Promise {
        what: "SQS requests per job under load",
        figure: "sqs/requests-per-job",
        reach: &[Reach::AtMost(0.8)],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Figure;

    #[test]
    fn a_share_is_kept_or_broken_only_where_both_figures_are_known() {
        let mut figures = Figures::default();
        let share = Reach::Times(0.9, "ceiling/redis");
        assert_eq!(share.kept(95.0, &figures), None);
        figures.extend([Figure::new("ceiling/redis", 100.0, "jobs/s")]);
        assert_eq!(share.kept(95.0, &figures), Some(true));
        assert_eq!(share.kept(89.0, &figures), Some(false));
    }
}
