//! From the due slot to the work queues.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use polling_model::{EncodedContext, Job, JobId, JobType, KillPoint, Nonce, Observation, wire};
use polling_transport::{EntryError, Outgoing};
use tokio_util::sync::CancellationToken;

use super::{Cycle, allot::Noted, deadline, every, next_tick, status::add};
use crate::{
    channel::Kind,
    limits::SENDING_CHUNKS,
    pace::Pace,
    store::{Dispatch, DrainRequest, Hold, MAX_CHUNK, Place, StoreError},
};

/// Quarters of a slot over which it is drained. In the last one the jobs that went out late come back
/// before the next slot begins: one that is polled in every slot misses none.
const PACED_QUARTERS: i64 = 3;

/// Every tick: sends again what is not known to be sent, then drains what is due.
pub(super) async fn run(cycle: Arc<Cycle>, stop: CancellationToken) {
    let mut pace = Pace::new(cycle.channel.limits().dispatch_per_s, cycle.clock.now_ms());
    let mut ticks = every(cycle.channel.limits().tick);
    let mut failures = 0;
    while next_tick(&mut ticks, &stop).await {
        match cycle.dispatch(&mut pace).await {
            Ok(()) => {
                failures = 0;
                cycle
                    .status
                    .last_tick_ms
                    .store(cycle.clock.now_ms(), Relaxed);
            }
            Err(error) => {
                cycle
                    .pause_after(&error, "dispatching", &mut failures, &stop)
                    .await;
            }
        }
    }
}

/// Waits for `step`, and goes on with `sending` meanwhile: what has its turn for something that is
/// shared, and is not polled, would hold up all others, `step` too.
async fn meanwhile<T>(
    step: impl Future<Output = T>,
    sending: &mut FuturesUnordered<impl Future<Output = Vec<Noted>>>,
    waiting: &mut Vec<Noted>,
) -> T {
    let mut step = pin!(step);
    loop {
        tokio::select! {
            biased;
            done = &mut step => return done,
            Some(more) = sending.next() => waiting.extend(more),
        }
    }
}

impl Cycle {
    async fn dispatch(&self, pace: &mut Pace) -> Result<(), StoreError> {
        pace.set(self.channel.limits().dispatch_per_s);
        let mut waiting = self.resend().await?;
        let mut sending = FuturesUnordered::new();
        let drained = loop {
            let limit = pace.take(MAX_CHUNK, self.clock.now_ms());
            if limit == 0 {
                break Ok(());
            }
            let nonce = self.generator.nonce();
            let drain = async {
                let request = self.request(nonce, limit).await;
                self.channel.store.drain(request).await
            };
            let drained = match meanwhile(drain, &mut sending, &mut waiting).await {
                Ok(drained) => drained,
                Err(error) => break Err(error),
            };
            pace.give_back(limit - drained.jobs.len().min(limit));
            let more = drained.more;
            if !drained.jobs.is_empty() {
                KillPoint::SchedulerDrained.hit();
                sending.push(self.send_allotted(nonce, drained.jobs, Some(drained.due_ms)));
            }
            if !more {
                break Ok(());
            }
            while sending.len() >= SENDING_CHUNKS {
                waiting.extend(sending.next().await.into_iter().flatten());
            }
        };
        // What was drained is sent even if a later drain failed.
        while let Some(more) = sending.next().await {
            waiting.extend(more);
        }
        self.fill(waiting).await;
        drained
    }

    /// Sends those jobs of a chunk that get a call, and places those anew that get none. Returns
    /// those that are worth less than a call costs: they wait until all others have asked.
    async fn send_allotted(
        &self,
        note: Nonce,
        jobs: Vec<Dispatch>,
        paced_ms: Option<i64>,
    ) -> Vec<Noted> {
        let noted = |job: Dispatch| Noted {
            note,
            due_ms: paced_ms.unwrap_or(job.record.state.due_ms),
            job,
        };
        let jobs = jobs.into_iter().map(noted).collect();
        self.send_granted(jobs, false).await
    }

    /// Gives the calls that nobody else asked for to jobs that are worth less than the price.
    async fn fill(&self, waiting: Vec<Noted>) {
        if !waiting.is_empty() {
            self.send_granted(waiting, true).await;
        }
    }

