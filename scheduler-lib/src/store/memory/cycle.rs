//! The steps of the cycle: drain, postpone, settle, reap.

use std::iter;

use polling_model::Nonce;

use super::state::{At, Note, State};
use crate::store::{
    Dispatch, DrainRequest, Drained, Hold, MAX_BOUND_SCOPES, MAX_CHUNK, Next, Place, Postponed,
    Settlement, Strike, Verdict,
};

impl State {
    pub(super) fn drain(&mut self, request: &DrainRequest) -> Drained {
        let now_slot = self.ring.current(request.now_ms);
        // A clock behind the cursor has nothing due.
        let waits = self.notes.len() >= request.max_open_notes || self.stopped.is_some();
        if waits || self.cursor > now_slot {
            return Drained {
                jobs: Vec::new(),
                cursor: self.cursor,
                due_ms: request.now_ms,
                more: false,
            };
        }
        while self.slot(self.cursor).is_empty() && self.cursor < now_slot {
            self.advance();
        }
        let cursor = self.cursor;
        let (allowed, due_ms) = self.allowed(request);
        // By the pace in order, else from either end: always from the same one, the last would starve
        // behind a limit that suffices for the first.
        let from_end = request.pace_ms <= 0 && request.nonce.0 % 2 == 1;
        let drawn = iter::from_fn(|| {
            let jobs = self.slot(cursor);
            let at = if from_end { jobs.back() } else { jobs.front() }?;
            Some(self.dispatch(at, request))
        });
        let jobs: Vec<Dispatch> = drawn
            .take(request.limit.min(MAX_CHUNK).min(allowed))
            .collect();
        if !jobs.is_empty() {
            let note = Note {
                deadline_ms: request.note_deadline_ms,
                jobs: jobs.iter().map(|job| job.record.id.clone()).collect(),
            };
            self.notes.insert(request.nonce, note);
        }
        let is_left = !self.slot(cursor).is_empty() && allowed > jobs.len();
        Drained {
            cursor,
            due_ms,
            more: is_left || cursor < now_slot,
            jobs,
        }
    }

    /// How many jobs of the cursor's slot the pace allows to take now, and when the first of them was
    /// to be taken. How many the slot had when the cursor came, against how many are left, is how far
    /// the drain is; what has joined since counts as not taken yet, and lies in front.
    fn allowed(&self, request: &DrainRequest) -> (usize, i64) {
        let (cursor, start_ms) = (self.cursor, self.ring.start_ms(self.cursor));
        let (had, left) = (self.slot_jobs as i64, self.slot(cursor).len() as i64);
        if request.pace_ms <= 0 || had == 0 {
            return (left as usize, start_ms);
        }
        let elapsed_ms = (request.now_ms - start_ms).clamp(0, request.pace_ms);
        let allowed = had * elapsed_ms / request.pace_ms + 1 - (had - left);
        let due_ms = start_ms + request.pace_ms * (had - left).max(0) / had;
        (allowed.max(0) as usize, due_ms)
    }

    fn dispatch(&mut self, at: At, request: &DrainRequest) -> Dispatch {
        self.leave(at);
        let state = self.state(at);
        state.generation += 1;
        state.nonce = Some(request.nonce);
        state.run_now = false;
        let deadline_ms = request
            .deadlines_ms
            .get(&state.job_type)
            .copied()
            .unwrap_or(request.default_deadline_ms);
        let (due_ms, token) = (state.due_ms, state.token_of(request.nonce));
        self.enter(at, Place::InFlight { deadline_ms }, due_ms);
        let record = self.record_at(at).clone();
        Dispatch { record, token }
    }

    /// The noted jobs that still wait for the completion of the noted dispatch.
    pub(super) fn noted(&self, nonce: Nonce, note: &Note) -> Vec<Dispatch> {
        let waits = |id| {
            let record = self.record(id)?;
            let token = record.state.token().filter(|token| token.nonce == nonce)?;
            let in_flight = matches!(record.state.place, Place::InFlight { .. });
            in_flight.then(|| Dispatch {
                record: record.clone(),
                token,
            })
        };
        note.jobs.iter().filter_map(waits).collect()
    }

    /// Whether the job was placed.
    pub(super) fn postpone(&mut self, postponed: &Postponed, now_ms: i64) -> bool {
        let Some(at) = self.find(&postponed.id) else {
            return false;
        };
        let state = self.state(at);
        let in_flight = matches!(state.place, Place::InFlight { .. });
        if state.token() != Some(postponed.token) || !in_flight {
            return false;
        }
        self.leave(at);
        let state = self.state(at);
        state.nonce = None;
        if std::mem::take(&mut state.run_now) {
            state.because(Some(now_ms), "run now");
            self.enter_now(at);
        } else {
            state.because(Some(now_ms), &postponed.reason);
            self.enter_due(at, postponed.due_ms);
        }
        true
    }

    pub(super) fn settle(&mut self, settlement: Settlement, now_ms: i64) -> Verdict {
        let Some(at) = self.find(&settlement.id) else {
            return Verdict::Unknown;
        };
        let state = self.state(at);
        if settlement.token.incarnation != state.incarnation {
            return Verdict::OtherIncarnation;
        }
        if state.token() != Some(settlement.token) {
            self.strike_stale(at, settlement.strike, now_ms);
            return Verdict::Stale;
        }
        if settlement.revision != state.revision {
            return Verdict::Edited;
        }
        self.accept(at, settlement, now_ms);
        Verdict::Accepted
    }

    /// A dead letter counts although its token is stale.
    fn strike_stale(&mut self, at: At, strike: Strike, now_ms: i64) {
        let Strike::Add { limit } = strike else {
            return;
        };
        let state = self.state(at);
        state.strikes += 1;
        if state.strikes < limit || matches!(state.place, Place::Held(_)) {
            return;
        }
        self.leave(at);
        self.quarantine(at, now_ms);
    }

    fn quarantine(&mut self, at: At, now_ms: i64) {
        let state = self.state(at);
        let strikes = state.strikes;
        let reason =
            format!("quarantined: workers gave up on its message {strikes} times in a row");
        state.because(Some(now_ms), &reason);
        self.enter_held(at, Hold::Quarantined);
    }

    fn accept(&mut self, at: At, settlement: Settlement, now_ms: i64) {
        self.leave(at);
        let record = self.record_mut(at);
        let first = settlement.context.is_none() && falls_in_front(&settlement);
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
            return self.enter_held(at, hold);
        }
        if struck_out {
            return self.quarantine(at, now_ms);
        }
        state.because(Some(now_ms), &settlement.reason);
        match settlement.next {
            Next::Due(due_ms) => {
                self.enter_due(at, due_ms);
                if first {
                    self.bring_forward(at);
                }
            }
            Next::Now => self.enter_now(at),
            Next::Hold(hold) => self.enter_held(at, hold),
            Next::Remove => self.remove(at),
        }
    }

    pub(super) fn reap(&mut self, deadline_ms: i64, limit: usize, now_ms: i64) -> usize {
        let mut reaped = 0;
        while reaped < limit {
            let Some(at) = self.overdue(deadline_ms) else {
                break;
            };
            self.leave(at);
            self.state(at)
                .because(Some(now_ms), "no answer came in time: polled again");
            // Long past: into the next slot.
            self.enter_due(at, 0);
            reaped += 1;
        }
        reaped
    }
}

/// One of two, by the token's random part and the job: other neighbours each time.
fn falls_in_front(settlement: &Settlement) -> bool {
    let last = settlement.id.as_str().bytes().last().unwrap_or_default();
    (settlement.token.nonce.0 ^ u64::from(last)) % 2 == 1
}
