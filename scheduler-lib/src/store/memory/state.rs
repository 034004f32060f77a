//! Records and the lists of their places, changed together.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{BuildHasher, RandomState},
};

use hashbrown::HashTable;
use polling_model::{AbsoluteSlot, JobId, Nonce, SlotRing, caps::SLOTS, slot::RingPlace};
use slab::Slab;

use super::list::List;
use crate::store::{Burst, Candidates, Counts, Hold, JobRecord, JobState, Place, Undecodable};

/// A chunk whose sending is not known to have ended.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) deadline_ms: i64,
    pub(super) jobs: Vec<JobId>,
}

/// Where a record lies as long as its job is registered. Lists name jobs by it: a record is never
/// moved, and no step compares ids but the one that finds the job.
pub(super) type At = usize;

/// A record, and where the list of its place has it.
#[derive(Debug, Clone)]
struct Kept {
    record: JobRecord,
    position: i64,
}

/// All that the store holds. Cloning it takes a snapshot.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) ring: SlotRing,
    pub(super) cursor: AbsoluteSlot,
    records: Slab<Kept>,
    /// By the hash of the id, which is in the record.
    ids: HashTable<At>,
    hasher: RandomState,
    slots: Vec<List>,
    /// How many jobs the cursor's slot had when the cursor came.
    pub(super) slot_jobs: usize,
    /// By the deadline, which most jobs of one drain share.
    in_flight: BTreeMap<i64, List>,
    /// By when they are due.
    later: BTreeMap<i64, List>,
    held: List,
    pub(super) notes: BTreeMap<Nonce, Note>,
    pub(super) undecodable: VecDeque<Undecodable>,
    /// Why nothing is drained.
    pub(super) stopped: Option<String>,
    /// Newest first.
    pub(super) bursts: VecDeque<Burst>,
}

impl State {
    pub(super) fn new(ring: SlotRing, now_ms: i64) -> Self {
        Self {
            ring,
            cursor: ring.current(now_ms),
            records: Slab::new(),
            ids: HashTable::new(),
            hasher: RandomState::new(),
            slots: vec![List::default(); SLOTS as usize],
            slot_jobs: 0,
            in_flight: BTreeMap::new(),
            later: BTreeMap::new(),
            held: List::default(),
            notes: BTreeMap::new(),
            undecodable: VecDeque::new(),
            stopped: None,
            bursts: VecDeque::new(),
        }
    }

    pub(super) fn find(&self, id: &JobId) -> Option<At> {
        let is_it = |&at: &At| self.records[at].record.id == *id;
        self.ids.find(self.hasher.hash_one(id), is_it).copied()
    }

    pub(super) fn record(&self, id: &JobId) -> Option<&JobRecord> {
        self.find(id).map(|at| &self.records[at].record)
    }

    pub(super) fn record_at(&self, at: At) -> &JobRecord {
        &self.records[at].record
    }

    pub(super) fn record_mut(&mut self, at: At) -> &mut JobRecord {
        &mut self.records[at].record
    }

    pub(super) fn state(&mut self, at: At) -> &mut JobState {
        &mut self.record_mut(at).state
    }

    /// Adds a record that is in no place yet.
    pub(super) fn add(&mut self, record: JobRecord) -> At {
        let hash = self.hasher.hash_one(&record.id);
        let position = 0;
        let at = self.records.insert(Kept { record, position });
        let hash_of = |&at: &At| self.hasher.hash_one(&self.records[at].record.id);
        self.ids.insert_unique(hash, at, hash_of);
        at
    }

    /// Removes a record that has [left](Self::leave) its place.
    pub(super) fn remove(&mut self, at: At) {
        let kept = self.records.remove(at);
        let hash = self.hasher.hash_one(&kept.record.id);
        if let Ok(entry) = self.ids.find_entry(hash, |&one| one == at) {
            entry.remove();
        }
    }

    /// The jobs of a slot in the order in which they are drained: a job keeps its time within it.
    pub(super) fn slot(&self, slot: AbsoluteSlot) -> &List {
        &self.slots[slot.index() as usize]
    }

    /// Moves the cursor on by one slot, and into the ring what comes within its reach.
    pub(super) fn advance(&mut self) {
        // Its memory goes to the slots that are filled now.
        self.slots[self.cursor.index() as usize] = List::default();
        self.cursor = self.cursor.plus(1);
        let last = self.cursor.plus(SLOTS - 1);
        while let Some((&due_ms, jobs)) = self.later.first_key_value() {
            let Some(at) = jobs.front().filter(|_| self.ring.slot_of(due_ms) <= last) else {
                break;
            };
            self.leave(at);
            self.enter_due(at, due_ms);
        }
        self.slot_jobs = self.slot(self.cursor).len();
    }

    /// The job in flight with the earliest deadline, if that is not after `until_ms`.
    pub(super) fn overdue(&self, until_ms: i64) -> Option<At> {
        let (&deadline_ms, jobs) = self.in_flight.first_key_value()?;
        jobs.front().filter(|_| deadline_ms <= until_ms)
    }

    /// The list of a place. It is there once a job has entered it.
    fn list(&self, place: Place, due_ms: i64) -> Option<&List> {
        match place {
            Place::Slot => Some(self.slot(self.ring.slot_of(due_ms))),
            Place::InFlight { deadline_ms } => self.in_flight.get(&deadline_ms),
            Place::Later => self.later.get(&due_ms),
            Place::Held(_) => Some(&self.held),
        }
    }

