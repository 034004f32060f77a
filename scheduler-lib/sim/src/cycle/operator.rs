//! Registrations, and edits by hand while everything goes wrong.

use std::{sync::Arc, time::Duration};

use polling_model::{AccountId, Clock as _, Context, Generator, JobId, JobType, ServiceLevel};
use scheduler_lib::{
    Change, Registration, Registry, SlotStore as _,
    store::{Hold, NewJob, Place},
};
use tokio::time::sleep;

use super::{channel::SINCE, scenario::level, stage::Stage};

/// Somebody who owns accounts, and changes their mind.
pub(crate) struct Operator {
    stage: Arc<Stage>,
    registry: Registry,
    generator: Generator,
}

/// One more account in ten than there are jobs at the beginning: some register later.
fn accounts(jobs: u64) -> u64 {
    jobs + jobs.div_ceil(10)
}

impl Operator {
    pub(crate) fn new(stage: &Arc<Stage>) -> Self {
        Self {
            stage: Arc::clone(stage),
            registry: stage.registry(),
            generator: Generator::from_seed(stage.scenario.seed ^ 0x0b5e55ed),
        }
    }

    /// Registers all jobs, and each until it is known to be registered.
    pub(crate) async fn register_all(&self) {
        if self.stage.scenario.in_one_slot {
            return self.register_in_one_slot().await;
        }
        for number in 0..self.stage.scenario.jobs {
            while self.register(number).await.is_none() {
                sleep(Duration::from_secs(1)).await;
            }
        }
    }

    /// Edits until the faults stop.
    pub(crate) async fn edit_until_healed(self) {
        let per_h = self.stage.scenario.edits_per_h;
        let healed = self.stage.faults.healed.clone();
        while per_h > 0.0 && !healed.is_cancelled() {
            sleep(exponential(&self.generator, per_h)).await;
            let number = self.generator.below(accounts(self.stage.scenario.jobs));
            // Its outcome is unknown, as that of any call.
            let _ = self.edit(number).await;
        }
    }

    async fn register(&self, number: u64) -> Option<()> {
        let registration = Registration {
            level: Some(self.any_level()),
            ..Registration::new(job_type(), account(number))
        };
        let call = self.registry.register(registration);
        self.stage.attempt(call).await.map(drop)
    }

    /// Past the registry, which would spread them.
    async fn register_in_one_slot(&self) {
        let (store, now_ms) = (&self.stage.store, self.stage.clock.now_ms());
        let due_ms = now_ms + 60_000;
        let context = Context::new().encode().expect("an empty context fits");
        for number in 0..self.stage.scenario.jobs {
            let job = NewJob {
                id: JobId::of(&job_type(), &account(number)),
                job_type: job_type(),
                account: account(number),
                level: self.any_level(),
                cushion: None,
                context: context.clone(),
                incarnation: self.generator.nonce(),
                due: [due_ms; 2],
            };
            let registered = store.register(vec![job], now_ms).await;
            registered.expect("a store in memory takes every job");
        }
    }

    async fn edit(&self, number: u64) -> Option<()> {
        self.stage.edited();
        let id = JobId::of(&job_type(), &account(number));
        let (stage, registry) = (&self.stage, &self.registry);
        match self.generator.below(8) {
            0 | 1 => self.register(number).await,
            2 => stage.attempt(registry.remove(&id)).await,
            3 => stage.attempt(registry.pause(&id)).await.map(drop),
            4 => stage.attempt(registry.resume(&id)).await.map(drop),
            5 => stage.attempt(registry.run_now(&id)).await,
            6 => {
                let change = Change {
                    level: Some(self.any_level()),
                    ..Change::default()
                };
                stage.attempt(registry.update(&id, change)).await
            }
            _ => {
                // Back to an event that is published, or all would be right to miss those between.
                let through = stage.oracle.delivered_through(&account(number));
                let since = self.generator.below(through + 1) as i64;
                let context = Context::from_iter([(SINCE, since.into())]);
                stage.attempt(registry.replace_context(&id, &context)).await
            }
        }
    }

    fn any_level(&self) -> ServiceLevel {
        let mut at = self.generator.below(100);
        for of in &self.stage.scenario.levels {
            if at < of.share {
                return level(of.name);
            }
            at -= of.share;
        }
        level("default")
    }
}

/// Returns every held job to the cycle. One that its queue refused needs a smaller context: the
/// one that says what is published.
pub(crate) async fn resume_all(stage: &Stage, registry: &Registry) {
    let mut from = None;
    while let Ok(page) = registry.list(from.as_ref(), 1_000).await {
        for record in &page.records {
            if record.state.place == Place::Held(Hold::Refused) {
                let since = stage.oracle.delivered_through(&record.state.account);
                let context = Context::from_iter([(SINCE, (since as i64).into())]);
                let _ = registry.replace_context(&record.id, &context).await;
            }
            let _ = registry.resume(&record.id).await;
        }
        from = page.next;
        if from.is_none() {
            return;
        }
    }
}

pub(crate) fn account(number: u64) -> AccountId {
    // Of one length, so that no id is a part of another.
    AccountId::new(format!("a{number:06}")).expect("letters and digits are a valid account")
}

pub(crate) fn job_type() -> JobType {
    JobType::new("posts").expect("posts is a valid job type")
}

/// The time to the next of events that come `per_h` an hour on average.
pub(crate) fn exponential(generator: &Generator, per_h: f64) -> Duration {
    let mean_s = 3600.0 / per_h;
    Duration::from_secs_f64(-(1.0 - generator.fraction()).ln() * mean_s)
}
