//! The oracles that watch while a run goes on: conservation several times a second, and every write
//! of a record as it happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::Client;
use tokio::{sync::mpsc, task::JoinSet, time::interval};

use super::{
    history::{History, Sight, Step},
    places::{Look, Places},
    record::{Place, Record},
    tap::{self, Tapped},
};
use crate::clock::now_ms;

/// Between two looks at all places.
const LOOK: Duration = Duration::from_millis(300);

/// Writes between the tap and the history.
const BUFFER: usize = 4_096;

/// Violations kept; the rest is counted.
const MAX_VIOLATIONS: usize = 50;

/// Watches one store until dropped.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
    _tasks: JoinSet<()>,
}

/// A handle to what a watch sees.
#[derive(Debug, Clone)]
pub struct Sightings(Arc<Mutex<Seen>>);

/// How much was seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Looks at all places.
    pub looks: u64,
    /// Looks that Redis did not answer.
    pub blind_looks: u64,
    /// Writes of records.
    pub writes: u64,
    /// Tokens given.
    pub dispatched: u64,
    /// Tokens accepted.
    pub accepted: u64,
    /// Jobs reaped.
    pub reaped: u64,
    /// Times that Redis was lost from sight.
    pub reconnects: u64,
    /// How much later than it happened a write was seen, at most, milliseconds: what is judged by
    /// the time of what was seen is off by as much.
    pub lag_ms: i64,
    /// What must not be.
    pub violations: u64,
}

/// A job that was dispatched.
#[derive(Debug, Clone)]
pub struct Dispatched {
    /// Which.
    pub id: String,
    /// By Redis's clock, UTC milliseconds.
    pub at_ms: i64,
    /// When it was due, UTC milliseconds.
    pub due_ms: i64,
}

#[derive(Debug, Default)]
struct Seen {
    history: History,
    counts: Counts,
    violations: Vec<String>,
    look: Look,
    dispatched: Vec<Dispatched>,
    accepted_ms: BTreeMap<String, i64>,
    quarantined: BTreeSet<String>,
    struck: BTreeMap<String, u64>,
    /// Jobs whose writes were all seen since the tap connected.
    followed: BTreeSet<String>,
    /// The store goes back to an earlier state before the tap connects again.
    goes_back: bool,
    /// Jobs that are registered for good.
    permanent: BTreeSet<String>,
}

impl Watch {
    /// Watches the store whose keys begin with `prefix`, at the server's own address.
    ///
    /// # Errors
    ///
    /// When the address is none.
    pub fn start(url: &str, prefix: &str) -> anyhow::Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut tasks = JoinSet::new();
        let (sender, receiver) = mpsc::channel(BUFFER);
        tasks.spawn(tap::follow(Client::open(url)?, prefix.to_owned(), sender));
        tasks.spawn(take_in(Arc::clone(&seen), receiver));
        let places = Places::new(url, prefix.to_owned())?;
        tasks.spawn(look_around(Arc::clone(&seen), places));
        Ok(Self {
            seen,
            _tasks: tasks,
        })
    }

    /// A handle that outlives the watch.
    #[must_use]
    pub fn sightings(&self) -> Sightings {
        Sightings(Arc::clone(&self.seen))
    }
}

async fn take_in(seen: Arc<Mutex<Seen>>, mut tapped: mpsc::Receiver<Tapped>) {
    while let Some(tapped) = tapped.recv().await {
        let mut seen = lock(&seen);
        match tapped {
            Tapped::Connected => seen.connected(),
            Tapped::Write { at_ms, id, record } => seen.write(at_ms, &id, record),
            Tapped::Unreadable(what) => seen.violation(format!("unreadable: {what}")),
        }
    }
}

