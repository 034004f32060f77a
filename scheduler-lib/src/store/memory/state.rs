//! Records and the indexes of their places, changed together.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use polling_model::{AbsoluteSlot, JobId, Nonce, SlotRing, slot::RingPlace};

use crate::{
    policy::lot,
    store::{Burst, Candidates, Hold, JobRecord, Place, Undecodable},
};

/// A chunk whose sending is not known to have ended.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) deadline_ms: i64,
    pub(super) jobs: BTreeSet<JobId>,
}

/// All that the store holds. Cloning it takes a snapshot.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) ring: SlotRing,
    pub(super) cursor: AbsoluteSlot,
    pub(super) records: BTreeMap<JobId, JobRecord>,
    pub(super) slots: Vec<BTreeSet<(u64, JobId)>>,
    pub(super) in_flight: BTreeSet<(i64, JobId)>,
    pub(super) later: BTreeSet<(i64, JobId)>,
    pub(super) held: BTreeSet<JobId>,
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
            records: BTreeMap::new(),
            slots: vec![BTreeSet::new(); polling_model::caps::SLOTS as usize],
            in_flight: BTreeSet::new(),
            later: BTreeSet::new(),
            held: BTreeSet::new(),
            notes: BTreeMap::new(),
            undecodable: VecDeque::new(),
            bursts: VecDeque::new(),
        }
    }

    /// The jobs of a slot in the order in which they are drained: by lot, another in each slot. In
    /// the order of their ids the last would starve behind a limit that suffices for the first.
    pub(super) fn slot(&mut self, slot: AbsoluteSlot) -> &mut BTreeSet<(u64, JobId)> {
        &mut self.slots[slot.index() as usize]
    }

    /// The slot of a job due at that time, and its place there.
    fn drawn(&self, due_ms: i64, id: &JobId) -> (AbsoluteSlot, (u64, JobId)) {
        let slot = self.ring.slot_of(due_ms);
        (slot, (lot(id, slot.0.unsigned_abs()), id.clone()))
    }

    /// Enters a record without a place into the registry and into the index of `place`.
    pub(super) fn enter(&mut self, mut record: JobRecord, place: Place, due_ms: i64) {
        let id = record.id.clone();
        match place {
            Place::Slot => {
                let (slot, drawn) = self.drawn(due_ms, &id);
                self.slot(slot).insert(drawn)
            }
            Place::InFlight { deadline_ms } => self.in_flight.insert((deadline_ms, id.clone())),
            Place::Later => self.later.insert((due_ms, id.clone())),
            Place::Held(_) => self.held.insert(id.clone()),
        };
        record.state.place = place;
        record.state.due_ms = due_ms;
        self.records.insert(id, record);
    }

    /// Takes a record out of the registry and of the index of its place.
    pub(super) fn leave(&mut self, id: &JobId) -> Option<JobRecord> {
        let record = self.records.remove(id)?;
        let due_ms = record.state.due_ms;
        match record.state.place {
            Place::Slot => {
                let (slot, drawn) = self.drawn(due_ms, id);
                self.slot(slot).remove(&drawn)
            }
            Place::InFlight { deadline_ms } => self.in_flight.remove(&(deadline_ms, id.clone())),
            Place::Later => self.later.remove(&(due_ms, id.clone())),
            Place::Held(_) => self.held.remove(id),
        };
        Some(record)
    }

    /// Enters a record where a job due at `due_ms` belongs.
    pub(super) fn enter_due(&mut self, record: JobRecord, due_ms: i64) {
        match self.ring.place(due_ms, self.cursor) {
            RingPlace::Slot { due_ms, .. } => self.enter(record, Place::Slot, due_ms),
            RingPlace::Later { due_ms } => self.enter(record, Place::Later, due_ms),
        }
    }

    /// Enters an edited record. One that waits comes no later than it was to: edits that keep
    /// coming would postpone it for ever.
    pub(super) fn enter_edited(&mut self, record: JobRecord, due: Candidates) {
        let new_ms = match self.ring.place(self.emptier(due), self.cursor) {
            RingPlace::Slot { due_ms, .. } | RingPlace::Later { due_ms } => due_ms,
        };
        let (place, due_ms) = (record.state.place, record.state.due_ms);
        if matches!(place, Place::Slot | Place::Later) && due_ms <= new_ms {
            self.enter(record, place, due_ms);
        } else {
            self.enter_due(record, new_ms);
        }
    }

    /// Enters a record into the slot that is drained now.
    pub(super) fn enter_now(&mut self, record: JobRecord) {
        let due_ms = self.ring.start_ms(self.cursor);
        self.enter(record, Place::Slot, due_ms);
    }

    pub(super) fn enter_held(&mut self, record: JobRecord, hold: Hold) {
        let due_ms = record.state.due_ms;
        self.enter(record, Place::Held(hold), due_ms);
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

    /// Records by id, from the first after `after`.
    pub(super) fn page(&self, after: Option<&JobId>, limit: usize) -> Vec<JobRecord> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = after.map_or(Unbounded, |id| Excluded(id.clone()));
        let range = self.records.range((after, Unbounded)).take(limit);
        range.map(|(_, record)| record.clone()).collect()
    }

    /// Whether the index of a record's place holds it.
    pub(super) fn is_indexed(&self, record: &JobRecord) -> bool {
        let due_ms = record.state.due_ms;
        match record.state.place {
            Place::Slot => {
                let (slot, drawn) = self.drawn(due_ms, &record.id);
                self.slots[slot.index() as usize].contains(&drawn)
            }
            Place::InFlight { deadline_ms } => {
                self.in_flight.contains(&(deadline_ms, record.id.clone()))
            }
            Place::Later => self.later.contains(&(due_ms, record.id.clone())),
            Place::Held(_) => self.held.contains(&record.id),
        }
    }
}
