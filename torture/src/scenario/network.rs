//! What a proxy before each server breaks.

mod faults;
mod play;

use std::time::Duration;

use async_trait::async_trait;

use self::play::Injection;
use super::{Allow, Scenario};
use crate::{report::Report, runner::Run, stage::Setting};

/// Every scenario of this kind.
pub(super) fn all() -> impl Iterator<Item = Box<dyn Scenario>> {
    faults::ALL
        .into_iter()
        .map(|network| Box::new(network) as _)
}

/// A scenario whose faults are those of the proxies.
struct Network {
    name: &'static str,
    about: &'static str,
    /// What is broken, one after the other and then again from the first.
    injections: &'static [Injection],
    /// How long each of them lasts, and how long all works before the next.
    broken_s: u64,
    working_s: u64,
    /// Faults that must have been injected at least once each.
    must_count: &'static [&'static str],
    /// How long the channel takes for each answer.
    channel_latency_ms: u64,
    polls_per_dispatch: f64,
    /// Dead letters that count against their job, at most. No job is quarantined all the same.
    strikes: u64,
    /// Further arguments of every worker.
    worker_args: &'static [&'static str],
}

#[async_trait]
impl Scenario for Network {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn setting(&self) -> Setting {
        Setting {
            proxied: true,
            channel_latency: Duration::from_millis(self.channel_latency_ms),
            worker_args: self.worker_args.iter().map(|&arg| arg.to_owned()).collect(),
            ..Setting::default()
        }
    }

    fn allow(&self) -> Allow {
        Allow {
            polls_per_dispatch: self.polls_per_dispatch,
            strikes: self.strikes,
            ..Allow::default()
        }
    }

    async fn inject(&self, run: &mut Run) -> anyhow::Result<()> {
        let times = self.injections.iter().cycle();
        for injection in times {
            if run.left().is_zero() {
                break;
            }
            let broken = Duration::from_secs(self.broken_s);
            play::inject(run, self.name, injection, broken).await?;
            let working = Duration::from_secs(self.working_s);
            run.calm(working.min(run.left())).await;
        }
        Ok(())
    }

    fn judge(&self, run: &Run, report: &mut Report) -> anyhow::Result<()> {
        let counts = run.faults.counts();
        for fault in self.must_count {
            let count = counts.get(*fault).copied().unwrap_or(0);
            report.check(
                "faults were injected",
                count > 0,
                format!("{fault} {count}"),
            );
        }
        Ok(())
    }
}
