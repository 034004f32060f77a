//! Records and the indexes of their places, changed together.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use polling_model::{AbsoluteSlot, JobId, Nonce, SlotRing, slot::RingPlace};
use slab::Slab;

use crate::{
    policy::lot,
    store::{Burst, Candidates, Hold, JobRecord, JobState, Place, Undecodable},
};

/// A chunk whose sending is not known to have ended.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) deadline_ms: i64,
    pub(super) jobs: Vec<JobId>,
}

/// The lot of jobs that enter a slot while it is drained.
const IN_FRONT: u64 = 0;

/// Where a record lies as long as its job is registered. Indexes name jobs by it: a record is never
/// moved, and no step compares ids but the one that finds the job.
pub(super) type At = usize;

/// All that the store holds. Cloning it takes a snapshot.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) ring: SlotRing,
    pub(super) cursor: AbsoluteSlot,
    pub(super) records: Slab<JobRecord>,
    ids: HashMap<JobId, At>,
    pub(super) slots: Vec<BTreeSet<(u64, At)>>,
    /// How many jobs the cursor's slot had when the cursor came.
    pub(super) slot_jobs: usize,
    pub(super) in_flight: BTreeSet<(i64, At)>,
    pub(super) later: BTreeSet<(i64, At)>,
    pub(super) held: BTreeSet<At>,
    pub(super) notes: BTreeMap<Nonce, Note>,
    pub(super) undecodable: VecDeque<Undecodable>,
    /// Newest first.
    pub(super) bursts: VecDeque<Burst>,
}

impl State {
    pub(super) fn new(ring: SlotRing, now_ms: i64) -> Self {
        Self {
            ring,
            cursor: ring.current(now_ms),
            records: Slab::new(),
            ids: HashMap::new(),
            slots: vec![BTreeSet::new(); polling_model::caps::SLOTS as usize],
            slot_jobs: 0,
            in_flight: BTreeSet::new(),
            later: BTreeSet::new(),
            held: BTreeSet::new(),
            notes: BTreeMap::new(),
            undecodable: VecDeque::new(),
            bursts: VecDeque::new(),
        }
    }

    pub(super) fn find(&self, id: &JobId) -> Option<At> {
        self.ids.get(id).copied()
    }

    pub(super) fn record(&self, id: &JobId) -> Option<&JobRecord> {
        self.records.get(self.find(id)?)
    }

    pub(super) fn state(&mut self, at: At) -> &mut JobState {
        &mut self.records[at].state
    }

    /// Adds a record that is in no place yet.
    pub(super) fn add(&mut self, record: JobRecord) -> At {
        let id = record.id.clone();
        let at = self.records.insert(record);
        self.ids.insert(id, at);
        at
    }

    /// Removes a record that has [left](Self::leave) its place.
    pub(super) fn remove(&mut self, at: At) {
        let record = self.records.remove(at);
        self.ids.remove(&record.id);
    }

    /// The jobs of a slot in the order of a circle that is drained from its beginning by the pace, so
    /// that a job keeps its time within the minute, and else from anywhere: always from the same
    /// job on, the last would starve behind a limit that suffices for the first.
    pub(super) fn slot(&mut self, slot: AbsoluteSlot) -> &mut BTreeSet<(u64, At)> {
        &mut self.slots[slot.index() as usize]
    }

    /// The slot of a job due at that time, and its place there.
    fn drawn(&self, due_ms: i64, at: At) -> (AbsoluteSlot, (u64, At)) {
        let slot = self.ring.slot_of(due_ms);
        let lot = lot(&self.records[at].id, 0).max(IN_FRONT + 1);
        (slot, (lot, at))
    }

    /// The next job of a slot from a place in the circle on; what is in front comes first.
    pub(super) fn next(&mut self, slot: AbsoluteSlot, from: u64) -> Option<At> {
        let jobs = self.slot(slot);
        let first = jobs.first().copied()?;
        let next = match first.0 {
            IN_FRONT => first,
            _ => jobs.range((from, 0)..).next().copied().unwrap_or(first),
        };
        Some(next.1)
    }

