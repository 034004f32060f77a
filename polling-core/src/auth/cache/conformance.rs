//! What every [`TokenCache`](crate::auth::TokenCache) promises, as tests that run over any of them
//! (feature `test-util`).
//!
//! The fixture is an async function that is given a case and runs it on a [`Bench`]: an empty
//! cache, and the clock that its leases and cool-downs go by.
//!
//! ```
//! use std::sync::Arc;
//! use polling_core::{ManualClock, auth::{MemoryTokenCache, conformance::{Bench, START_MS}}};
//!
//! async fn on_a_fresh_cache(case: impl AsyncFnOnce(Bench)) {
//!     let clock = ManualClock::at(START_MS);
//!     let cache = Arc::new(MemoryTokenCache::new(Arc::new(clock.clone())));
//!     case(Bench::new(cache, clock)).await;
//! }
//!
//! polling_core::token_cache_conformance! {
//!     #[tokio::test]
//!     on_a_fresh_cache
//! }
//! ```

// A test that cannot go on may panic.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::{Attempt, CoolDown, Failures, Lease, SharedTokenCache, Stored, TokenKey, Version};
use crate::{Generator, ManualClock};

/// When each case begins, UTC milliseconds.
pub const START_MS: i64 = 1_700_000_000_000;

const LIFE: Duration = Duration::from_secs(60);
const COOL: Duration = Duration::from_secs(5);
const MS: Duration = Duration::from_millis(1);

