//! No fork: what a job's record may become, write by write.
//!
//! Within one history of the store, and one incarnation of a job: generations grow by one with each
//! drain, a token is accepted at most once, and a spent token does not come back. A rollback of the
//! store begins another history.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Place, Record};

/// What a write was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A record appeared: a registration, or the first one seen.
    Appeared,
    /// The record is gone.
    Removed,
    /// A new incarnation.
    Replaced,
    /// The job was given a new token and sent.
    Drained {
        /// When it was due, UTC milliseconds.
        due_ms: i64,
    },
    /// The token was accepted and is spent.
    Accepted,
    /// The job was not sent: its token is spent, and nothing settled.
    Postponed,
    /// The job was dispatched so often while not every write was seen.
    Unseen {
        /// How often, at least.
        dispatches: u64,
    },
    /// Anything else.
    Edited,
}

/// How sure it is that no write was missed before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Every write is seen.
    Whole,
    /// Some may have been missed: generations may jump ahead.
    Patchy,
}

/// All jobs' pasts.
#[derive(Debug, Default)]
pub struct History {
    jobs: BTreeMap<String, Past>,
}

#[derive(Debug, Default)]
struct Past {
    now: Option<Record>,
    /// Incarnations that are over.
    over: BTreeSet<String>,
}

impl History {
    /// The next state of a job's record; none once it is removed.
    ///
    /// # Errors
    ///
    /// In words, when it must not follow what was there.
    pub fn see(&mut self, id: &str, next: Option<Record>, sight: Sight) -> Result<Step, String> {
        let past = self.jobs.entry(id.to_owned()).or_default();
        let previous = past.now.take();
        let Some(next) = next else {
            past.over.extend(previous.map(|record| record.incarnation));
            return Ok(Step::Removed);
        };
        let seen = past.follow(previous.as_ref(), &next, sight);
        past.now = Some(next);
        seen.map_err(|what| format!("{id} is forked: {what}"))
    }

    /// Forgets all, since the store went back to an earlier state.
    pub fn begin_anew(&mut self) {
        self.jobs.clear();
    }

    /// The record of a job as last seen.
    #[must_use]
    pub fn record(&self, id: &str) -> Option<&Record> {
        self.jobs.get(id)?.now.as_ref()
    }
}

impl Past {
    fn follow(
        &mut self,
        previous: Option<&Record>,
        next: &Record,
        sight: Sight,
    ) -> Result<Step, String> {
        if self.over.contains(&next.incarnation) {
            return Err(format!("its life {} is over", next.incarnation));
        }
        let Some(previous) = previous else {
            // Nothing begins in flight.
            return Ok(match next.place {
                Place::InFlight => Step::Unseen { dispatches: 1 },
                _ => Step::Appeared,
            });
        };
        if previous.incarnation != next.incarnation {
            self.over.insert(previous.incarnation.clone());
            return Ok(Step::Replaced);
        }
        let (before, after) = (previous.generation, next.generation);
        if after < before {
            return Err(format!("generation {after} follows {before}"));
        }
        if after == before {
            return same_generation(previous, next);
        }
        if sight == Sight::Patchy {
            let dispatches = after - before;
            return Ok(Step::Unseen { dispatches });
        }
        if after > before + 1 {
            return Err(format!("generation {after} follows {before}"));
        }
        if next.place != Place::InFlight || next.nonce.is_none() {
            return Err(format!("generation {after} begins without a dispatch"));
        }
        if next.nonce == previous.nonce {
            return Err(format!("generation {after} has the token of {before}"));
        }
        Ok(Step::Drained {
            due_ms: previous.due_ms,
        })
    }
}