    async fn send_granted(&self, jobs: Vec<Noted>, fill: bool) -> Vec<Noted> {
        let allotted = match self.allot(jobs, fill).await {
            Ok(allotted) => allotted,
            Err(error) => {
                // They stay on their notes, and are sent after the deadline of these.
                tracing::warn!(channel = %self.channel.id, error = polling_model::chain(&error), "calls cannot be reserved; the jobs are sent later");
                return Vec::new();
            }
        };
        KillPoint::SchedulerAllotted.hit();
        if let Err(error) = self.postpone(allotted.postponed).await {
            tracing::warn!(channel = %self.channel.id, error = polling_model::chain(&error), "jobs without a call are not known to be placed anew; their notes stay");
        }
        let mut sending = allotted.sending;
        // Jobs of one note and type are together, in their order: mostly they are so as they come.
        sending.sort_by(|one, other| one.key().cmp(&other.key()));
        for jobs in sending.chunk_by(|one, other| one.note == other.note) {
            self.report_drained(jobs);
            self.send(jobs[0].note, jobs).await;
        }
        allotted.waiting
    }

    /// Over how long a slot is drained. Where calls are limited all that are due have to be seen
    /// together, since the most worthwhile get them.
    fn pace_ms(&self) -> i64 {
        match self.channel.limits().paced && !self.limited.load(Relaxed) {
            true => self.channel.store.ring().width_ms() * PACED_QUARTERS / 4,
            false => 0,
        }
    }

    async fn request(&self, nonce: Nonce, limit: usize) -> DrainRequest {
        let limits = self.channel.limits();
        let now_ms = self.clock.now_ms();
        let after = |duration: std::time::Duration| now_ms + duration.as_millis() as i64;
        let mut deadlines_ms = BTreeMap::new();
        for (job_type, kind) in &self.channel.kinds {
            let life = kind.message_life(&limits) + self.longer_wait(job_type, kind).await;
            deadlines_ms.insert(job_type.clone(), after(life + limits.in_flight_margin));
        }
        DrainRequest {
            now_ms,
            limit,
            pace_ms: self.pace_ms(),
            nonce,
            note_deadline_ms: after(limits.note_deadline),
            max_open_notes: limits.max_open_notes,
            // A type without a queue is refused as soon as it is sent.
            default_deadline_ms: after(limits.note_deadline * 2),
            deadlines_ms,
        }
    }

    fn report_drained(&self, jobs: &[Noted]) {
        let now_ms = self.clock.now_ms();
        let lateness_ms = jobs
            .iter()
            .map(|noted| now_ms - noted.due_ms)
            .max()
            .unwrap_or(0);
        for jobs in jobs.chunk_by(Noted::is_like) {
            self.backlog.dispatched(jobs[0].job_type(), now_ms);
        }
        add(&self.status.dispatched, jobs.len());
        self.observer.observe(Observation::Drained {
            channel: &self.channel.id,
            jobs: jobs.len(),
            lateness_ms,
        });
    }

    /// Sends again what some scheduler drained and is not known to have sent.
    async fn resend(&self) -> Result<Vec<Noted>, StoreError> {
        let mut waiting = Vec::new();
        // No more in one turn than can be open: new notes cannot keep this loop for ever.
        for _ in 0..self.channel.limits().max_open_notes {
            let now_ms = self.clock.now_ms();
            let deadline_ms = now_ms + self.channel.limits().note_deadline.as_millis() as i64;
            let Some(note) = self.channel.store.claim_note(now_ms, deadline_ms).await? else {
                break;
            };
            KillPoint::SchedulerNoteClaimed.hit();
            tracing::info!(channel = %self.channel.id, jobs = note.jobs.len(), "sending a chunk again");
            add(&self.status.resent, note.jobs.len());
            self.observer.observe(Observation::Resent {
                channel: &self.channel.id,
                jobs: note.jobs.len(),
            });
            waiting.extend(self.send_allotted(note.nonce, note.jobs, None).await);
        }
        Ok(waiting)
    }

