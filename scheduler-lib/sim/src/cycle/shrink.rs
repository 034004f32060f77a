//! From a run that failed to the shortest one that fails alike, and its story.

use std::fmt;

use super::{
    campaign::{Campaign, Failed},
    channel,
    faults::Fault,
    property::Violation,
    run::{Outcome, run},
};

/// Most lines of a story.
const MAX_LINES: usize = 80;

/// The shortest run found that breaks the same promise.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// The named scenario, unchanged.
    pub named: Option<&'static str>,
    /// The seed, unchanged.
    pub seed: u64,
    /// Minutes with faults.
    pub minutes: u64,
    /// Jobs at the beginning, unchanged.
    pub jobs: u64,
    /// Kinds of fault that it does not need.
    pub without: Vec<Fault>,
    /// What it ends with.
    pub violation: Violation,
    /// What happened to the job concerned, or to all where no job is.
    pub story: Vec<String>,
}

/// Shortens a run that failed: to the minute of its violation, then kind by kind to the faults that
/// it needs, then once more in time.
#[must_use]
pub fn shrink(campaign: &Campaign, failed: &Failed) -> Shrunk {
    let mut shrinking = Shrinking {
        campaign,
        seed: failed.seed,
        minutes: failed.minutes,
        without: campaign.without.clone(),
        violation: failed.violation.clone(),
    };
    shrinking.shorten();
    for fault in Fault::ALL {
        let mut fewer = shrinking.without.clone();
        if !fewer.contains(fault) {
            fewer.push(*fault);
            let _ = shrinking.try_with(shrinking.minutes, fewer);
        }
    }
    shrinking.shorten();
    let trace = shrinking
        .run(shrinking.minutes, &shrinking.without, true)
        .trace;
    let Shrinking {
        seed,
        minutes,
        without,
        violation,
        ..
    } = shrinking;
    Shrunk {
        named: campaign.named,
        seed,
        minutes,
        jobs: campaign.jobs,
        without,
        story: story(&trace, &violation),
        violation,
    }
}

struct Shrinking<'a> {
    campaign: &'a Campaign,
    seed: u64,
    minutes: u64,
    without: Vec<Fault>,
    violation: Violation,
}

impl Shrinking<'_> {
    fn run(&self, minutes: u64, without: &[Fault], traced: bool) -> Outcome {
        let scenario = self.campaign.scenario(self.seed, minutes);
        run(scenario.without(without), traced)
    }

    /// Takes a smaller run if it breaks the same promise.
    fn try_with(&mut self, minutes: u64, without: Vec<Fault>) -> bool {
        let property = self.violation.property;
        let found = self.run(minutes, &without, false).violation;
        let Some(found) = found.filter(|found| found.property == property) else {
            return false;
        };
        (self.minutes, self.without, self.violation) = (minutes, without, found);
        true
    }

    /// What breaks while faults go on breaks as well when they would stop right after. What breaks
    /// in the end may need them all: the time is halved, then cut by a quarter, while it does.
    fn shorten(&mut self) {
        let broken_after = self.violation.at_ms.unsigned_abs().div_ceil(60_000).max(1);
        if broken_after < self.minutes {
            self.try_with(broken_after, self.without.clone());
        }
        for share in [2, 4, 8] {
            loop {
                let fewer = self.minutes - self.minutes / share;
                if fewer == self.minutes || !self.try_with(fewer, self.without.clone()) {
                    break;
                }
            }
        }
    }
}

/// The last lines that name the job's account, and the faults that struck all.
fn story(trace: &str, violation: &Violation) -> Vec<String> {
    let account = violation.job.as_ref().map(channel::account_of);
    let concerns = |line: &str| match &account {
        Some(account) => {
            line.contains(account.as_str())
                || line.contains("fault rollback")
                || line.contains("the faults stop")
        }
        None => true,
    };
    let lines: Vec<_> = trace.lines().filter(|line| concerns(line)).collect();
    let from = lines.len().saturating_sub(MAX_LINES);
    lines[from..].iter().map(ToString::to_string).collect()
}

/// How to see it again, and the story.
impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        let Self {
            seed,
            minutes,
            jobs,
            ..
        } = self;
        write!(f, "cargo run --release -p cycle-sim --")?;
        if let Some(name) = self.named {
            write!(f, " --scenario {name}")?;
        }
        write!(f, " --seed {seed} --minutes {minutes} --jobs {jobs}")?;
        if !self.without.is_empty() {
            let names: Vec<_> = self.without.iter().map(|fault| fault.as_str()).collect();
            write!(f, " --without {}", names.join(","))?;
        }
        writeln!(f, "\n")?;
        for line in &self.story {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}
