//! The store in memory: a whole product for one process, for demos, tests and simulations, and the
//! reference that other stores are compared with. Nothing survives the process.

mod cycle;
mod state;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use polling_model::{EncodedContext, Generator, Incarnation, JobId, Nonce, SlotRing};

use self::state::State;
use super::{
    Burst, Candidates, ClaimedNote, Counts, DrainRequest, Drained, Edited, Hold, JobRecord,
    JobState, ListCursor, Listed, MAX_BURSTS, MAX_CHUNK, MAX_PAGE, MAX_UNDECODABLE, NewJob, Place,
    Postponed, Registered, Settlement, SlotStore, StoreError, SweepCursor, Swept, Undecodable,
    Update, Verdict, new_revision,
};

/// A [`SlotStore`] in memory.
pub struct MemoryStore {
    ring: SlotRing,
    state: Mutex<State>,
    /// Not part of a snapshot: what is drawn after going back was never drawn before.
    revisions: Generator,
}

impl MemoryStore {
    /// An empty store whose cursor stands at `now_ms`, UTC milliseconds.
    #[must_use]
    pub fn new(ring: SlotRing, now_ms: i64) -> Self {
        Self {
            ring,
            state: Mutex::new(State::new(ring, now_ms)),
            revisions: Generator::from_seed(0),
        }
    }

    /// Where revisions come from: one number each edit. A fixed seed unless told otherwise, which
    /// is enough for a store that ends with its process.
    #[must_use]
    pub fn generator(mut self, generator: Generator) -> Self {
        self.revisions = generator;
        self
    }

    /// All that the store holds now.
    #[must_use]
    pub fn snapshot(&self) -> MemorySnapshot {
        MemorySnapshot(self.state().clone())
    }

    /// Returns to a snapshot: what was written since is lost, as when another kind of store fails
    /// over to a replica that lagged.
    pub fn restore(&self, snapshot: &MemorySnapshot) {
        *self.state() = snapshot.0.clone();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No step panics half-way: each works on a consistent state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Edits a job under a fresh revision.
    fn edit(&self, id: &JobId, enter: impl FnOnce(&mut State, JobRecord) -> Edited) -> Edited {
        let revision = new_revision(&self.revisions);
        edit(&mut self.state(), id, revision, enter)
    }
}

/// What a [`MemoryStore`] held at one moment.
pub struct MemorySnapshot(State);

impl fmt::Debug for MemorySnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySnapshot")
            .field("jobs", &self.0.records.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("ring", &self.ring)
            .finish_non_exhaustive()
    }
}

/// Takes a job out of its place, lets `enter` place it again, and names the edit if it is one.
fn edit(
    state: &mut State,
    id: &JobId,
    revision: u64,
    enter: impl FnOnce(&mut State, JobRecord) -> Edited,
) -> Edited {
    let Some(record) = state.leave(id) else {
        return Edited::Unknown;
    };
    let edited = enter(state, record);
    if let (Edited::Done, Some(record)) = (edited, state.records.get_mut(id)) {
        record.state.revision = revision;
    }
    edited
}

/// Holds a job that is not held yet.
fn hold(state: &mut State, mut record: JobRecord, hold: Hold, reason: &str) -> Edited {
    if matches!(record.state.place, Place::Held(_)) {
        reenter(state, record);
        return Edited::Unchanged;
    }
    record.state.because(None, reason);
    state.enter_held(record, hold);
    Edited::Done
}

/// Returns a record to where it was, whatever was changed in it.
fn reenter(state: &mut State, record: JobRecord) {
    let (place, due_ms) = (record.state.place, record.state.due_ms);
    state.enter(record, place, due_ms);
}

fn register(state: &mut State, job: NewJob, now_ms: i64) -> Registered {
    if state.records.contains_key(&job.id) {
        return Registered::Existing;
    }
    let due_ms = state.emptier(job.due);
    let mut record = JobRecord {
        id: job.id,
        context: job.context,
        state: JobState {
            job_type: job.job_type,
            account: job.account,
            level: job.level,
            cushion: job.cushion,
            pace: None,
            incarnation: job.incarnation,
            generation: 0,
            nonce: None,
            revision: 0,
            place: Place::Slot,
            due_ms,
            attempts: 0,
            strikes: 0,
            run_now: false,
            settled_ms: 0,
            scopes: Vec::new(),
            activity: None,
            reasons: Vec::new(),
        },
    };
    record.state.because(Some(now_ms), "registered");
    state.enter_due(record, due_ms);
    Registered::Created
}

