//! A queue, its workers and their scaler, second by second.

use std::{collections::VecDeque, time::Duration};

use polling_ops::scaling::{LookAhead, Sample, ScalingRules, ScalingState, decide};

use super::load::Load;

/// What the world is like, whatever the rules believe.
#[derive(Clone)]
pub(crate) struct World {
    /// What the scaler is told.
    pub(crate) rules: ScalingRules,
    /// How long a worker really takes to start, seconds.
    pub(crate) start_s: usize,
    /// How long a job takes, seconds.
    pub(crate) job_s: usize,
    /// Between two decisions, seconds.
    pub(crate) every_s: usize,
    /// Whether the slots tell what comes.
    pub(crate) looks_ahead: bool,
    /// How many of a hundred jobs they know of.
    pub(crate) foreseen_percent: u64,
    /// Whether the queue tells the age of its oldest message.
    pub(crate) tells_age: bool,
}

/// What came of it.
pub(crate) struct Outcome {
    /// The age of the oldest job that waits at the end of each second, seconds.
    pub(crate) backlog_age_s: Vec<u64>,
    /// How long each job waited, seconds: how many by length.
    pub(crate) waited: Vec<u64>,
    /// Worker-seconds paid for, those of starting included.
    pub(crate) worker_s: u64,
    /// The number of workers after each decision.
    pub(crate) decided: Vec<u32>,
    /// Worker-seconds that the jobs took.
    pub(crate) busy_s: f64,
}

impl Outcome {
    /// The backlog's age that is not passed in 99 of 100 seconds.
    pub(crate) fn p99_age_s(&self) -> u64 {
        let mut ages = self.backlog_age_s.clone();
        ages.sort_unstable();
        ages[ages.len() * 99 / 100]
    }

    /// The wait that 99 of 100 jobs do not pass, seconds.
    pub(crate) fn p99_wait_s(&self) -> usize {
        let all: u64 = self.waited.iter().sum();
        let mut jobs = 0;
        let within = |count: &u64| {
            jobs += count;
            jobs * 100 >= all * 99
        };
        self.waited.iter().position(within).unwrap_or(0)
    }

    /// Worker-time over the least with which a clairvoyant could do: nobody is ever idle, and starting takes no time.
    pub(crate) fn over_clairvoyant(&self) -> f64 {
        self.worker_s as f64 / self.busy_s
    }

    /// How often the number of workers changed after so many decisions.
    pub(crate) fn changes_after(&self, decisions: usize) -> usize {
        self.decided[decisions..]
            .windows(2)
            .filter(|pair| pair[0] != pair[1])
            .count()
    }
}

/// What there is at a second.
struct Now {
    /// When they came, with how many: oldest first.
    waiting: VecDeque<(usize, u64)>,
    waiting_jobs: u64,
    /// How many jobs end so many seconds from now.
    ends: VecDeque<u64>,
    in_flight: u64,
    ready: u32,
    /// When they are ready, with how many: soonest first.
    starting: VecDeque<(usize, u32)>,
}

impl World {
    /// Lives through a load.
    pub(crate) fn run(&self, load: &Load) -> Outcome {
        let mut now = Now {
            waiting: VecDeque::new(),
            waiting_jobs: 0,
            ends: vec![0; self.job_s].into(),
            in_flight: 0,
            ready: 0,
            starting: VecDeque::new(),
        };
        let mut state = ScalingState::default();
        let mut outcome = Outcome {
            backlog_age_s: Vec::with_capacity(load.seconds()),
            waited: Vec::new(),
            worker_s: 0,
            decided: Vec::new(),
            busy_s: load.jobs() as f64 * self.job_s as f64 / f64::from(self.rules.concurrency),
        };
        for second in 0..load.seconds() {
            if second.is_multiple_of(self.every_s) {
                let sample = self.sample(load, &now, second);
                let (decision, next) = decide(&self.rules, state, &sample);
                state = next;
                now.resize(decision.workers, second + self.start_s);
                outcome.decided.push(decision.workers);
            }
            self.second(&mut now, second, load.at(second), &mut outcome);
        }
        outcome
    }

    fn sample(&self, load: &Load, now: &Now, second: usize) -> Sample {
        let age_s = now.waiting.front().map(|(came, _)| second - came);
        let ahead = self.looks_ahead.then(|| load.look_ahead(second));
        let ahead = ahead
            .into_iter()
            .flatten()
            .map(|(within_s, jobs)| LookAhead {
                within: Duration::from_secs(within_s),
                jobs: jobs * self.foreseen_percent / 100,
            });
        // Without a look ahead somebody has to count what comes.
        let came = || {
            (second.saturating_sub(self.every_s)..second)
                .map(|at| load.at(at))
                .sum()
        };
        Sample {
            now_ms: second as i64 * 1000,
            waiting: now.waiting_jobs,
            in_flight: now.in_flight,
            oldest_age_ms: age_s
                .filter(|_| self.tells_age)
                .map(|age_s| age_s as i64 * 1000),
            look_ahead: ahead.collect(),
            arrived: (!self.looks_ahead).then(came),
            completed: None,
            workers: None,
        }
    }

    fn second(&self, now: &mut Now, second: usize, arriving: u64, outcome: &mut Outcome) {
        now.start_workers(second);
        let ended = now.ends.pop_front().unwrap_or(0);
        now.in_flight -= ended;
        if arriving > 0 {
            now.waiting.push_back((second, arriving));
            now.waiting_jobs += arriving;
        }
        let concurrency = u64::from(self.rules.concurrency);
        let room = (u64::from(now.ready) * concurrency).saturating_sub(now.in_flight);
        let taken = now.take(room, second, &mut outcome.waited);
        now.ends.push_back(taken);
        now.in_flight += taken;
        // Whoever is let go ends its jobs first.
        let working = now.in_flight.div_ceil(concurrency);
        let starting: u32 = now.starting.iter().map(|(_, count)| count).sum();
        outcome.worker_s += u64::from(now.ready).max(working) + u64::from(starting);
        let oldest = now.waiting.front();
        outcome
            .backlog_age_s
            .push(oldest.map_or(0, |(came, _)| (second - came) as u64));
    }
}

impl Now {
    fn start_workers(&mut self, second: usize) {
        while let Some((ready_s, count)) = self.starting.front().copied() {
            if ready_s > second {
                break;
            }
            self.ready += count;
            self.starting.pop_front();
        }
    }

    /// As an orchestrator does: those that start go first.
    fn resize(&mut self, workers: u32, ready_s: usize) {
        let total = self.ready + self.starting.iter().map(|(_, count)| count).sum::<u32>();
        if workers > total {
            self.starting.push_back((ready_s, workers - total));
        }
        let mut excess = total.saturating_sub(workers);
        while let Some(last) = self.starting.back_mut().filter(|_| excess > 0) {
            let gone = excess.min(last.1);
            last.1 -= gone;
            excess -= gone;
            if last.1 == 0 {
                self.starting.pop_back();
            }
        }
        self.ready -= excess;
    }

    fn take(&mut self, mut room: u64, second: usize, waited: &mut Vec<u64>) -> u64 {
        let mut taken = 0;
        while let Some(first) = self.waiting.front_mut().filter(|_| room > 0) {
            let jobs = room.min(first.1);
            let wait_s = second - first.0;
            if waited.len() <= wait_s {
                waited.resize(wait_s + 1, 0);
            }
            waited[wait_s] += jobs;
            first.1 -= jobs;
            room -= jobs;
            taken += jobs;
            if first.1 == 0 {
                self.waiting.pop_front();
            }
        }
        self.waiting_jobs -= taken;
        taken
    }
}
