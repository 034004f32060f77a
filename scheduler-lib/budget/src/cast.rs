//! Who takes part: our jobs with their poller, and the other product.

use std::{ops::Range, sync::Arc, time::Duration};

use polling_core::{Job, PollError, Polled, Poller};
use polling_model::{AccountId, Event, Generator, JobType, ServiceLevel, SharedClock, Topic};
use scheduler_lib::{
    Registration, Registry, RegistryError,
    ledger::Cushion,
    policy::{JobTypeRules, LevelRules, ScopeRule},
};
use tokio::time::sleep;

use crate::{
    channel::Channel,
    meter::Caller,
    product::calls_of_window,
    scenario::{Scenario, TIERS, Tier},
};

/// The type of all jobs.
pub(crate) fn job_type() -> JobType {
    JobType::new("posts").expect("posts is a valid job type")
}

/// The rules of all jobs: they count in one scope, and levels have weights.
pub(crate) fn rules(scenario: &Scenario) -> JobTypeRules {
    let levels = TIERS.map(|tier| {
        let weight = tier.weight;
        let rules = LevelRules {
            weight,
            ..LevelRules::default()
        };
        (level(tier), rules)
    });
    let app = ScopeRule {
        scope: "app".parse().expect("app is a valid scope"),
        cushion: None,
        limit: None,
    };
    JobTypeRules {
        levels: levels.into(),
        scopes: vec![app],
        cushion: Cushion::Calls(scenario.cushion),
        ..JobTypeRules::every(scenario.interval())
    }
}

fn level(tier: Tier) -> ServiceLevel {
    ServiceLevel::new(tier.name).expect("a tier's name is a valid level")
}

/// Registers all jobs.
pub(crate) async fn register(
    scenario: &Scenario,
    registry: &Registry,
) -> Result<(), RegistryError> {
    for number in 0..scenario.jobs {
        let account = AccountId::new(number.to_string()).expect("digits are a valid account");
        let registration = Registration {
            level: Some(level(TIERS[Tier::of_account(number)])),
            ..Registration::new(job_type(), account)
        };
        registry.register(registration).await?;
    }
    Ok(())
}

/// The other product spends in every window of the run.
pub(crate) async fn spend(scenario: Scenario, channel: Arc<Channel>, clock: SharedClock) {
    for window in 0..scenario.windows as i64 {
        let begins_ms = scenario.start_ms + window * scenario.window_ms;
        let calls = calls_of_window(
            scenario.seed,
            window,
            scenario.limit,
            &scenario.other_share,
            scenario.window_ms,
        );
        for at_ms in calls {
            let left_ms = begins_ms + at_ms - clock.now_ms();
            if left_ms > 0 {
                sleep(Duration::from_millis(left_ms.unsigned_abs())).await;
            }
            channel.call(Caller::Other).await;
        }
    }
}

/// Polls an account with one call.
#[derive(Debug)]
pub(crate) struct ChannelPoller {
    pub(crate) channel: Arc<Channel>,
    /// The worker's clock.
    pub(crate) clock: SharedClock,
    /// Draws how long a call takes.
    pub(crate) generator: Generator,
    /// Bounds of that, milliseconds.
    pub(crate) call_ms: Range<u64>,
    /// Where each poll tells of one event; without a topic nothing is ever new.
    pub(crate) topic: Option<Topic>,
}

impl Poller for ChannelPoller {
    /// The channel counts the call somewhere on its way, and its answer comes later.
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let spread_ms = self.call_ms.end.saturating_sub(self.call_ms.start);
        let call_ms = self.call_ms.start + self.generator.below(spread_ms);
        let there_ms = (call_ms as f64 * self.generator.fraction()) as u64;
        sleep(Duration::from_millis(there_ms)).await;
        let account = job.account.as_str().parse().unwrap_or(u64::MAX);
        let answer = self.channel.call(Caller::Ours(account)).await;
        sleep(Duration::from_millis(call_ms - there_ms)).await;
        let scope = self.channel.scope().clone();
        let now_ms = self.clock.now_ms();
        if !answer.admitted {
            return Err(answer.refusal(scope, now_ms));
        }
        let event = |topic: &Topic| {
            let left = format!("{} calls left", answer.remaining);
            Event::new(
                topic.clone(),
                job.token.generation.to_string(),
                left,
                now_ms,
            )
        };
        let polled = Polled::new(job.context.clone()).with_allowance(answer.allowance(scope));
        Ok(polled.with_events(self.topic.iter().map(event)))
    }
}
