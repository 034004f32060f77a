//! The rules, one function each.

use std::time::Duration;

use tokio::time::sleep;

use super::{Subject, Violation, cut::cut, trial::Trial};
use crate::Poller;

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

/// What passes between a poll and its repeat, so that ids made of the time differ.
const PAUSE: Duration = Duration::from_millis(100);

/// Polls whose completion is lost, the job's first one and a later one.
pub(super) async fn repeats<S: Subject>(subject: &S) -> Result<(), Violation> {
    let rule = "a repeated poll publishes the same event ids, and no others";
    let mut trial = Trial::new(subject, rule);
    for _ in 0..2 {
        trial.add(5);
        let context = trial.rig().context().clone();
        let first = trial.poll().await?;
        trial.rewind(context);
        sleep(PAUSE).await;
        let second = trial.poll().await?;
        if first.id_set() != second.id_set() {
            return Err(trial.broken("the second time it published others"));
        }
    }
    trial.settle().await
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
    trial.add(SEVERAL_PAGES);
    for _ in 0..TRICKLE {
        trial.poll_amid_arrivals(TRICKLE).await?;
    }
    trial.settle().await
}

/// A refusal of the very first call.
pub(super) async fn limit_is_told<S: Subject>(subject: &S) -> Result<(), Violation> {
    let mut trial = Trial::new(subject, super::LIMIT_IS_TOLD);
    trial.add(3);
    subject.limit(Some(0));
    if trial.poll_refused().await?.failure().is_none() {
        return Err(trial.broken("a poll whose calls were refused succeeded"));
    }
    subject.limit(None);
    trial.settle().await
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
