//! The store in memory: a whole product for one process, for demos, tests and simulations, and the
//! reference that other stores are compared with. Nothing survives the process.

mod cycle;
mod list;
mod state;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use polling_model::{
    EncodedContext, Generator, Incarnation, JobId, JobType, Nonce, SlotRing, caps::SLOTS,
};

use self::state::{At, State};
use super::{
    Burst, Candidates, ClaimedNote, Counts, DrainRequest, Drained, Edited, Hold, ImportedJob,
    JobRecord, JobState, ListCursor, Listed, Loads, MAX_BURSTS, MAX_CHUNK, MAX_PAGE,
    MAX_UNDECODABLE, NewJob, Place, Postponed, Registered, Settlement, SlotStore, StoreError,
    SweepCursor, Swept, Undecodable, Update, Verdict, new_revision, reasons::REGISTERED,
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
    fn edit(&self, id: &JobId, enter: impl FnOnce(&mut State, At) -> Edited) -> Edited {
        let revision = new_revision(&self.revisions);
        edit(&mut self.state(), id, revision, enter)
    }
}

/// What a [`MemoryStore`] held at one moment.
pub struct MemorySnapshot(State);

impl fmt::Debug for MemorySnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySnapshot")
            .field("jobs", &self.0.counts().registered)
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
    enter: impl FnOnce(&mut State, At) -> Edited,
) -> Edited {
    let Some(at) = state.find(id) else {
        return Edited::Unknown;
    };
    state.leave(at);
    let edited = enter(state, at);
    if edited == Edited::Done {
        state.state(at).revision = revision;
    }
    edited
}

/// Holds a job that is not held yet.
fn hold(state: &mut State, at: At, hold: Hold, reason: &str) -> Edited {
    if matches!(state.state(at).place, Place::Held(_)) {
        state.reenter(at);
        return Edited::Unchanged;
    }
    state.state(at).because(None, reason);
    state.enter_held(at, hold);
    Edited::Done
}

fn register(state: &mut State, job: NewJob, now_ms: i64) -> Registered {
    if state.find(&job.id).is_some() {
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
            reasons: Arc::default(),
        },
    };
    record.state.because(Some(now_ms), REGISTERED);
    let at = state.add(record);
    state.enter_due(at, due_ms);
    Registered::Created
}

