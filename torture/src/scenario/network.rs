//! What a proxy before each server breaks.

mod faults;
mod play;

use std::time::Duration;

use async_trait::async_trait;

use self::play::Injection;
use super::{Allow, Scenario};
use crate::{oracle::calls, report::Report, runner::Run, stage::Setting};

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
    /// How many events a worker may have on their way, where that is little: single polls must have
    /// had more.
    room_for_events: Option<usize>,
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
        let broken = Duration::from_secs(self.broken_s);
        let working = Duration::from_secs(self.working_s);
        if self.injections.len() > 1 {
            // Each of them at least once, however short the run was to be.
            run.at_least((broken + working) * self.injections.len() as u32);
        }
        for injection in self.injections.iter().cycle() {
            if run.left().is_zero() {
                break;
            }
            play::inject(run, self.name, injection, broken).await?;
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
        if let Some(room) = self.room_for_events {
            let calls = calls::read(&run.stage.channel_log())?;
            let fuller = calls.iter().filter(|call| call.ids.len() > room).count();
            report.check(
                "faults were injected",
                fuller > 0,
                format!("{fuller} polls had more events than there was room for, {room}"),
            );
        }
        Ok(())
    }
}
