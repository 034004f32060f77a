//! The rules, one function each.

use super::{Subject, Violation, cut::cut, trial::Trial};
use crate::{ErrorClass, Poller, test_util::Run};

/// Items of the bursts. The channel is at rest before the last one.
const BURSTS: [usize; 6] = [3, 0, 40, 1, 250, 7];

/// Items that appear one by one while a burst is being read.
const TRICKLE: usize = 20;

/// Items of which a few calls read a part.
const SEVERAL_PAGES: usize = 100;

/// Calls that are answered of each poll that is refused half-way.
const CALLS_LEFT: u64 = 3;

/// Awaits at which a poll is dropped at most.
const MAX_CUTS: usize = 100;

/// A first poll, and another that knows nothing of it.
pub(super) async fn repeats<S: Subject>(subject: &S) -> Result<(), Violation> {
    let rule = "a repeated poll publishes the same event ids, and no others";
    let mut first = Trial::new(subject, rule);
    first.add(5);
    first.settle().await?;
    let mut second = first.again();
    second.settle().await?;
    if first.published() == second.published() {
        return Ok(());
    }
    Err(first.broken("the second time it published others"))
}

/// Bursts of all sizes, and items that appear while one is being read.
pub(super) async fn bursts<S: Subject>(subject: &S) -> Result<(), Violation> {
    let mut trial = Trial::new(subject, "nothing is skipped across bursts");
    for items in BURSTS {
        trial.add(items);
        trial.poll().await?;
    }
    for _ in 0..TRICKLE {
        trial.add(1);
        trial.poll().await?;
    }
    trial.settle().await
}

/// A refusal of the very first call.
pub(super) async fn limit_is_told<S: Subject>(subject: &S) -> Result<(), Violation> {
    let mut trial = Trial::new(subject, "a limit is told");
    trial.add(3);
    subject.limit(Some(0));
    let run = trial.poll().await?;
    told(&run).map_err(|found| trial.broken(found))?;
    subject.limit(None);
    trial.settle().await
}

fn told(run: &Run) -> Result<(), String> {
    let Some(failure) = run.failure() else {
        return Err("a poll whose calls were refused succeeded".to_owned());
    };
    if failure.class != ErrorClass::RateLimited {
        return Err(format!(
            "it should have failed as rate_limited, but {}",
            run.ending()
        ));
    }
    let until = |allowance: &crate::Allowance| {
        allowance.remaining == Some(0) && allowance.reset_at_ms.is_some()
    };
    if failure.retry_after_ms.is_none() && !run.allowances().iter().any(until) {
        return Err("it tells neither a `retry_after` nor an allowance with its reset".to_owned());
    }
    Ok(())
}

/// Every poll is refused after a few calls, for ever.
pub(super) async fn refused_half_way<S: Subject>(subject: &S) -> Result<(), Violation> {
    let rule = "a poll that is refused half-way keeps what it has";
    let mut trial = Trial::new(subject, rule);
    trial.add(SEVERAL_PAGES);
    trial.settle_within(CALLS_LEFT).await
}

/// Polls that are dropped at one await after the other, and then one that is not.
pub(super) async fn cancellation<S: Subject>(subject: &S) -> Result<(), Violation> {
    let mut trial = Trial::new(subject, "a poll may be dropped at any await");
    trial.add(SEVERAL_PAGES);
    for awaits in 0..MAX_CUTS {
        if cut(trial.rig().poller().poll(trial.rig().job()), awaits).await {
            break;
        }
    }
    trial.settle().await
}