fn import(state: &mut State, ImportedJob { job, incarnation }: ImportedJob) -> Registered {
    if state.find(&job.id).is_some() {
        return Registered::Existing;
    }
    let job = job.within_bounds();
    let record = JobRecord {
        id: job.id,
        context: job.context,
        state: JobState {
            job_type: job.job_type,
            account: job.account,
            level: job.level,
            cushion: job.cushion,
            pace: job.pace,
            incarnation,
            generation: 0,
            nonce: None,
            revision: 0,
            place: Place::Slot,
            due_ms: job.due_ms,
            attempts: job.attempts,
            strikes: job.strikes,
            run_now: false,
            settled_ms: job.settled_ms,
            scopes: job.scopes,
            activity: job.activity,
            reasons: job.reasons.into(),
        },
    };
    let at = state.add(record);
    match job.hold {
        Some(hold) => state.enter_held(at, hold),
        None => state.enter_due(at, job.due_ms),
    }
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

    async fn import(
        &self,
        jobs: Vec<ImportedJob>,
        _now_ms: i64,
    ) -> Result<Vec<Registered>, StoreError> {
        let mut state = self.state();
        let imported = jobs.into_iter().map(|job| import(&mut state, job));
        Ok(imported.collect())
    }

    async fn remove(&self, id: &JobId) -> Result<Edited, StoreError> {
        let mut state = self.state();
        let Some(at) = state.find(id) else {
            return Ok(Edited::Unknown);
        };
        state.leave(at);
        state.remove(at);
        Ok(Edited::Done)
    }

    async fn update(&self, id: &JobId, update: Update) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, at| {
            let job = state.state(at);
            if let Some(level) = update.level {
                job.level = level;
            }
            if let Some(cushion) = update.cushion {
                job.cushion = cushion;
            }
            if let Some(pace) = update.pace {
                job.pace = pace;
            }
            match job.place {
                Place::Slot | Place::Later => {
                    job.because(None, "its level, cushion or pace was changed");
                    state.enter_edited(at, update.due);
                }
                Place::InFlight { .. } | Place::Held(_) => state.reenter(at),
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
        Ok(self.edit(id, |state, at| {
            state.record_mut(at).context = context;
            let job = state.state(at);
            job.incarnation = incarnation;
            job.generation = 0;
            job.nonce = None;
            job.attempts = 0;
            job.strikes = 0;
            job.run_now = false;
            if matches!(job.place, Place::Held(_)) {
                state.reenter(at);
            } else {
                job.because(None, "context replaced");
                state.enter_edited(at, due);
            }
            Edited::Done
        }))
    }

    async fn hold(&self, id: &JobId, kind: Hold, reason: &str) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, at| hold(state, at, kind, reason)))
    }

    async fn refuse(&self, jobs: &[(JobId, Nonce)], reason: &str) -> Result<(), StoreError> {
        let revision = new_revision(&self.revisions);
        let mut state = self.state();
        for (id, nonce) in jobs {
            let holds_it = |record: &JobRecord| {
                record.state.nonce == Some(*nonce)
                    && matches!(record.state.place, Place::InFlight { .. })
            };
            if state.record(id).is_some_and(holds_it) {
                edit(&mut state, id, revision, |state, at| {
                    hold(state, at, Hold::Refused, reason)
                });
            }
        }
        Ok(())
    }

    async fn resume(&self, id: &JobId, due: Candidates) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, at| {
            let job = state.state(at);
            if !matches!(job.place, Place::Held(_)) {
                state.reenter(at);
                return Edited::Unchanged;
            }
            job.strikes = 0;
            job.because(None, "resumed");
            let due_ms = state.emptier(due);
            state.enter_due(at, due_ms);
            Edited::Done
        }))
    }

    async fn run_now(&self, id: &JobId) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, at| {
            let job = state.state(at);
            if matches!(job.place, Place::InFlight { .. }) {
                job.run_now = true;
                state.reenter(at);
            } else {
                if matches!(job.place, Place::Held(_)) {
                    job.strikes = 0;
                }
                job.because(None, "run now");
                state.enter_now(at);
            }
            Edited::Done
        }))
    }

    async fn move_to(&self, id: &JobId, due_ms: i64, reason: &str) -> Result<Edited, StoreError> {
        Ok(self.edit(id, |state, at| {
            let job = state.state(at);
            if !matches!(job.place, Place::Slot | Place::Later) {
                state.reenter(at);
                return Edited::Unchanged;
            }
            job.because(None, reason);
            state.enter_due(at, due_ms);
            Edited::Done
        }))
    }

    async fn stop(&self, reason: Option<&str>) -> Result<(), StoreError> {
        self.state().stopped = reason.map(str::to_owned);
        Ok(())
    }

    async fn stopped(&self) -> Result<Option<String>, StoreError> {
        Ok(self.state().stopped.clone())
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobRecord>, StoreError> {
        Ok(self.state().record(id).cloned())
    }

    async fn list(&self, from: Option<&ListCursor>, limit: usize) -> Result<Listed, StoreError> {
        let from = from.map_or(Ok(0), |from| {
            let at = from.0.parse::<At>();
            at.map_err(|_| StoreError::Cursor(from.0.clone()))
        })?;
        let limit = limit.min(MAX_PAGE);
        let state = self.state();
        let page: Vec<_> = state.page(from, limit).collect();
        let last = page.last().filter(|_| page.len() == limit);
        let next = last.map(|(at, _)| ListCursor((at + 1).to_string()));
        let records = page.into_iter().map(|(_, record)| record.clone()).collect();
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
        // Mostly all of them, in their order.
        if open.jobs == jobs {
            state.notes.remove(&note);
            return Ok(());
        }
        let struck: BTreeSet<&JobId> = jobs.iter().collect();
        open.jobs.retain(|id| !struck.contains(id));
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
        let of = |id| state.record(id).map(|record| record.state.clone());
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
        let from = from.and_then(|cursor| cursor.0.parse::<At>().ok());
        let limit = limit.min(MAX_PAGE);
        let mut state = self.state();
        let page: Vec<At> = state
            .page(from.unwrap_or(0), limit)
            .map(|(at, _)| at)
            .collect();
        let mut repaired = 0;
        for &at in &page {
            if !state.is_listed(at) {
                state.reenter(at);
                repaired += 1;
            }
        }
        let last = page.last().filter(|_| page.len() == limit);
        Ok(Swept {
            next: last.map(|at| SweepCursor((at + 1).to_string())),
            seen: page.len(),
            repaired,
        })
    }

    async fn due_within(&self, slots: usize) -> Result<BTreeMap<JobType, u64>, StoreError> {
        let state = self.state();
        let slots = slots.min(SLOTS as usize - 1) as i64;
        let mut due = BTreeMap::new();
        for slot in (0..=slots).map(|ahead| state.cursor.plus(ahead)) {
            for at in state.slot(slot).iter() {
                *due.entry(state.record_at(at).state.job_type.clone())
                    .or_default() += 1;
            }
        }
        Ok(due)
    }

    async fn loads(&self) -> Result<Loads, StoreError> {
        let state = self.state();
        let load = |ahead| state.slot(state.cursor.plus(ahead)).len() as u64;
        Ok(Loads {
            cursor: state.cursor.0,
            jobs: (0..SLOTS).map(load).collect(),
        })
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.state().counts())
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

    async fn undecodable_message(
        &self,
        message_id: &str,
    ) -> Result<Option<Undecodable>, StoreError> {
        let state = self.state();
        let mut kept = state.undecodable.iter();
        Ok(kept.find(|kept| kept.message_id == message_id).cloned())
    }

    async fn forget_undecodable(&self, message_id: &str) -> Result<bool, StoreError> {
        let mut state = self.state();
        let before = state.undecodable.len();
        state
            .undecodable
            .retain(|kept| kept.message_id != message_id);
        Ok(state.undecodable.len() < before)
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
