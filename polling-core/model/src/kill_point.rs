//! The gaps between two effects of the cycle, by name, so that a test can end a process in each.
//!
//! Without the cargo feature `kill-points`, [`KillPoint::hit`] is empty and nothing of this is
//! left in the program. With it, a process that was started with
//!
//! ```text
//! POLLING_KILL_AT=worker-published:3
//! ```
//!
//! aborts when it comes to that point for the third time. An abort stands for `kill -9`: the
//! process ends at that very instruction, in the middle of whatever its other threads do. No
//! destructor runs, no buffer is flushed, no message is given back, and the operating system closes
//! its connections. Only the signal's number differs, which tells a supervisor that it was this
//! point and not somebody else who ended it.

use std::{fmt, str::FromStr};

/// One list, so that no point can be missing from [`KillPoint::ALL`].
macro_rules! kill_points {
    ($($(#[doc = $doc:literal])+ $point:ident = $label:literal,)+) => {
        /// A gap between two effects. What is named has happened; what follows it has not.
        ///
        /// Labels that start with `scheduler-` or `registry-` are points of a scheduler, `worker-`
        /// of a worker, `queue-` of both.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum KillPoint {
            $($(#[doc = $doc])+ $point,)+
        }

        impl KillPoint {
            /// Every point, in the order of the cycle.
            pub const ALL: &[Self] = &[$(Self::$point,)+];

            /// Its label, as in `POLLING_KILL_AT`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$point => $label,)+
                }
            }
        }
    };
}

kill_points! {
    /// A chunk whose sending is not known to have ended was claimed; it is not sent again yet.
    SchedulerNoteClaimed = "scheduler-note-claimed",
    /// A chunk was drained; nothing of it is sent.
    SchedulerDrained = "scheduler-drained",
    /// Calls were granted to jobs of a chunk; nothing of it is sent.
    SchedulerAllotted = "scheduler-allotted",
    /// Jobs that got no call were placed anew; they stand on their note.
    SchedulerPostponed = "scheduler-postponed",
    /// Of a chunk, the jobs of one type were sent; those of others may not be.
    SchedulerTypeSent = "scheduler-type-sent",
    /// A chunk was sent; its note stands.
    SchedulerSent = "scheduler-sent",
    /// Jobs whose message cannot be sent were held; they stand on their note.
    SchedulerRefused = "scheduler-refused",
    /// What was sent was struck off its note.
    SchedulerStruckOff = "scheduler-struck-off",
    /// Completions were received; none is settled.
    SchedulerCompletionsReceived = "scheduler-completions-received",
    /// A changed service level was written to a job about to be settled.
    SchedulerLevelChanged = "scheduler-level-changed",
    /// Completions were settled; none of their messages is deleted.
    SchedulerSettled = "scheduler-settled",
    /// The messages of settled completions were deleted.
    SchedulerAcked = "scheduler-acked",
    /// Dead letters were received; none is settled.
    SchedulerDeadLettersReceived = "scheduler-dead-letters-received",
    /// A dead letter that cannot be decoded was kept for the operator; its message is not deleted.
    SchedulerDeadLetterKept = "scheduler-dead-letter-kept",
    /// Dead letters were settled; none of their messages is deleted.
    SchedulerDeadLettersSettled = "scheduler-dead-letters-settled",
    /// The messages of settled dead letters were deleted.
    SchedulerDeadLettersAcked = "scheduler-dead-letters-acked",
    /// Jobs in flight past their deadline were placed anew.
    SchedulerReaped = "scheduler-reaped",
    /// A step of the sweep was done; the next begins elsewhere.
    SchedulerSwept = "scheduler-swept",
    /// A job was registered; the caller has no answer.
    RegistryRegistered = "registry-registered",
    /// A job was removed; the caller has no answer.
    RegistryRemoved = "registry-removed",
    /// A job's rules were changed; the caller has no answer.
    RegistryUpdated = "registry-updated",
    /// A job's context was replaced; the caller has no answer.
    RegistryContextReplaced = "registry-context-replaced",
    /// A job was paused; the caller has no answer.
    RegistryPaused = "registry-paused",
    /// A job was resumed; the caller has no answer.
    RegistryResumed = "registry-resumed",
    /// A job was made due at once; the caller has no answer.
    RegistryRunNow = "registry-run-now",
    /// A job's message was received; no layer has seen it.
    WorkerReceived = "worker-received",
    /// A message's visibility was renewed.
    WorkerExtended = "worker-extended",
    /// The channel was polled; no event is published.
    WorkerPolled = "worker-polled",
    /// The bus took a part of a poll's events; no delivery is known.
    WorkerEventsTaken = "worker-events-taken",
    /// A poll's events were delivered; its completion is not stored.
    WorkerPublished = "worker-published",
    /// A completion was stored; the job's message is not deleted.
    WorkerCompleted = "worker-completed",
    /// A job's message was deleted.
    WorkerAcked = "worker-acked",
    /// A job's message was given back.
    WorkerGivenBack = "worker-given-back",
    /// A queue took one call's messages; others of the same send may not be sent.
    QueueBatchSent = "queue-batch-sent",
    /// A queue deleted one call's messages; others may not be deleted.
    QueueBatchDeleted = "queue-batch-deleted",
}

impl KillPoint {
    /// Ends the process here if it was started so; see the [module](self).
    #[cfg(feature = "kill-points")]
    pub fn hit(self) {
        armed::hit(self);
    }

    /// Nothing, without the feature `kill-points`.
    #[cfg(not(feature = "kill-points"))]
    #[inline(always)]
    pub const fn hit(self) {}
}

impl fmt::Display for KillPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No point has this label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no kill point is called {label:?}; they are {}", labels())]
pub struct UnknownKillPoint {
    label: String,
}

fn labels() -> String {
    let labels: Vec<_> = KillPoint::ALL.iter().map(|point| point.as_str()).collect();
    labels.join(", ")
}

impl FromStr for KillPoint {
    type Err = UnknownKillPoint;

    fn from_str(label: &str) -> Result<Self, UnknownKillPoint> {
        let known = Self::ALL.iter().find(|point| point.as_str() == label);
        known.copied().ok_or_else(|| UnknownKillPoint {
            label: label.to_owned(),
        })
    }
}

/// The point at which this process ends.
#[cfg(feature = "kill-points")]
mod armed {
    use std::{
        env,
        io::{self, Write},
        process,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    use super::KillPoint;

    const VARIABLE: &str = "POLLING_KILL_AT";

    struct Armed {
        point: KillPoint,
        left: AtomicU64,
    }

    pub(super) fn hit(point: KillPoint) {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let Some(armed) = ARMED.get_or_init(from_environment) else {
            return;
        };
        if armed.point == point && armed.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            abort(&format!("kill point {point}: aborting"));
        }
    }

    /// A test that kills nothing because of a slip in its set-up would prove nothing.
    fn from_environment() -> Option<Armed> {
        let value = env::var_os(VARIABLE)?;
        let Some(value) = value.to_str() else {
            abort(&format!("{VARIABLE} is not UTF-8"));
        };
        match parse(value) {
            Ok((point, hits)) => Some(Armed {
                point,
                left: AtomicU64::new(hits),
            }),
            Err(problem) => abort(&format!("{VARIABLE}={value}: {problem}")),
        }
    }

    pub(super) fn parse(value: &str) -> Result<(KillPoint, u64), String> {
        let (label, hits) = value
            .split_once(':')
            .ok_or("write LABEL:N, such as worker-published:1")?;
        let point = label
            .parse()
            .map_err(|unknown: super::UnknownKillPoint| unknown.to_string())?;
        match hits.parse() {
            Ok(hits) if hits > 0 => Ok((point, hits)),
            _ => Err(format!("{hits:?} is not a number of hits from 1 on")),
        }
    }

    fn abort(why: &str) -> ! {
        // Nothing is left to do if nobody reads it.
        let _ = writeln!(io::stderr(), "{why}");
        process::abort();
    }
}

// What can run at compile time reads no environment and ends no process.
#[cfg(not(feature = "kill-points"))]
const _: () = KillPoint::WorkerPolled.hit();

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn labels_are_unique_kebab_case_and_read_back() {
        let labels: BTreeSet<_> = KillPoint::ALL.iter().map(|point| point.as_str()).collect();
        assert_eq!(labels.len(), KillPoint::ALL.len());
        for point in KillPoint::ALL {
            let label = point.as_str();
            let words = label.split('-').collect::<Vec<_>>();
            let lower = |word: &&str| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())
            };
            assert!(words.len() > 1 && words.iter().all(lower), "{label}");
            let roles = ["scheduler", "registry", "worker", "queue"];
            assert!(roles.contains(&words[0]), "{label}");
            assert_eq!(label.parse(), Ok(*point));
        }
    }

    #[test]
    fn an_unknown_label_is_answered_with_the_known_ones() {
        let error = "worker-publish"
            .parse::<KillPoint>()
            .unwrap_err()
            .to_string();
        assert!(error.contains("worker-publish"), "{error}");
        assert!(error.contains(" worker-published,"), "{error}");
    }
}

