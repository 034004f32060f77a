//! The steps of the cycle: drain, postpone, settle, reap.

use std::collections::BTreeSet;

use polling_model::{JobId, Nonce, caps::SLOTS};

use super::state::{Note, State};
use crate::store::{
    Dispatch, DrainRequest, Drained, Hold, JobRecord, MAX_BOUND_SCOPES, MAX_CHUNK, Next, Place,
    Postponed, Settlement, Strike, Verdict,
};

impl State {
    pub(super) fn drain(&mut self, request: &DrainRequest) -> Drained {
        let now_slot = self.ring.current(request.now_ms);
        // A clock behind the cursor has nothing due.
        if self.notes.len() >= request.max_open_notes || self.cursor > now_slot {
            return Drained {
                jobs: Vec::new(),
                cursor: self.cursor,
                more: false,
            };
        }
        while self.slot(self.cursor).is_empty() && self.cursor < now_slot {
            self.advance();
        }
        let limit = request.limit.min(MAX_CHUNK);
        let first = self.slot(self.cursor).iter().take(limit);
        let ids: Vec<JobId> = first.map(|(_, id)| id.clone()).collect();
        let jobs: Vec<_> = ids
            .iter()
            .filter_map(|id| self.dispatch(id, request))
            .collect();
        if !jobs.is_empty() {
            let note = Note {
                deadline_ms: request.note_deadline_ms,
                jobs: BTreeSet::from_iter(ids),
            };
            self.notes.insert(request.nonce, note);
        }
        let more = !self.slot(self.cursor).is_empty() || self.cursor < now_slot;
        Drained {
            jobs,
            cursor: self.cursor,
            more,
        }
    }

    /// Moves the cursor on by one slot, and into the ring what comes within its reach.
    fn advance(&mut self) {
        self.cursor = self.cursor.plus(1);
        let last = self.cursor.plus(SLOTS - 1);
        while let Some((due_ms, id)) = self.later.first().cloned() {
            if self.ring.slot_of(due_ms) > last {
                break;
            }
            if let Some(record) = self.leave(&id) {
                self.enter_due(record, due_ms);
            }
        }
    }

    fn dispatch(&mut self, id: &JobId, request: &DrainRequest) -> Option<Dispatch> {
        let mut record = self.leave(id)?;
        let state = &mut record.state;
        state.generation += 1;
        state.nonce = Some(request.nonce);
        state.run_now = false;
        let deadline_ms = request
            .deadlines_ms
            .get(&state.job_type)
            .copied()
            .unwrap_or(request.default_deadline_ms);
        let due_ms = state.due_ms;
        self.enter(record, Place::InFlight { deadline_ms }, due_ms);
        self.dispatched(id)
    }

    /// A job in flight as it is to be sent.
    fn dispatched(&self, id: &JobId) -> Option<Dispatch> {
        let record = self.records.get(id)?.clone();
        let token = record.state.token()?;
        Some(Dispatch { record, token })
    }

    /// The noted jobs that still wait for the completion of the noted dispatch.
    pub(super) fn noted(&self, nonce: Nonce, note: &Note) -> Vec<Dispatch> {
        let in_flight = |dispatch: &Dispatch| {
            dispatch.token.nonce == nonce
                && matches!(dispatch.record.state.place, Place::InFlight { .. })
        };
        note.jobs
            .iter()
            .filter_map(|id| self.dispatched(id))
            .filter(in_flight)
            .collect()
    }

    /// Whether the job was placed.
    pub(super) fn postpone(&mut self, postponed: &Postponed, now_ms: i64) -> bool {
        let waits_for_it = |record: &JobRecord| {
            record.state.token() == Some(postponed.token)
                && matches!(record.state.place, Place::InFlight { .. })
        };
        if !self.records.get(&postponed.id).is_some_and(waits_for_it) {
            return false;
        }
        let Some(mut record) = self.leave(&postponed.id) else {
            return false;
        };
        record.state.nonce = None;
        if std::mem::take(&mut record.state.run_now) {
            record.state.because(Some(now_ms), "run now");
            self.enter_now(record);
        } else {
            record.state.because(Some(now_ms), &postponed.reason);
            self.enter_due(record, postponed.due_ms);
        }
        true
    }

    pub(super) fn settle(&mut self, settlement: Settlement, now_ms: i64) -> Verdict {
        let Some(state) = self
            .records
            .get_mut(&settlement.id)
            .map(|record| &mut record.state)
        else {
            return Verdict::Unknown;
        };
        if settlement.token.incarnation != state.incarnation {
            return Verdict::OtherIncarnation;
        }
        if state.token() != Some(settlement.token) {
            self.strike_stale(&settlement, now_ms);
            return Verdict::Stale;
        }
        if settlement.revision != state.revision {
            return Verdict::Edited;
        }
        self.accept(settlement, now_ms);
        Verdict::Accepted
    }

    /// A dead letter counts although its token is stale.
    fn strike_stale(&mut self, settlement: &Settlement, now_ms: i64) {
        let Strike::Add { limit } = settlement.strike else {
            return;
        };
        let Some(record) = self.records.get_mut(&settlement.id) else {
            return;
        };
        record.state.strikes += 1;
        if record.state.strikes < limit || matches!(record.state.place, Place::Held(_)) {
            return;
        }
        if let Some(record) = self.leave(&settlement.id) {
            self.quarantine(record, now_ms);
        }
    }

    fn quarantine(&mut self, mut record: JobRecord, now_ms: i64) {
        let strikes = record.state.strikes;
        let reason =
            format!("quarantined: workers gave up on its message {strikes} times in a row");
        record.state.because(Some(now_ms), &reason);
        self.enter_held(record, Hold::Quarantined);
    }

    fn accept(&mut self, settlement: Settlement, now_ms: i64) {
        let Some(mut record) = self.leave(&settlement.id) else {
            return;
        };
        if let Some(context) = settlement.context {
            record.context = context;
        }
        let state = &mut record.state;
        if let Some(mut scopes) = settlement.scopes {
            scopes.truncate(MAX_BOUND_SCOPES);
            state.scopes = scopes;
        }
        state.activity = settlement.activity.or(state.activity);
        state.nonce = None;
        state.attempts = settlement.attempts;
        state.settled_ms = now_ms;
        state.run_now = false;
        let struck_out = match settlement.strike {
            Strike::Clear => {
                state.strikes = 0;
                false
            }
            Strike::Add { limit } => {
                state.strikes += 1;
                state.strikes >= limit
            }
        };
        if let Place::Held(hold) = state.place {
            return self.enter_held(record, hold);
        }
        if struck_out {
            return self.quarantine(record, now_ms);
        }
        record.state.because(Some(now_ms), &settlement.reason);
        match settlement.next {
            Next::Due(due_ms) => self.enter_due(record, due_ms),
            Next::Now => self.enter_now(record),
            Next::Hold(hold) => self.enter_held(record, hold),
            Next::Remove => {}
        }
    }

    pub(super) fn reap(&mut self, deadline_ms: i64, limit: usize, now_ms: i64) -> usize {
        let mut reaped = 0;
        while reaped < limit {
            let Some((at, id)) = self.in_flight.first().cloned() else {
                break;
            };
            if at > deadline_ms {
                break;
            }
            let Some(mut record) = self.leave(&id) else {
                break;
            };
            record
                .state
                .because(Some(now_ms), "no answer came in time: polled again");
            // Long past: into the next slot.
            self.enter_due(record, 0);
            reaped += 1;
        }
        reaped
    }
}