#[async_trait]
impl SlotStore for MemoryStore {
    fn ring(&self) -> SlotRing {
        self.ring
    }

    async fn register(
        &self,
        jobs: Vec<NewJob>,
        now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        let mut state = self.state();
        Ok(jobs
            .into_iter()
            .map(|job| register(&mut state, job, now_ms))
            .collect())
    }

    async fn remove(&self, id: &JobId) -> Result<Edited, StoreError> {
        Ok(self
            .state()
            .leave(id)
            .map_or(Edited::Unknown, |_| Edited::Done))
    }

    async fn update(&self, id: &JobId, update: Update) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, mut record| {
            if let Some(level) = update.level {
                record.state.level = level;
            }
            if let Some(cushion) = update.cushion {
                record.state.cushion = cushion;
            }
            if let Some(pace) = update.pace {
                record.state.pace = pace;
            }
            match record.state.place {
                Place::Slot | Place::Later => {
                    record
                        .state
                        .because(None, "its level, cushion or pace was changed");
                    state.enter_edited(record, update.due);
                }
                Place::InFlight { .. } | Place::Held(_) => reenter(state, record),
            }
            Edited::Done
        }))
    }

    async fn replace_context(
        &self,
        id: &JobId,
        context: EncodedContext,
        incarnation: Incarnation,
        due: Candidates,
    ) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, mut record| {
            record.context = context;
            record.state = JobState {
                incarnation,
                generation: 0,
                nonce: None,
                attempts: 0,
                strikes: 0,
                run_now: false,
                ..record.state
            };
            if matches!(record.state.place, Place::Held(_)) {
                reenter(state, record);
            } else {
                record.state.because(None, "context replaced");
                state.enter_edited(record, due);
            }
            Edited::Done
        }))
    }

    async fn hold(&self, id: &JobId, kind: Hold, reason: &str) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, record| hold(state, record, kind, reason)))
    }

    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Result<(), StoreError> {
        let revision = new_revision(&self.revisions);
        let mut state = self.state();
        for (id, nonce) in jobs {
            let holds_it = |record: &JobRecord| {
                record.state.nonce == Some(*nonce)
                    && matches!(record.state.place, Place::InFlight { .. })
            };
            if state.records.get(id).is_some_and(holds_it) {
                edit(&mut state, id, revision, |state, record| {
                    hold(state, record, Hold::Refused, reason)
                });
            }
        }
        Ok(())
    }

    async fn resume(&self, id: &JobId, due: Candidates) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, mut record| {
            if !matches!(record.state.place, Place::Held(_)) {
                reenter(state, record);
                return Edited::Unchanged;
            }
            record.state.strikes = 0;
            record.state.because(None, "resumed");
            let due_ms = state.emptier(due);
            state.enter_due(record, due_ms);
            Edited::Done
        }))
    }

    async fn run_now(&self, id: &JobId) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, mut record| {
            if matches!(record.state.place, Place::InFlight { .. }) {
                record.state.run_now = true;
                reenter(state, record);
            } else {
                if matches!(record.state.place, Place::Held(_)) {
                    record.state.strikes = 0;
                }
                record.state.because(None, "run now");
                state.enter_now(record);
            }
            Edited::Done
        }))
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        Ok(self.state().records.get(id).cloned())
    }

    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        let after = from.map(|from| {
            JobId::new(from.0.as_str()).map_err(|_| StoreError::Cursor(from.0.clone()))
        });
        let limit = limit.min(MAX_PAGE);
        let records = self.state().page(after.transpose()?.as_ref(), limit);
        let last = records.last().filter(|_| records.len() == limit);
        let next = last.map(|record| ListCursor(record.id.to_string()));
        Ok(Listed { records, next })
    }

    async fn drain(&self, request: DrainRequest) -> Result<Drained, StoreError> {
        Ok(self.state().drain(&request))
    }

    async fn sent(&self, note: Nonce, jobs: &[JobId]) -> Result<(), StoreError> {
        let mut state = self.state();
        let Some(open) = state.notes.get_mut(&note) else {
            return Ok(());
        };
        for id in jobs {
            open.jobs.remove(id);
        }
        if open.jobs.is_empty() {
            state.notes.remove(&note);
        }
        Ok(())
    }

    async fn claim_note(
        &self,
        now_ms: i64,
        new_deadline_ms: i64,
    ) -> Result<Option<ClaimedNote>, StoreError> {
        let mut state = self.state();
        let overdue = state
            .notes
            .iter_mut()
            .filter(|(_, note)| note.deadline_ms <= now_ms);
        let Some((nonce, note)) = overdue.min_by_key(|(nonce, note)| (note.deadline_ms, **nonce))
        else {
            return Ok(None);
        };
        note.deadline_ms = new_deadline_ms;
        let (nonce, note) = (*nonce, note.clone());
        let jobs = state.noted(nonce, &note);
        if jobs.is_empty() {
            state.notes.remove(&nonce);
        }
        Ok(Some(ClaimedNote { nonce, jobs }))
    }

    async fn postpone(&self, jobs: Vec<Postponed>, now_ms: i64) -> Result<usize, StoreError> {
        let mut state = self.state();
        let placed = jobs.iter().filter(|one| state.postpone(one, now_ms));
        Ok(placed.count())
    }

    async fn load(&self, ids: &[JobId]) -> Result<Vec<Option<JobState>>, StoreError> {
        let state = self.state();
        let of = |id: &JobId| state.records.get(id).map(|record| record.state.clone());
        Ok(ids.iter().map(of).collect())
    }

    async fn settle(
        &self,
        settlements: Vec<Settlement>,
        now_ms: i64,
    ) -> Result<Vec<Verdict>, StoreError> {
        let mut state = self.state();
        Ok(settlements
            .into_iter()
            .map(|one| state.settle(one, now_ms))
            .collect())
    }

    async fn reap(&self, deadline_ms: i64, limit: usize, now_ms: i64) -> Result<usize, StoreError> {
        Ok(self.state().reap(deadline_ms, limit.min(MAX_CHUNK), now_ms))
    }

    // Record and index change under one lock, so there is nothing to mend unless a step has a bug.
    async fn sweep(&self, from: Option<SweepCursor>, limit: usize) -> Result<Swept, StoreError> {
        let after = from.and_then(|cursor| JobId::new(cursor.0).ok());
        let mut state = self.state();
        let page = state.page(after.as_ref(), limit.min(MAX_PAGE));
        let lost: Vec<_> = page
            .iter()
            .filter_map(|seen| state.records.get(&seen.id))
            .cloned()
            .collect();
        let lost: Vec<_> = lost
            .into_iter()
            .filter(|record| !state.is_indexed(record))
            .collect();
        let repaired = lost.len();
        for record in lost {
            reenter(&mut state, record);
        }
        let next = page.last().filter(|_| page.len() == limit.min(MAX_PAGE));
        let next = next.map(|record| SweepCursor(record.id.to_string()));
        Ok(Swept {
            next,
            seen: page.len(),
            repaired,
        })
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let state = self.state();
        Ok(Counts {
            registered: state.records.len() as u64,
            slots: state.slots.iter().map(|slot| slot.len() as u64).sum(),
            in_flight: state.in_flight.len() as u64,
            later: state.later.len() as u64,
            held: state.held.len() as u64,
            open_notes: state.notes.len() as u64,
            cursor: state.cursor.0,
        })
    }

    async fn keep_undecodable(&self, message: Undecodable) -> Result<(), StoreError> {
        let mut state = self.state();
        if state
            .undecodable
            .iter()
            .any(|kept| kept.message_id == message.message_id)
        {
            return Ok(());
        }
        state.undecodable.push_front(message);
        state.undecodable.truncate(MAX_UNDECODABLE);
        Ok(())
    }

    async fn undecodable(&self, limit: usize) -> Result<Vec<Undecodable>, StoreError> {
        Ok(self
            .state()
            .undecodable
            .iter()
            .take(limit)
            .cloned()
            .collect())
    }

    async fn note_bursts(&self, bursts: Vec<Burst>) -> Result<(), StoreError> {
        let mut state = self.state();
        for burst in bursts {
            state.bursts.push_front(burst);
        }
        state.bursts.truncate(MAX_BURSTS);
        Ok(())
    }

    async fn bursts(&self, limit: usize) -> Result<Vec<Burst>, StoreError> {
        Ok(self.state().bursts.iter().take(limit).cloned().collect())
    }
}
