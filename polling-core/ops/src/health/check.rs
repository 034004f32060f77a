//! One named look at one thing.

use std::{fmt, future::ready, panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use tokio::time::timeout;

use super::Verdict;

/// How long a check may take unless set otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an answer holds unless set otherwise.
pub const DEFAULT_CACHE: Duration = Duration::from_secs(1);

/// What can be asked: `Fn() -> bool`, `Fn() -> Result<(), E>`, `Fn() -> Verdict`, or the same by a
/// future.
///
/// `Kind` tells plain functions from asynchronous ones; it is never written. A plain function is
/// called on the runtime: it must not block.
#[diagnostic::on_unimplemented(
    message = "this cannot be a check",
    note = "a check is `Fn() -> V` or `Fn() -> impl Future<Output = V> + Send`, where V is bool, Result<(), E> or Verdict; what it captures must be Send, Sync and 'static"
)]
pub trait CheckFn<Kind>: Send + Sync + 'static {
    /// Asks once.
    fn ask(&self) -> BoxFuture<'static, Verdict>;
}

/// Marks functions that answer at once.
#[derive(Debug)]
pub enum AtOnce {}

/// Marks functions that answer by a future.
#[derive(Debug)]
pub enum Later {}

impl<F, V> CheckFn<AtOnce> for F
where
    F: Fn() -> V + Send + Sync + 'static,
    V: Into<Verdict>,
{
    fn ask(&self) -> BoxFuture<'static, Verdict> {
        ready(self().into()).boxed()
    }
}

impl<F, A> CheckFn<Later> for F
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Future + Send + 'static,
    A::Output: Into<Verdict>,
{
    fn ask(&self) -> BoxFuture<'static, Verdict> {
        self().map(Into::into).boxed()
    }
}

type Ask = Box<dyn Fn() -> BoxFuture<'static, Verdict> + Send + Sync>;

/// A named check. Unless [`Check::for_liveness`] says otherwise it counts for readiness alone.
#[must_use = "a check does nothing until it is added"]
pub struct Check {
    pub(super) name: String,
    pub(super) live: bool,
    pub(super) cache: Duration,
    timeout: Duration,
    softened: bool,
    ask: Ask,
}

impl Check {
    /// A check called `name` that asks `check`.
    pub fn new<Kind: 'static>(name: impl Into<String>, check: impl CheckFn<Kind>) -> Self {
        Self {
            name: name.into(),
            live: false,
            cache: DEFAULT_CACHE,
            timeout: DEFAULT_TIMEOUT,
            softened: false,
            ask: Box::new(move || check.ask()),
        }
    }

    /// While it fails the process should be started anew. Who is not alive is not ready either.
    ///
    /// A server that is away is no such case: a restart does not bring it back.
    pub const fn for_liveness(mut self) -> Self {
        self.live = true;
        self
    }

    /// How long it may take; [`DEFAULT_TIMEOUT`] unless set.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For how long an answer is given again without asking; [`DEFAULT_CACHE`] unless set. With
    /// zero everyone who comes while nobody asks has it asked.
    pub const fn cache(mut self, cache: Duration) -> Self {
        self.cache = cache;
        self
    }

    /// Its failure does not stop the work: it is told as degraded.
    pub const fn only_degrades(mut self) -> Self {
        self.softened = true;
        self
    }

    /// Asks, without a deadline.
    pub(super) fn ask(&self) -> BoxFuture<'static, Verdict> {
        (self.ask)()
    }

    /// Asks, for as long as it may take.
    pub(super) async fn run(&self) -> Verdict {
        // The call itself may panic as well, so it is within the future.
        let asked = AssertUnwindSafe(async { self.ask().await }).catch_unwind();
        let verdict = match timeout(self.timeout, asked).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Verdict::failing("the check panicked; its message is in the log"),
            Err(_) => Verdict::failing(format!("no answer within {:?}", self.timeout)),
        };
        if self.softened {
            verdict.softened()
        } else {
            verdict
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("name", &self.name)
            .field("live", &self.live)
            .field("timeout", &self.timeout)
            .field("cache", &self.cache)
            .field("softened", &self.softened)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::{super::State, *};

    async fn verdict_of<Kind: 'static>(check: impl CheckFn<Kind>) -> Verdict {
        Check::new("x", check).run().await
    }

    #[tokio::test]
    async fn plain_and_asynchronous_functions_are_checks_alike() {
        assert_eq!(verdict_of(|| true).await, Verdict::passing());
        assert_eq!(verdict_of(async || true).await, Verdict::passing());
        assert_eq!(
            verdict_of(|| Err::<(), _>("away")).await,
            Verdict::failing("away")
        );
        let later = || async { Err::<(), _>("away".to_owned()) };
        assert_eq!(verdict_of(later).await, Verdict::failing("away"));
        let degraded = || Verdict::degraded("slow");
        assert_eq!(verdict_of(degraded).await.state(), State::Degraded);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_answer_in_time_fails() {
        let check = Check::new("x", pending::<bool>).timeout(Duration::from_secs(2));
        let verdict = check.run().await;
        assert_eq!(verdict, Verdict::failing("no answer within 2s"));
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_without_its_message() {
        let panics = || -> bool { panic!("hunter2") };
        let verdict = verdict_of(panics).await;
        assert_eq!(verdict.state(), State::Failing);
        assert!(!verdict.reason().unwrap().contains("hunter2"));
        async fn panics_later() -> bool {
            panic!("hunter2")
        }
        assert_eq!(verdict_of(panics_later).await, verdict);
    }

    #[tokio::test]
    async fn a_failure_that_only_degrades_is_told_as_such() {
        let verdict = Check::new("x", || false).only_degrades().run().await;
        assert_eq!(verdict.state(), State::Degraded);
        assert!(verdict.reason().is_some());
    }
}