    /// Sends a chunk, and strikes off its note what is known to be sent or refused. The rest is
    /// sent again when the note's deadline has passed.
    async fn send(&self, note: Nonce, jobs: &[Noted]) {
        let (mut done, mut refused) = (Vec::new(), BTreeMap::<String, Vec<JobId>>::new());
        for jobs in jobs.chunk_by(Noted::is_like) {
            self.send_type(jobs[0].job_type(), jobs, &mut done, &mut refused)
                .await;
            KillPoint::SchedulerTypeSent.hit();
        }
        KillPoint::SchedulerSent.hit();
        if let Err(error) = self.strike_off(note, done, refused).await {
            tracing::warn!(channel = %self.channel.id, error = polling_model::chain(&error), "a chunk was sent but its note stays; it will be sent again");
        }
    }

    async fn send_type(
        &self,
        job_type: &JobType,
        jobs: &[Noted],
        done: &mut Vec<JobId>,
        refused: &mut BTreeMap<String, Vec<JobId>>,
    ) {
        let mut refuse = |reason: String, id| refused.entry(reason).or_default().push(id);
        let Some(kind) = self.channel.kinds.get(job_type) else {
            for Noted { job, .. } in jobs {
                refuse(
                    format!("no work queue for job type {job_type}"),
                    job.record.id.clone(),
                );
            }
            return;
        };
        let (mut ids, mut messages) = (
            Vec::with_capacity(jobs.len()),
            Vec::with_capacity(jobs.len()),
        );
        let now_ms = self.clock.now_ms();
        for Noted { job, .. } in jobs {
            let id = job.record.id.clone();
            let not_after_ms = self.not_after_ms(job, kind, now_ms);
            if not_after_ms <= now_ms {
                // Sent so late that no worker would poll it: the reaper places the job anew.
                done.push(id);
                continue;
            }
            match wire::encode_job(&self.message(job, not_after_ms)) {
                Ok(body) => {
                    let trace = self.carried(&id, &job.token);
                    ids.push(id);
                    messages.push(Outgoing::from(body).with_trace(trace));
                }
                Err(error) => refuse(error.to_string(), id),
            }
        }
        for (id, sent) in ids
            .into_iter()
            .zip(deadline::send(&kind.work, messages).await)
        {
            match sent {
                Ok(()) => done.push(id),
                Err(EntryError::Refused { reason }) => {
                    refuse(format!("refused by its work queue: {reason}"), id);
                }
                Err(error) => tracing::debug!(%id, %error, "not known to be sent"),
            }
        }
    }

    /// Before the job's lease ends, whenever it is sent: one that is polled later is polled twice.
    fn not_after_ms(&self, job: &Dispatch, kind: &Kind, now_ms: i64) -> i64 {
        let limits = self.channel.limits();
        match job.record.state.place {
            Place::InFlight { deadline_ms } => {
                deadline_ms - limits.in_flight_margin.as_millis() as i64
            }
            // Paused meanwhile: what its poll brings is kept, and it stays held.
            _ => now_ms + kind.message_life(&limits).as_millis() as i64,
        }
    }

    fn message(&self, job: &Dispatch, not_after_ms: i64) -> Job<EncodedContext> {
        let Dispatch { record, token } = job;
        let state = &record.state;
        Job {
            id: record.id.clone(),
            channel: self.channel.id.clone(),
            job_type: state.job_type.clone(),
            account: state.account.clone(),
            level: state.level.clone(),
            token: *token,
            due_ms: state.due_ms,
            not_after_ms,
            context: record.context.clone(),
        }
    }

    /// First holds what was refused, then strikes it off: a crash between the two sends it again.
    async fn strike_off(
        &self,
        note: Nonce,
        mut done: Vec<JobId>,
        refused: BTreeMap<String, Vec<JobId>>,
    ) -> Result<(), StoreError> {
        for (reason, ids) in refused {
            tracing::warn!(channel = %self.channel.id, jobs = ids.len(), reason, "jobs held: their message cannot be sent");
            self.report_held(Hold::Refused, ids.len());
            let jobs: Vec<_> = ids.iter().map(|id| (id.clone(), note)).collect();
            self.channel.store.refuse(&jobs, &reason).await?;
            KillPoint::SchedulerRefused.hit();
            done.extend(ids);
        }
        if done.is_empty() {
            return Ok(());
        }
        self.channel.store.sent(note, &done).await?;
        KillPoint::SchedulerStruckOff.hit();
        Ok(())
    }
}
