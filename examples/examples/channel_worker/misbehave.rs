//! Accounts whose polls do harm: pollers to test what the SDK holds against them.

use std::{ops::RangeInclusive, process, str::FromStr, time::Duration};

use clap::Args;
use polling_core::{Event, Job, PollError, Polled, Poller, Topic};

/// How long a poll blocks its thread: longer than its deadline and the grace after it.
const BLOCKS_FOR: Duration = Duration::from_secs(15);

/// The payload of an event that is too large, wherever a bus takes less.
const OVERSIZE_BYTES: usize = 200_000;

/// Memory is taken in pieces of this size.
const PIECE_SIZE_BYTES: usize = 1024 * 1024;

/// Which accounts misbehave, and how.
#[derive(Debug, Clone, Args)]
pub(crate) struct Misbehavior {
    /// For tests: polls of these accounts misbehave. Repeat it for more; the first that names an
    /// account holds. MODE is one of:
    /// fails (a transient error each time),
    /// hangs (never ends),
    /// panics,
    /// blocks (its thread, for 15 s),
    /// eats-memory (up to --eats-mb, then ends the process as an out-of-memory killer would),
    /// aborts (ends the process at each poll: a poison payload),
    /// oversizes (an event of 200 kB each time; --kafka says how much is too large).
    #[arg(long = "misbehave", value_name = "ACCOUNT[-ACCOUNT]=MODE")]
    rules: Vec<Rule>,
    /// Megabytes that the mode eats-memory takes before it ends the process.
    #[arg(long = "eats-mb", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1024))]
    eats_mb: u16,
}

/// What the polls of some accounts do.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    accounts: RangeInclusive<u64>,
    mode: Mode,
}

/// What a poll does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Mode {
    Fails,
    Hangs,
    Panics,
    Blocks,
    EatsMemory,
    Aborts,
    Oversizes,
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usage = "write ACCOUNT=MODE or FIRST-LAST=MODE, such as 7=hangs or 10-19=panics";
        let (accounts, mode) = text.split_once('=').ok_or(usage)?;
        let (first, last) = accounts.split_once('-').unwrap_or((accounts, accounts));
        let number = |text: &str| text.parse().map_err(|_| usage);
        Ok(Self {
            accounts: number(first)?..=number(last)?,
            mode: clap::ValueEnum::from_str(mode, false)?,
        })
    }
}

/// The poller within, but for the accounts that misbehave.
pub(crate) struct Misbehaving<P> {
    inner: P,
    topic: Topic,
    behavior: Misbehavior,
}

impl<P> Misbehaving<P> {
    pub(crate) fn new(inner: P, topic: Topic, behavior: Misbehavior) -> Self {
        Self {
            inner,
            topic,
            behavior,
        }
    }

    fn oversized(&self, job: &Job) -> Polled {
        let mut polled = Polled::new(job.context.clone());
        let payload = vec![b' '; OVERSIZE_BYTES];
        polled.events = vec![Event::new(self.topic.clone(), "oversize", payload, 0)];
        polled
    }

    fn mode(&self, account: &str) -> Option<Mode> {
        let account: u64 = account.parse().ok()?;
        let rules = &self.behavior.rules;
        let rule = rules.iter().find(|rule| rule.accounts.contains(&account));
        rule.map(|rule| rule.mode)
    }
}

impl<P: Poller> Poller for Misbehaving<P> {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let Some(mode) = self.mode(job.account.as_str()) else {
            return self.inner.poll(job).await;
        };
        tracing::warn!(account = %job.account, ?mode, "misbehaving");
        match mode {
            Mode::Fails => return Err(PollError::transient("it was told to fail")),
            Mode::Hangs => std::future::pending().await,
            Mode::Panics => panic!("it was told to panic"),
            Mode::Blocks => block(),
            Mode::EatsMemory => eat_memory(self.behavior.eats_mb).await,
            Mode::Aborts => process::abort(),
            Mode::Oversizes => return Ok(self.oversized(&job)),
        }
        Err(PollError::transient("it came back from misbehaving"))
    }
}

#[expect(clippy::disallowed_methods, reason = "to block is what is wanted here")]
fn block() {
    std::thread::sleep(BLOCKS_FOR);
}

async fn eat_memory(limit_mb: u16) {
    let mut eaten = Vec::new();
    while eaten.len() < usize::from(limit_mb) {
        // Not zeros: pages of those would not be real.
        eaten.push(vec![1u8; PIECE_SIZE_BYTES]);
        // Others run between two pieces; a pause would end at the poll's deadline on a busy
        // machine.
        tokio::task::yield_now().await;
    }
    tracing::error!(limit_mb, "out of memory");
    process::abort();
}

#[cfg(test)]
mod tests {
    use polling_core::{Context, poller_fn};

    use super::*;

    fn poller(rules: &[&str]) -> Misbehaving<impl Poller> {
        let inner = poller_fn(|_| async { Ok(Polled::new(Context::new())) });
        let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let topic = Topic::new("posts").unwrap();
        Misbehaving::new(inner, topic, Misbehavior { rules, eats_mb: 1 })
    }

    #[test]
    fn the_first_rule_that_names_an_account_holds() {
        let poller = poller(&["7=aborts", "5-9=hangs"]);
        assert_eq!(poller.mode("7"), Some(Mode::Aborts));
        assert_eq!(poller.mode("9"), Some(Mode::Hangs));
        assert_eq!(poller.mode("10"), None);
        assert_eq!(poller.mode("seven"), None);
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused_with_what_does() {
        for wrong in ["7", "x=hangs", "7-=hangs"] {
            assert!(wrong.parse::<Rule>().unwrap_err().contains("10-19=panics"));
        }
        assert!("7=sings".parse::<Rule>().is_err());
        let eats = "7=eats-memory".parse::<Rule>().unwrap();
        assert_eq!(eats.mode, Mode::EatsMemory);
    }
}