/// One test for each promise, over the fixture at a path.
#[macro_export]
macro_rules! token_cache_conformance {
    ($(#[$attribute:meta])* $fixture:path) => {
        $crate::token_cache_conformance! { @cases [$(#[$attribute])*] $fixture;
            an_account_without_a_token_has_none,
            a_stored_token_is_read_as_it_was,
            versions_grow_even_after_the_account_was_forgotten,
            one_worker_at_a_time_holds_the_lease,
            a_lease_is_refused_to_one_who_has_not_seen_the_newest_token,
            a_lease_asked_for_again_is_granted_again,
            a_lease_ends_after_its_life,
            a_slow_refresh_overwrites_nothing,
            a_slow_refresh_that_nobody_overtook_is_kept,
            storing_again_changes_nothing,
            an_account_cools_down_after_a_failure,
            failures_are_counted_until_a_success,
            a_refusal_is_told_to_all,
            a_failure_that_was_overtaken_by_a_success_does_not_count,
            a_failing_endpoint_is_left_alone_for_all_accounts,
            after_its_cool_down_one_tries_the_endpoint_for_all,
            a_refusal_shows_that_the_endpoint_answers,
            a_late_success_does_not_end_the_endpoints_cool_down,
            channels_share_nothing,
            a_token_that_is_put_ends_everything,
            concurrent_leases_are_granted_once,
        }
    };
    (@cases $attributes:tt $fixture:path; $($case:ident,)*) => {
        $( $crate::token_cache_conformance! { @test $attributes $fixture; $case } )*
    };
    (@test [$(#[$attribute:meta])*] $fixture:path; $case:ident) => {
        $(#[$attribute])*
        async fn $case() {
            $fixture($crate::auth::conformance::$case).await;
        }
    };
}

/// An empty cache, the clock that it goes by, and a channel of its own.
#[derive(Debug)]
pub struct Bench {
    cache: SharedTokenCache,
    clock: ManualClock,
    generator: Generator,
    channel: String,
}

impl Bench {
    /// A bench for one case. Its channel is new each time, so that benches may share a server.
    #[must_use]
    pub fn new(cache: SharedTokenCache, clock: ManualClock) -> Self {
        let generator = Generator::from_os();
        let channel = format!("test-{}", generator.nonce());
        Self {
            cache,
            clock,
            generator,
            channel,
        }
    }

    fn key(&self, account: &str) -> TokenKey {
        TokenKey {
            channel: self.channel.parse().unwrap(),
            account: account.parse().unwrap(),
        }
    }

    fn attempt(&self, seen: Version) -> Attempt {
        let owner = self.generator.nonce();
        Attempt { seen, owner }
    }

    async fn lease(&self, account: &str, attempt: Attempt) -> Lease {
        let key = self.key(account);
        self.cache.lease(&key, attempt, LIFE).await.unwrap()
    }

    /// A lease that must be granted.
    async fn granted(&self, account: &str, seen: Version) -> (Attempt, Failures) {
        let attempt = self.attempt(seen);
        match self.lease(account, attempt).await {
            Lease::Granted(failures) => (attempt, failures),
            other => panic!("{account}: {other:?}"),
        }
    }

    async fn store(&self, account: &str, attempt: Attempt, token: &[u8]) -> Stored {
        let key = self.key(account);
        self.cache.store(&key, attempt, token).await.unwrap()
    }

    /// A first token.
    async fn seed(&self, account: &str) -> Version {
        let key = self.key(account);
        self.cache.put(&key, b"seed").await.unwrap()
    }

    async fn fail(&self, account: &str, attempt: Attempt, cool_down: CoolDown) {
        let key = self.key(account);
        self.cache.fail(&key, attempt, cool_down).await.unwrap();
    }

    async fn token(&self, account: &str) -> Option<Vec<u8>> {
        let cached = self.cache.read(&self.key(account)).await.unwrap();
        cached.map(|cached| cached.bytes)
    }
}

/// The account is to blame, not the endpoint.
fn own(failures: Failures) -> CoolDown {
    CoolDown {
        failures,
        account: COOL,
        endpoint: None,
        refused: None,
    }
}

/// The endpoint is to blame: the account is left alone for longer than the others.
fn endpoints(failures: Failures) -> CoolDown {
    CoolDown {
        account: COOL * 3,
        endpoint: Some(COOL),
        ..own(failures)
    }
}

fn cooling(left: Duration) -> Lease {
    let refused = None;
    Lease::Cooling { left, refused }
}

/// See its name.
pub async fn an_account_without_a_token_has_none(bench: Bench) {
    assert_eq!(bench.token("a").await, None);
    let (_, failures) = bench.granted("a", Version(0)).await;
    assert_eq!(failures, Failures::default());
    assert_eq!(bench.token("a").await, None, "a lease is no token");
}

/// See its name.
pub async fn a_stored_token_is_read_as_it_was(bench: Bench) {
    let bytes: Vec<u8> = (0..=255).collect();
    let (attempt, _) = bench.granted("a", Version(0)).await;
    let Stored::As(version) = bench.store("a", attempt, &bytes).await else {
        panic!("nobody else was there")
    };
    let cached = bench.cache.read(&bench.key("a")).await.unwrap().unwrap();
    assert_eq!((cached.version, cached.bytes), (version, bytes));
    assert_eq!(bench.token("b").await, None, "accounts share nothing");
}

/// See its name.
pub async fn versions_grow_even_after_the_account_was_forgotten(bench: Bench) {
    let first = bench.seed("a").await;
    let second = bench.seed("a").await;
    assert!(Version(0) < first && first < second);
    bench.cache.forget(&bench.key("a")).await.unwrap();
    assert_eq!(bench.token("a").await, None);
    bench.clock.advance(MS);
    assert!(bench.seed("a").await > second);
}

/// See its name.
pub async fn one_worker_at_a_time_holds_the_lease(bench: Bench) {
    let version = bench.seed("a").await;
    let (attempt, _) = bench.granted("a", version).await;
    let other = bench.attempt(version);
    assert_eq!(bench.lease("a", other).await, Lease::Busy(LIFE));
    bench.clock.advance(LIFE - MS);
    assert_eq!(bench.lease("a", other).await, Lease::Busy(MS));
    assert!(matches!(
        bench.store("a", attempt, b"new").await,
        Stored::As(_)
    ));
    assert_eq!(bench.lease("a", other).await, Lease::Changed);
}

/// See its name.
pub async fn a_lease_is_refused_to_one_who_has_not_seen_the_newest_token(bench: Bench) {
    let old = bench.seed("a").await;
    let new = bench.seed("a").await;
    for seen in [Version(0), old, Version(new.0 + 1)] {
        let attempt = bench.attempt(seen);
        assert_eq!(bench.lease("a", attempt).await, Lease::Changed);
    }
    bench.granted("a", new).await;
}

/// See its name.
pub async fn a_lease_asked_for_again_is_granted_again(bench: Bench) {
    let (failing, failures) = bench.granted("a", Version(0)).await;
    bench.fail("a", failing, endpoints(failures)).await;
    bench.clock.advance(COOL);
    // Whose grant was lost, and with it that of trying the endpoint.
    let (probe, failures) = bench.granted("b", Version(0)).await;
    bench.clock.advance(MS);
    let again = bench.lease("b", probe).await;
    assert_eq!(again, Lease::Granted(failures));
    let other = bench.attempt(Version(0));
    assert_eq!(bench.lease("b", other).await, Lease::Busy(LIFE));
    assert_eq!(bench.lease("c", other).await, Lease::Busy(LIFE));
}

/// See its name.
pub async fn a_lease_ends_after_its_life(bench: Bench) {
    let version = bench.seed("a").await;
    bench.granted("a", version).await;
    bench.clock.advance(LIFE);
    bench.granted("a", version).await;
}

/// See its name.
pub async fn a_slow_refresh_overwrites_nothing(bench: Bench) {
    let version = bench.seed("a").await;
    let (slow, _) = bench.granted("a", version).await;
    bench.clock.advance(LIFE);
    let (fast, _) = bench.granted("a", version).await;
    let Stored::As(newer) = bench.store("a", fast, b"fast").await else {
        panic!("nobody was faster")
    };
    assert_eq!(bench.store("a", slow, b"slow").await, Stored::Superseded);
    assert_eq!(bench.token("a").await.unwrap(), b"fast");
    bench.granted("a", newer).await;
}

/// See its name.
pub async fn a_slow_refresh_that_nobody_overtook_is_kept(bench: Bench) {
    let version = bench.seed("a").await;
    let (slow, _) = bench.granted("a", version).await;
    bench.clock.advance(LIFE);
    // Another has begun, with the refresh token that the slow one has spent.
    let (fast, failures) = bench.granted("a", version).await;
    assert!(matches!(
        bench.store("a", slow, b"slow").await,
        Stored::As(_)
    ));
    bench.fail("a", fast, own(failures)).await;
    assert_eq!(bench.token("a").await.unwrap(), b"slow");
}

/// See its name.
pub async fn storing_again_changes_nothing(bench: Bench) {
    let version = bench.seed("a").await;
    let (attempt, _) = bench.granted("a", version).await;
    let first = bench.store("a", attempt, b"new").await;
    bench.clock.advance(MS);
    assert_eq!(bench.store("a", attempt, b"new").await, first);
}

/// See its name.
pub async fn an_account_cools_down_after_a_failure(bench: Bench) {
    let version = bench.seed("a").await;
    let (attempt, failures) = bench.granted("a", version).await;
    bench.fail("a", attempt, own(failures)).await;
    let other = bench.attempt(version);
    assert_eq!(bench.lease("a", other).await, cooling(COOL));
    bench.granted("b", Version(0)).await;
    bench.clock.advance(COOL - MS);
    assert_eq!(bench.lease("a", other).await, cooling(MS));
    bench.clock.advance(MS);
    bench.granted("a", version).await;
    assert_eq!(bench.token("a").await.unwrap(), b"seed", "it is kept");
}

/// See its name.
pub async fn failures_are_counted_until_a_success(bench: Bench) {
    for account in ["a", "without a token"] {
        let account = &account.replace(' ', "-");
        let seen = match account.as_str() {
            "a" => bench.seed("a").await,
            _ => Version(0),
        };
        for expected in 0..3 {
            let (attempt, failures) = bench.granted(account, seen).await;
            assert_eq!(failures.account, expected);
            bench.fail(account, attempt, own(failures)).await;
            bench.clock.advance(COOL);
        }
        let (attempt, _) = bench.granted(account, seen).await;
        let Stored::As(version) = bench.store(account, attempt, b"new").await else {
            panic!("nobody was faster")
        };
        let (_, failures) = bench.granted(account, version).await;
        assert_eq!(failures, Failures::default());
    }
}

/// See its name.
pub async fn a_refusal_is_told_to_all(bench: Bench) {
    let version = bench.seed("a").await;
    let (attempt, failures) = bench.granted("a", version).await;
    let refused = CoolDown {
        refused: Some("invalid_grant".parse().unwrap()),
        ..own(failures)
    };
    bench.fail("a", attempt, refused.clone()).await;
    let told = Lease::Cooling {
        left: COOL,
        refused: refused.refused,
    };
    assert_eq!(bench.lease("a", bench.attempt(version)).await, told);
    bench.clock.advance(COOL);
    let (attempt, failures) = bench.granted("a", version).await;
    bench.fail("a", attempt, own(failures)).await;
    let again = bench.lease("a", bench.attempt(version)).await;
    assert_eq!(again, cooling(COOL), "the refusal is over");
}

/// See its name.
pub async fn a_failure_that_was_overtaken_by_a_success_does_not_count(bench: Bench) {
    let version = bench.seed("a").await;
    let (slow, failures) = bench.granted("a", version).await;
    let newer = bench.seed("a").await;
    let refused = CoolDown {
        refused: Some("invalid_grant".parse().unwrap()),
        ..own(failures)
    };
    bench.fail("a", slow, refused).await;
    let (_, failures) = bench.granted("a", newer).await;
    assert_eq!(failures, Failures::default());
}

/// See its name.
pub async fn a_failing_endpoint_is_left_alone_for_all_accounts(bench: Bench) {
    let (attempt, failures) = bench.granted("a", Version(0)).await;
    bench.fail("a", attempt, endpoints(failures)).await;
    let other = bench.attempt(Version(0));
    assert_eq!(bench.lease("b", other).await, cooling(COOL));
    assert_eq!(bench.lease("a", other).await, cooling(COOL * 3));
    bench.clock.advance(COOL);
    let (attempt, failures) = bench.granted("b", Version(0)).await;
    assert_eq!((failures.account, failures.endpoint), (0, 1));
    bench.fail("b", attempt, endpoints(failures)).await;
    bench.clock.advance(COOL * 3);
    let (_, failures) = bench.granted("b", Version(0)).await;
    assert_eq!((failures.account, failures.endpoint), (1, 2));
}

/// See its name.
pub async fn after_its_cool_down_one_tries_the_endpoint_for_all(bench: Bench) {
    let (attempt, failures) = bench.granted("a", Version(0)).await;
    bench.fail("a", attempt, endpoints(failures)).await;
    bench.clock.advance(COOL);
    let (probe, _) = bench.granted("b", Version(0)).await;
    let other = bench.attempt(Version(0));
    assert_eq!(bench.lease("c", other).await, Lease::Busy(LIFE));
    bench.store("b", probe, b"new").await;
    for account in ["c", "d"] {
        let (_, failures) = bench.granted(account, Version(0)).await;
        assert_eq!(failures, Failures::default());
    }
}

/// See its name.
pub async fn a_refusal_shows_that_the_endpoint_answers(bench: Bench) {
    let (attempt, failures) = bench.granted("a", Version(0)).await;
    bench.fail("a", attempt, endpoints(failures)).await;
    bench.clock.advance(COOL);
    let (probe, failures) = bench.granted("b", Version(0)).await;
    bench.fail("b", probe, own(failures)).await;
    bench.granted("c", Version(0)).await;
    bench.granted("d", Version(0)).await;
}

/// See its name.
pub async fn a_late_success_does_not_end_the_endpoints_cool_down(bench: Bench) {
    let (late, _) = bench.granted("a", Version(0)).await;
    let (attempt, failures) = bench.granted("b", Version(0)).await;
    bench.fail("b", attempt, endpoints(failures)).await;
    bench.store("a", late, b"new").await;
    let other = bench.attempt(Version(0));
    assert_eq!(bench.lease("c", other).await, cooling(COOL));
}

/// See its name.
pub async fn channels_share_nothing(bench: Bench) {
    let (attempt, failures) = bench.granted("a", Version(0)).await;
    bench.fail("a", attempt, endpoints(failures)).await;
    let elsewhere = TokenKey {
        channel: format!("{}-2", bench.channel).parse().unwrap(),
        ..bench.key("a")
    };
    let attempt = bench.attempt(Version(0));
    let lease = bench.cache.lease(&elsewhere, attempt, LIFE).await.unwrap();
    assert_eq!(lease, Lease::Granted(Failures::default()));
    bench.cache.put(&elsewhere, b"theirs").await.unwrap();
    assert_eq!(bench.token("a").await, None);
}

/// See its name.
pub async fn a_token_that_is_put_ends_everything(bench: Bench) {
    let version = bench.seed("a").await;
    let (attempt, failures) = bench.granted("a", version).await;
    bench.fail("a", attempt, own(failures)).await;
    let version = bench.seed("a").await;
    let (slow, failures) = bench.granted("a", version).await;
    assert_eq!(failures, Failures::default());
    let newest = bench.seed("a").await;
    assert_eq!(bench.store("a", slow, b"slow").await, Stored::Superseded);
    bench.granted("a", newest).await;
}

/// See its name.
pub async fn concurrent_leases_are_granted_once(bench: Bench) {
    let version = bench.seed("a").await;
    let asking = (0..50).map(|_| bench.lease("a", bench.attempt(version)));
    let answers = futures_util::future::join_all(asking).await;
    let granted = |lease: &&Lease| matches!(lease, Lease::Granted(_));
    assert_eq!(answers.iter().filter(granted).count(), 1);
}