fn same_generation(previous: &Record, next: &Record) -> Result<Step, String> {
    let generation = next.generation;
    match (&previous.nonce, &next.nonce) {
        (Some(_), None) if next.settled_ms == previous.settled_ms => Ok(Step::Postponed),
        (Some(_), None) => Ok(Step::Accepted),
        (None, None) if next.settled_ms != previous.settled_ms => Err(format!(
            "the token of generation {generation} is accepted twice"
        )),
        (None, Some(_)) => Err(format!(
            "the spent token of generation {generation} is valid again"
        )),
        (Some(before), Some(after)) if before != after => Err(format!(
            "the token of generation {generation} changes from {before} to {after}"
        )),
        _ => Ok(Step::Edited),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(place: Place, generation: u64, nonce: &str) -> Record {
        Record {
            place,
            due_ms: 1_000,
            deadline_ms: 0,
            generation,
            nonce: (nonce != "-").then(|| nonce.to_owned()),
            incarnation: "one".to_owned(),
            strikes: 0,
            settled_ms: 5,
            reason: String::new(),
        }
    }

    /// Each state in turn; what the last one was.
    fn told(records: impl IntoIterator<Item = Option<Record>>) -> Result<Step, String> {
        let mut history = History::default();
        let mut last = Ok(Step::Removed);
        for record in records {
            last = history.see("a", record, Sight::Whole);
        }
        last
    }

    fn drained(generation: u64) -> Option<Record> {
        Some(record(
            Place::InFlight,
            generation,
            &format!("n{generation}"),
        ))
    }

    fn accepted(generation: u64) -> Option<Record> {
        Some(Record {
            settled_ms: 5 + generation as i64,
            ..record(Place::Slot, generation, "-")
        })
    }

    #[test]
    fn a_cycle_is_drained_and_accepted_in_turn() {
        assert_eq!(told([accepted(0)]), Ok(Step::Appeared));
        let drain = Step::Drained { due_ms: 1_000 };
        assert_eq!(told([accepted(0), drained(1)]), Ok(drain.clone()));
        assert_eq!(told([drained(1), accepted(1)]), Ok(Step::Accepted));
        // Reaped: the token stays valid until the next drain.
        let reaped = Some(record(Place::Slot, 1, "n1"));
        assert_eq!(told([drained(1), reaped.clone()]), Ok(Step::Edited));
        assert_eq!(told([reaped, drained(2)]), Ok(drain.clone()));
        let postponed = Some(record(Place::Later, 1, "-"));
        assert_eq!(told([drained(1), postponed.clone()]), Ok(Step::Postponed));
        assert_eq!(told([postponed, drained(2)]), Ok(drain));
    }

    #[test]
    fn a_token_accepted_twice_is_told() {
        let again = Record {
            settled_ms: 9,
            ..record(Place::Slot, 1, "-")
        };
        let told = told([drained(1), accepted(1), Some(again)]);
        assert!(told.unwrap_err().contains("accepted twice"));
    }

    #[test]
    fn what_goes_back_or_jumps_is_told() {
        for (states, what) in [
            ([drained(2), drained(1)], "generation 1 follows 2"),
            ([drained(1), drained(3)], "generation 3 follows 1"),
            ([accepted(1), drained(1)], "valid again"),
            ([accepted(1), accepted(2)], "without a dispatch"),
            (
                [drained(1), Some(record(Place::InFlight, 1, "other"))],
                "changes from n1 to other",
            ),
            (
                [drained(1), Some(record(Place::InFlight, 2, "n1"))],
                "has the token of 1",
            ),
        ] {
            assert!(told(states).unwrap_err().contains(what), "{what}");
        }
    }

    #[test]
    fn a_life_that_is_over_does_not_come_back() {
        let other = Record {
            incarnation: "two".to_owned(),
            ..record(Place::Slot, 0, "-")
        };
        let replaced = [drained(1), Some(other.clone())];
        assert_eq!(told(replaced), Ok(Step::Replaced));
        let restored = [drained(1), Some(other), accepted(1)];
        assert!(told(restored).unwrap_err().contains("is over"));
        assert!(
            told([drained(1), None, accepted(1)])
                .unwrap_err()
                .contains("is over")
        );
    }

    #[test]
    fn writes_that_may_have_been_missed_excuse_a_jump_only_ahead() {
        let mut history = History::default();
        let first = history.see("a", drained(1), Sight::Whole);
        assert_eq!(first, Ok(Step::Unseen { dispatches: 1 }));
        let jumped = history.see("a", drained(5), Sight::Patchy);
        assert_eq!(jumped, Ok(Step::Unseen { dispatches: 4 }));
        assert!(history.see("a", drained(4), Sight::Patchy).is_err());
    }
}