    /// Enters a record that is in no place into the list of `place`: at its end, so that a job keeps
    /// its time within a slot; into that of the slot which is drained now in front.
    pub(super) fn enter(&mut self, at: At, place: Place, due_ms: i64) {
        let position = match place {
            Place::Slot => {
                let slot = self.ring.slot_of(due_ms);
                let jobs = &mut self.slots[slot.index() as usize];
                match slot == self.cursor {
                    true => jobs.push_front(at),
                    false => jobs.push_back(at),
                }
            }
            Place::InFlight { deadline_ms } => {
                self.in_flight.entry(deadline_ms).or_default().push_back(at)
            }
            Place::Later => self.later.entry(due_ms).or_default().push_back(at),
            Place::Held(_) => self.held.push_back(at),
        };
        let kept = &mut self.records[at];
        kept.position = position;
        (kept.record.state.place, kept.record.state.due_ms) = (place, due_ms);
    }

    /// Takes a record out of the list of its place. It must enter another, or be removed.
    pub(super) fn leave(&mut self, at: At) {
        let Kept { record, position } = &self.records[at];
        let (position, place, due_ms) = (*position, record.state.place, record.state.due_ms);
        let moved = match place {
            Place::Slot => {
                let slot = self.ring.slot_of(due_ms).index();
                self.slots[slot as usize].remove(at, position)
            }
            Place::InFlight { deadline_ms } => {
                remove_by(&mut self.in_flight, deadline_ms, at, position)
            }
            Place::Later => remove_by(&mut self.later, due_ms, at, position),
            Place::Held(_) => self.held.remove(at, position),
        };
        if let Some(moved) = moved {
            self.records[moved].position = position;
        }
    }

    /// Enters a record where it was when it left.
    pub(super) fn reenter(&mut self, at: At) {
        let (place, due_ms) = (self.state(at).place, self.state(at).due_ms);
        self.enter(at, place, due_ms);
    }

    /// Enters a record where a job due at `due_ms` belongs.
    pub(super) fn enter_due(&mut self, at: At, due_ms: i64) {
        match self.ring.place(due_ms, self.cursor) {
            RingPlace::Slot { due_ms, .. } => self.enter(at, Place::Slot, due_ms),
            RingPlace::Later { due_ms } => self.enter(at, Place::Later, due_ms),
        }
    }

    /// Lets a record that has entered a slot be the first of it.
    pub(super) fn bring_forward(&mut self, at: At) {
        let state = &self.records[at].record.state;
        if state.place == Place::Slot {
            let slot = self.ring.slot_of(state.due_ms).index() as usize;
            self.leave(at);
            self.records[at].position = self.slots[slot].push_front(at);
        }
    }

    /// Enters an edited record. One that waits comes no later than it was to: edits that keep
    /// coming would postpone it for ever.
    pub(super) fn enter_edited(&mut self, at: At, due: Candidates) {
        let new_ms = match self.ring.place(self.emptier(due), self.cursor) {
            RingPlace::Slot { due_ms, .. } | RingPlace::Later { due_ms } => due_ms,
        };
        let (place, due_ms) = (self.state(at).place, self.state(at).due_ms);
        if matches!(place, Place::Slot | Place::Later) && due_ms <= new_ms {
            self.enter(at, place, due_ms);
        } else {
            self.enter_due(at, new_ms);
        }
    }

    /// Enters a record into the slot that is drained now, in front.
    pub(super) fn enter_now(&mut self, at: At) {
        self.enter(at, Place::Slot, self.ring.start_ms(self.cursor));
    }

    pub(super) fn enter_held(&mut self, at: At, hold: Hold) {
        let due_ms = self.state(at).due_ms;
        self.enter(at, Place::Held(hold), due_ms);
    }

    /// Of two times to be due the one whose slot is emptier.
    pub(super) fn emptier(&self, [first, second]: Candidates) -> i64 {
        let jobs_at = |due_ms| match self.ring.place(due_ms, self.cursor) {
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
        let all = (from..self.records.capacity())
            .filter_map(|at| Some((at, &self.records.get(at)?.record)));
        all.take(limit)
    }

    /// Whether the list of a record's place has it.
    pub(super) fn is_listed(&self, at: At) -> bool {
        let Kept { record, position } = &self.records[at];
        let list = self.list(record.state.place, record.state.due_ms);
        list.is_some_and(|jobs| jobs.has(at, *position))
    }

    pub(super) fn counts(&self) -> Counts {
        let jobs =
            |lists: &BTreeMap<i64, List>| lists.values().map(List::len).sum::<usize>() as u64;
        Counts {
            registered: self.records.len() as u64,
            slots: self.slots.iter().map(|slot| slot.len() as u64).sum(),
            in_flight: jobs(&self.in_flight),
            later: jobs(&self.later),
            held: self.held.len() as u64,
            open_notes: self.notes.len() as u64,
            cursor: self.cursor.0,
        }
    }
}

/// Removes a job from the list at `key`, and the list with its last job.
fn remove_by(lists: &mut BTreeMap<i64, List>, key: i64, at: At, position: i64) -> Option<At> {
    let list = lists.get_mut(&key)?;
    let moved = list.remove(at, position);
    if list.is_empty() {
        lists.remove(&key);
    }
    moved
}
