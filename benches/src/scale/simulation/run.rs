//! Step by step.

use std::collections::VecDeque;

use super::{
    Course, Outage, STEP_S, Seen, ages::Ages, draws::Draws, lateness::Lateness, masters::Masters,
    schedulers::Schedulers, slots, workers::Workers,
};
use crate::scale::{Demand, Measured, Plan, assumed::NOTE_DEADLINE_S};

const SLOT_STEPS: usize = (60.0 / STEP_S) as usize;

/// From then on a job is late.
const LATE_S: f64 = 1.0;

/// Runs a plan.
#[must_use]
pub fn simulate(plan: &Plan, demand: &Demand, measured: &Measured, course: Course) -> Seen {
    let mut run = Run::new(plan, demand, measured, course);
    let steps = (course.seconds / STEP_S) as usize;
    for step in 0..steps {
        run.step(step);
    }
    run.end(steps)
}

struct Run {
    outage: Outage,
    placed: Vec<Vec<f64>>,
    /// What is due, by shard.
    shards: Vec<Ages>,
    masters: Masters,
    schedulers: Schedulers,
    workers: Workers,
    /// On its way to the work queues, one for each step.
    sending: VecDeque<Ages>,
    /// What a scheduler left half sent, and when it is sent again.
    left: Option<(usize, Ages)>,
    work: Ages,
    /// Dispatched and not completed, by master.
    under_way: Vec<f64>,
    /// Completed and not settled, by master.
    done: Vec<f64>,
    lateness: Lateness,
    last_late_s: f64,
}

impl Run {
    fn new(plan: &Plan, demand: &Demand, measured: &Measured, course: Course) -> Self {
        let mut draws = Draws::new(course.seed);
        let (shards, masters) = (plan.shards as usize, plan.masters as usize);
        let slots = ((demand.interval_s / 60.0) as usize).max(1);
        let placed = plan.jobs_per_s * 60.0 * slots as f64;
        let send_steps = (demand.queue_call_s() / STEP_S).ceil() as usize;
        Self {
            outage: course.outage,
            placed: slots::place(placed, shards, slots, &mut draws),
            shards: vec![Ages::default(); shards],
            masters: Masters::new(masters, measured, &mut draws),
            schedulers: Schedulers::new(plan, demand, measured, &mut draws),
            workers: Workers::new(plan, demand, measured),
            sending: vec![Ages::default(); send_steps].into(),
            left: None,
            work: Ages::default(),
            under_way: vec![0.0; masters],
            done: vec![0.0; masters],
            lateness: Lateness::default(),
            last_late_s: 0.0,
        }
    }

    fn step(&mut self, step: usize) {
        let now_s = step as f64 * STEP_S;
        for (shard, slots) in self.shards.iter_mut().zip(&self.placed) {
            let slot = slots[(step / SLOT_STEPS) % slots.len()];
            shard.add(step, slot / SLOT_STEPS as f64);
        }
        let away = usize::from(self.outage.scheduler_is_away(now_s));
        let master_away = self.outage.master_is_away(now_s).then_some(0);
        self.masters.begin(&self.done, master_away);
        let cpu_us = self
            .schedulers
            .settle(&mut self.done, &mut self.masters, away);
        let mut drained = Ages::default();
        self.schedulers.drain(
            step,
            cpu_us,
            away,
            &mut self.shards,
            &mut self.masters,
            |master, due, jobs| {
                self.under_way[master] += jobs;
                drained.add(due, jobs);
            },
        );
        self.sending.push_back(drained);
        if away > 0 && self.left.is_none() {
            self.leave_half_sent(step);
        }
        self.send(step);
        self.poll(step);
    }

    /// A scheduler has died: its part of what is being sent is sent again by another.
    fn leave_half_sent(&mut self, step: usize) {
        let mut left = Ages::default();
        let part = 1.0 / self.schedulers.count() as f64;
        for sending in &mut self.sending {
            let jobs = sending.all() * part;
            sending.take(jobs, |due, jobs| left.add(due, jobs));
        }
        self.left = Some((step + (NOTE_DEADLINE_S / STEP_S) as usize, left));
    }

    fn send(&mut self, step: usize) {
        let mut sent = self.sending.pop_front().unwrap_or_default();
        sent.take(f64::INFINITY, |due, jobs| self.work.add(due, jobs));
        if let Some((at, left)) = &mut self.left
            && *at <= step
        {
            left.take(f64::INFINITY, |due, jobs| self.work.add(due, jobs));
        }
    }

    fn poll(&mut self, step: usize) {
        let now_s = step as f64 * STEP_S;
        let (lateness, last_late_s) = (&mut self.lateness, &mut self.last_late_s);
        let ended = self.workers.step(&mut self.work, |due, jobs| {
            lateness.add(step - due, jobs);
            if (step - due) as f64 * STEP_S > LATE_S {
                *last_late_s = now_s;
            }
        });
        let all: f64 = self.under_way.iter().sum();
        for (under_way, done) in self.under_way.iter_mut().zip(&mut self.done) {
            let part = ended * *under_way / all.max(1e-9);
            *under_way -= part;
            *done += part;
        }
    }

    fn end(mut self, steps: usize) -> Seen {
        let begun = self.lateness.jobs();
        let waiting = (self.shards.iter_mut())
            .chain(&mut self.sending)
            .chain([&mut self.work]);
        for ages in waiting {
            ages.take(f64::INFINITY, |due, jobs| {
                self.lateness.add(steps - due, jobs);
            });
        }
        Seen {
            jobs_per_s: begun / (steps as f64 * STEP_S),
            lateness_p99_s: self.lateness.share_s(0.99),
            lateness_max_s: self.lateness.share_s(1.0),
            master_use: self.masters.used(),
            scheduler_use: self.schedulers.used(),
            worker_use: self.workers.cores_used(),
            permit_use: self.workers.permits_used(),
            fullest_slot: slots::fullest(&self.placed),
            catch_up_s: (self.last_late_s - self.outage.end_s()).max(0.0),
        }
    }
}