async fn look_around(seen: Arc<Mutex<Seen>>, mut places: Places) {
    let mut ticks = interval(LOOK);
    loop {
        ticks.tick().await;
        let looked = places.look().await;
        let mut seen = lock(&seen);
        match looked {
            Ok(look) => seen.look(look),
            Err(_) => seen.counts.blind_looks += 1,
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    fn connected(&mut self) {
        self.followed.clear();
        self.counts.reconnects += 1;
        if std::mem::take(&mut self.goes_back) {
            self.history.begin_anew();
        }
    }

    fn write(&mut self, at_ms: i64, id: &str, record: Option<Record>) {
        self.counts.writes += 1;
        self.counts.lag_ms = self.counts.lag_ms.max(now_ms() - at_ms);
        let sight = match self.followed.insert(id.to_owned()) {
            true => Sight::Patchy,
            false => Sight::Whole,
        };
        let strikes = |record: Option<&Record>| record.map_or(0, |record| record.strikes);
        let before = strikes(self.history.record(id));
        let after = strikes(record.as_ref());
        if after > before {
            *self.struck.entry(id.to_owned()).or_default() += after - before;
        }
        if let Some(record) = &record {
            self.counts.reaped += u64::from(is_reaped(record));
            if record.place == Place::Quarantined {
                self.quarantined.insert(id.to_owned());
            }
        }
        match self.history.see(id, record, sight) {
            Err(what) => self.violation(what),
            Ok(Step::Drained { due_ms }) => {
                self.counts.dispatched += 1;
                let id = id.to_owned();
                self.dispatched.push(Dispatched { id, at_ms, due_ms });
            }
            Ok(Step::Accepted) => {
                self.counts.accepted += 1;
                self.accepted_ms.insert(id.to_owned(), at_ms);
            }
            Ok(Step::Unseen { dispatches }) => self.counts.dispatched += dispatches,
            Ok(_) => {}
        }
    }

    fn look(&mut self, look: Look) {
        // Before the first scheduler there is no store to look at.
        if self.look.registered == 0 && look.registered == 0 {
            return;
        }
        self.counts.looks += 1;
        for what in &look.violations {
            self.violation(what.clone());
        }
        let ids = look.ids();
        let gone = self
            .permanent
            .iter()
            .filter(|id| !ids.contains(id.as_str()));
        for id in gone.cloned().collect::<Vec<_>>() {
            self.violation(format!("{id} is lost: no longer registered"));
            self.permanent.remove(&id);
        }
        self.look = look;
    }

    fn violation(&mut self, what: String) {
        self.counts.violations += 1;
        // A job that stays lost is told once.
        if self.violations.len() < MAX_VIOLATIONS && !self.violations.contains(&what) {
            self.violations.push(what);
        }
    }
}

/// The reaper says so in the record that it writes.
fn is_reaped(record: &Record) -> bool {
    record.place == Place::Slot && record.reason.starts_with("no answer came in time")
}

impl Sightings {
    /// How much was seen.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.seen().counts
    }

    /// What must not be, in words; the first of many.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.seen().violations.clone()
    }

    /// Tells of something else that must not be.
    pub fn violation(&self, what: String) {
        self.seen().violation(what);
    }

    /// The last look at all places.
    #[must_use]
    pub fn last_look(&self) -> Look {
        self.seen().look.clone()
    }

    /// All that was dispatched while every write was seen.
    #[must_use]
    pub fn dispatched(&self) -> Vec<Dispatched> {
        self.seen().dispatched.clone()
    }

    /// Jobs that were quarantined at any time.
    #[must_use]
    pub fn quarantined(&self) -> BTreeSet<String> {
        self.seen().quarantined.clone()
    }

    /// Jobs that had a dead letter that counted, and how many.
    #[must_use]
    pub fn struck(&self) -> BTreeMap<String, u64> {
        self.seen().struck.clone()
    }

    /// From now on each look must find these jobs registered.
    pub fn expect_permanent(&self, ids: impl IntoIterator<Item = String>) {
        self.seen().permanent.extend(ids);
    }

    /// The store is down, and goes back to an earlier state before it comes back: another history
    /// begins then. What is still on its way to the oracles is of the one before.
    pub fn goes_back(&self) {
        self.seen().goes_back = true;
    }

    /// Permanent jobs, held ones aside, of which no completion was accepted since then. Clients may
    /// keep the others from ever settling.
    #[must_use]
    pub fn waiting_since(&self, since_ms: i64) -> Vec<String> {
        let seen = self.seen();
        let waits = |id: &str| {
            seen.accepted_ms
                .get(id)
                .is_none_or(|at_ms| *at_ms < since_ms)
        };
        let jobs = seen.look.records.iter();
        let cycling = jobs
            .filter(|(id, _)| seen.permanent.contains(id))
            .filter(|(_, record)| !record.place.is_held());
        cycling
            .filter(|(id, _)| waits(id))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Jobs in flight whose deadline has passed by more than `grace_ms`: the reaper missed them.
    #[must_use]
    pub fn overdue(&self, grace_ms: i64) -> usize {
        let seen = self.seen();
        let late = |record: &Record| {
            record.place == Place::InFlight && record.deadline_ms + grace_ms < now_ms()
        };
        seen.look
            .records
            .iter()
            .filter(|(_, record)| late(record))
            .count()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Record {
        Record::parse(text).unwrap()
    }

    fn looked(records: &[(&str, &str)], violations: &[&str]) -> Look {
        Look {
            records: records
                .iter()
                .map(|(id, text)| ((*id).to_owned(), record(text)))
                .collect(),
            violations: violations.iter().map(|what| (*what).to_owned()).collect(),
            registered: records.len() as u64,
            ..Look::default()
        }
    }

    const IN_FLIGHT: &str = "53 f 1000 5000 1 n1 one 0 posts 1 default - - registered{}";
    const SETTLED: &str = "47 s 9000 0 1 - one 1500 posts 1 default - 1500 ok{}";
    const AGAIN: &str = "47 s 9000 0 1 - one 1600 posts 1 default - 1600 ok{}";

    #[test]
    fn a_job_lost_in_between_is_told_once() {
        let mut seen = Seen::default();
        seen.permanent.insert("a".to_owned());
        seen.look(looked(&[("a", SETTLED)], &[]));
        assert_eq!(seen.counts.violations, 0);
        seen.look(looked(&[], &["b is lost"]));
        seen.look(looked(&[], &["b is lost"]));
        assert_eq!(
            seen.violations,
            ["b is lost", "a is lost: no longer registered"]
        );
    }

    #[test]
    fn a_second_acceptance_is_told() {
        let mut seen = Seen::default();
        for text in [IN_FLIGHT, SETTLED, AGAIN] {
            seen.write(1_500, "a", Some(record(text)));
        }
        assert_eq!((seen.counts.accepted, seen.counts.violations), (1, 1));
    }

    #[test]
    fn a_new_history_begins_where_the_tap_sees_the_store_again() {
        let watch = Sightings(Arc::default());
        watch.seen().write(1_000, "a", Some(record(IN_FLIGHT)));
        watch.goes_back();
        for text in [SETTLED, AGAIN] {
            watch.seen().write(1_500, "a", Some(record(text)));
        }
        assert_eq!(watch.counts().violations, 1, "of the history before");
        watch.seen().connected();
        watch.seen().write(1_600, "a", Some(record(SETTLED)));
        assert_eq!(watch.counts().violations, 1);
    }

    #[test]
    fn a_job_waits_until_a_completion_is_accepted() {
        let watch = Sightings(Arc::default());
        watch.expect_permanent(["a".to_owned()]);
        let mut seen = watch.seen();
        seen.write(1_000, "a", Some(record(IN_FLIGHT)));
        seen.look(looked(&[("a", IN_FLIGHT)], &[]));
        drop(seen);
        assert_eq!(watch.waiting_since(1_200), ["a"]);
        assert_eq!(watch.overdue(0), 1);
        watch.seen().write(1_500, "a", Some(record(SETTLED)));
        assert!(watch.waiting_since(1_200).is_empty());
    }
}
