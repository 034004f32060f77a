//! Schedulers: each looks at the slots from time to time, and drains chunk by chunk what is due.

use scheduler_lib::store::MAX_CHUNK;

use super::{STEP_S, ages::Ages, draws::Draws, masters::Masters};
use crate::scale::{
    Demand, Measured, Plan,
    assumed::{SCHEDULER_CORES, SENDING_CHUNKS, TICK_S},
    plan::settle_s,
};

const CHUNK: f64 = MAX_CHUNK as f64;
const TICK_STEPS: usize = (TICK_S / STEP_S) as usize;

#[derive(Debug, Clone)]
struct Scheduler {
    /// When it looks, in steps after a multiple of the tick.
    looks_at: usize,
    /// Whether it has not yet seen that nothing is due.
    active: bool,
    /// Time left in this step; less than none if a chunk took longer.
    left_s: f64,
    /// The same of its cores.
    cpu_left_us: f64,
    /// What its pace grants.
    granted: f64,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Schedulers {
    all: Vec<Scheduler>,
    dispatch_per_s: f64,
    /// CPU for one side of a job, its dispatch or its settlement.
    side_us: f64,
    drain_s: f64,
    round_trip_s: f64,
    send_s: f64,
    settles_a_step: f64,
    next_shard: usize,
    used_us: f64,
    had_us: f64,
}

impl Schedulers {
    pub(super) fn new(
        plan: &Plan,
        demand: &Demand,
        measured: &Measured,
        draws: &mut Draws,
    ) -> Self {
        let count = (plan.schedulers + plan.spare_schedulers) as usize;
        let one = || Scheduler {
            looks_at: (draws.next() % TICK_STEPS as u64) as usize,
            active: false,
            left_s: 0.0,
            cpu_left_us: 0.0,
            granted: plan.dispatch_per_s,
        };
        Self {
            all: std::iter::repeat_with(one).take(count).collect(),
            dispatch_per_s: plan.dispatch_per_s,
            side_us: measured.scheduler_us(demand.transport) / 2.0,
            drain_s: measured.drain_us / 1e6,
            round_trip_s: demand.round_trip_ms / 1e3,
            send_s: demand.queue_call_s() / SENDING_CHUNKS,
            settles_a_step: plan.settlers * CHUNK * STEP_S / settle_s(demand, measured),
            next_shard: 0,
            used_us: 0.0,
            had_us: 0.0,
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.all.len()
    }

    /// Settles of `done`, by master, what masters and settlers can; returns their CPU time.
    pub(super) fn settle(&mut self, done: &mut [f64], masters: &mut Masters, away: usize) -> f64 {
        let here = (self.all.len() - away) as f64;
        let cpu_us = here * SCHEDULER_CORES * STEP_S * 1e6;
        self.had_us += cpu_us;
        let all: f64 = masters.settles.iter().sum();
        let most = (here * self.settles_a_step).min(cpu_us / self.side_us);
        let fits = (most / all.max(1e-9)).min(1.0);
        for (at, waiting) in done.iter_mut().enumerate() {
            let settled = masters.settles[at] * fits;
            *waiting -= settled;
            masters.settled(settled);
        }
        let took_us = all * fits * self.side_us;
        self.used_us += took_us;
        (cpu_us - took_us) / here
    }

    /// Drains what is due, with so much CPU time of each; calls `each` with a shard's jobs.
    pub(super) fn drain(
        &mut self,
        step: usize,
        cpu_us: f64,
        away: usize,
        shards: &mut [Ages],
        masters: &mut Masters,
        mut each: impl FnMut(usize, usize, f64),
    ) {
        for at in away..self.all.len() {
            self.begin(at, step, cpu_us);
            while self.can_go_on(at) {
                let Some(shard) = self.next_due(at, shards, masters) else {
                    break;
                };
                let master = shard % masters.drains.len();
                let jobs = (shards[shard].all())
                    .min(CHUNK)
                    .min(masters.drains[master])
                    .min(self.all[at].granted);
                shards[shard].take(jobs, |due, jobs| each(master, due, jobs));
                masters.drained(master, jobs);
                self.drained(at, jobs);
            }
        }
    }

    fn begin(&mut self, at: usize, step: usize, cpu_us: f64) {
        let scheduler = &mut self.all[at];
        scheduler.active |= step % TICK_STEPS == scheduler.looks_at;
        scheduler.left_s = scheduler.left_s.min(0.0) + STEP_S;
        scheduler.cpu_left_us = scheduler.cpu_left_us.min(0.0) + cpu_us;
        scheduler.granted =
            (scheduler.granted + self.dispatch_per_s * STEP_S).min(self.dispatch_per_s);
    }

    fn can_go_on(&self, at: usize) -> bool {
        let Scheduler {
            active,
            left_s,
            cpu_left_us,
            granted,
            ..
        } = self.all[at];
        active && left_s > 0.0 && cpu_left_us > 0.0 && granted >= 1.0
    }

    /// The next shard in turn where a job is due and whose master has time; without a due job the
    /// scheduler waits for its next look.
    fn next_due(&mut self, at: usize, shards: &[Ages], masters: &Masters) -> Option<usize> {
        let mut due = false;
        for _ in 0..shards.len() {
            let shard = self.next_shard;
            self.next_shard = (shard + 1) % shards.len();
            if shards[shard].all() >= 1.0 {
                due = true;
                if masters.drains[shard % masters.drains.len()] >= 1.0 {
                    return Some(shard);
                }
            }
        }
        self.all[at].active = due;
        None
    }

    fn drained(&mut self, at: usize, jobs: f64) {
        let chunk_s = self.round_trip_s + jobs * self.drain_s;
        let scheduler = &mut self.all[at];
        scheduler.left_s -= chunk_s.max(self.send_s * jobs / CHUNK);
        scheduler.cpu_left_us -= jobs * self.side_us;
        scheduler.granted -= jobs;
        self.used_us += jobs * self.side_us;
    }

    pub(super) fn used(&self) -> f64 {
        self.used_us / self.had_us
    }
}