    /// Enters a record that is in no place into the index of `place`.
    pub(super) fn enter(&mut self, at: At, place: Place, due_ms: i64) {
        match place {
            Place::Slot => {
                let (slot, drawn) = self.drawn(due_ms, at);
                self.slot(slot).insert(drawn)
            }
            Place::InFlight { deadline_ms } => self.in_flight.insert((deadline_ms, at)),
            Place::Later => self.later.insert((due_ms, at)),
            Place::Held(_) => self.held.insert(at),
        };
        let state = self.state(at);
        state.place = place;
        state.due_ms = due_ms;
    }

    /// Takes a record out of the index of its place. It must enter another, or be removed.
    pub(super) fn leave(&mut self, at: At) {
        let (place, due_ms) = (self.records[at].state.place, self.records[at].state.due_ms);
        match place {
            Place::Slot => {
                let (slot, drawn) = self.drawn(due_ms, at);
                let jobs = self.slot(slot);
                jobs.remove(&drawn) || jobs.remove(&(IN_FRONT, at))
            }
            Place::InFlight { deadline_ms } => self.in_flight.remove(&(deadline_ms, at)),
            Place::Later => self.later.remove(&(due_ms, at)),
            Place::Held(_) => self.held.remove(&at),
        };
    }

    /// Enters a record where it was when it left.
    pub(super) fn reenter(&mut self, at: At) {
        let (place, due_ms) = (self.records[at].state.place, self.records[at].state.due_ms);
        self.enter(at, place, due_ms);
    }

    /// Enters a record where a job due at `due_ms` belongs.
    pub(super) fn enter_due(&mut self, at: At, due_ms: i64) {
        match self.ring.place(due_ms, self.cursor) {
            RingPlace::Slot { due_ms, .. } => self.enter(at, Place::Slot, due_ms),
            RingPlace::Later { due_ms } => self.enter(at, Place::Later, due_ms),
        }
    }

    /// Enters an edited record. One that waits comes no later than it was to: edits that keep
    /// coming would postpone it for ever.
    pub(super) fn enter_edited(&mut self, at: At, due: Candidates) {
        let new_ms = match self.ring.place(self.emptier(due), self.cursor) {
            RingPlace::Slot { due_ms, .. } | RingPlace::Later { due_ms } => due_ms,
        };
        let (place, due_ms) = (self.records[at].state.place, self.records[at].state.due_ms);
        if matches!(place, Place::Slot | Place::Later) && due_ms <= new_ms {
            self.enter(at, place, due_ms);
        } else {
            self.enter_due(at, new_ms);
        }
    }

    /// Enters a record into the slot that is drained now, in front.
    pub(super) fn enter_now(&mut self, at: At) {
        let (cursor, due_ms) = (self.cursor, self.ring.start_ms(self.cursor));
        self.slot(cursor).insert((IN_FRONT, at));
        let state = self.state(at);
        (state.place, state.due_ms) = (Place::Slot, due_ms);
    }

    pub(super) fn enter_held(&mut self, at: At, hold: Hold) {
        let due_ms = self.records[at].state.due_ms;
        self.enter(at, Place::Held(hold), due_ms);
    }

    /// Of two times to be due the one whose slot is emptier.
    pub(super) fn emptier(&mut self, [first, second]: Candidates) -> i64 {
        let mut jobs_at = |due_ms| match self.ring.place(due_ms, self.cursor) {
            RingPlace::Slot { slot, .. } => Some(self.slot(slot).len()),
            RingPlace::Later { .. } => None,
        };
        match (jobs_at(first), jobs_at(second)) {
            (Some(at_first), Some(at_second)) if at_second < at_first => second,
            _ => first,
        }
    }

    /// Records in the order in which they lie, from `from` on.
    pub(super) fn page(&self, from: At, limit: usize) -> impl Iterator<Item = (At, &JobRecord)> {
        let all =
            (from..self.records.capacity()).filter_map(|at| Some((at, self.records.get(at)?)));
        all.take(limit)
    }

    /// Whether the index of a record's place holds it.
    pub(super) fn is_indexed(&self, at: At) -> bool {
        let state = &self.records[at].state;
        match state.place {
            Place::Slot => {
                let (slot, drawn) = self.drawn(state.due_ms, at);
                let jobs = &self.slots[slot.index() as usize];
                jobs.contains(&drawn) || jobs.contains(&(IN_FRONT, at))
            }
            Place::InFlight { deadline_ms } => self.in_flight.contains(&(deadline_ms, at)),
            Place::Later => self.later.contains(&(state.due_ms, at)),
            Place::Held(_) => self.held.contains(&at),
        }
    }
}