#[cfg(all(test, unix, feature = "kill-points"))]
mod kill_tests {
    use std::{
        env,
        io::{self, Write},
        os::unix::process::ExitStatusExt,
        process::{Command, Output},
    };

    use super::{KillPoint, armed::parse};

    const SIGABRT: i32 = 6;
    const THIS_TEST: &str = "kill_point::kill_tests::a_process_ends_at_the_hit_it_was_told";

    /// Runs `a_process_ends_at_the_hit_it_was_told` in a process of its own.
    fn child(kill_at: &str) -> Output {
        let program = env::current_exe().expect("a test is a file");
        let mut command = Command::new(program);
        let command = command.args(["--exact", THIS_TEST, "--nocapture"]);
        command
            .env("POLLING_KILL_AT", kill_at)
            .output()
            .expect("it can be started again")
    }

    /// In the child, three hits of one point, one of another, and a line after each.
    #[test]
    fn a_process_ends_at_the_hit_it_was_told() {
        if env::var_os("POLLING_KILL_AT").is_some() {
            for point in [KillPoint::WorkerPolled, KillPoint::WorkerAcked]
                .into_iter()
                .chain([KillPoint::WorkerPolled; 2])
            {
                point.hit();
                writeln!(io::stdout(), "survived {point}").expect("the parent reads");
            }
            return;
        }
        let survived = |output: &Output, point: &str| {
            let lines = String::from_utf8_lossy(&output.stdout).into_owned();
            lines.matches(&format!("survived worker-{point}")).count()
        };
        let second = child("worker-polled:2");
        assert_eq!(second.status.signal(), Some(SIGABRT));
        assert_eq!(
            (survived(&second, "polled"), survived(&second, "acked")),
            (1, 1)
        );
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(
            said.contains("kill point worker-polled: aborting"),
            "{said}"
        );
        let fourth = child("worker-polled:4");
        assert!(fourth.status.success());
        assert_eq!(
            (survived(&fourth, "polled"), survived(&fourth, "acked")),
            (3, 1)
        );
    }

    #[test]
    fn a_malformed_value_ends_the_process_at_once_and_says_why() {
        let output = child("worker-polld:1");
        assert_eq!(output.status.signal(), Some(SIGABRT));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains("POLLING_KILL_AT=worker-polld:1: no kill point"),
            "{said}"
        );
        for wrong in [
            "",
            "worker-polled",
            "worker-polled:",
            "worker-polled:0",
            "worker-polled:-1",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse("worker-polled:7"), Ok((KillPoint::WorkerPolled, 7)));
    }
}
