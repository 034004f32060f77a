//! The cache in memory and the one on Redis answer any sequence of steps alike.

use std::{sync::Arc, time::Duration};

use polling_core::{
    ManualClock,
    auth::{
        Attempt, CoolDown, Failures, Lease, MemoryTokenCache, TokenCache, TokenKey, Version,
        conformance::START_MS,
    },
    model::Nonce,
};
use proptest::{collection::vec, prelude::*};

use crate::cache_redis::Fresh;

const LIFE: Duration = Duration::from_secs(10);

/// One step, of one of three workers, for one of two accounts.
#[derive(Debug, Clone)]
enum Step {
    Lease {
        worker: u64,
        account: u8,
    },
    /// The same once more, as if its answer had been lost.
    LeaseAgain {
        worker: u64,
        account: u8,
    },
    Store {
        worker: u64,
        account: u8,
    },
    Fail {
        worker: u64,
        account: u8,
        blames: u8,
    },
    Put {
        account: u8,
    },
    Forget {
        account: u8,
    },
    Pass {
        ms: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || (0..3u64, 0..2u8);
    let step = prop_oneof![
        4 => who().prop_map(|(worker, account)| Step::Lease { worker, account }),
        2 => who().prop_map(|(worker, account)| Step::LeaseAgain { worker, account }),
        2 => who().prop_map(|(worker, account)| Step::Store { worker, account }),
        3 => (who(), 0..3u8).prop_map(|((worker, account), blames)| {
            Step::Fail { worker, account, blames }
        }),
        1 => (0..2u8).prop_map(|account| Step::Put { account }),
        1 => (0..2u8).prop_map(|account| Step::Forget { account }),
        4 => (0..12_000u64).prop_map(|ms| Step::Pass { ms }),
    ];
    vec(step, 1..60)
}

/// A cache, and what its workers remember: their last attempts at each account.
struct Run<'a> {
    cache: &'a dyn TokenCache,
    attempts: [[(Attempt, Failures); 2]; 3],
    count: u64,
}

impl<'a> Run<'a> {
    fn new(cache: &'a dyn TokenCache) -> Self {
        let none = Attempt {
            seen: Version(0),
            owner: Nonce(0),
        };
        Self {
            cache,
            attempts: [[(none, Failures::default()); 2]; 3],
            count: 0,
        }
    }

    /// What the cache answers, and what it holds then.
    async fn step(&mut self, step: &Step) -> String {
        let answer = match *step {
            Step::Lease { worker, account } => self.lease(worker, account).await,
            Step::LeaseAgain { worker, account } => {
                let (attempt, _) = self.attempts[worker as usize][usize::from(account)];
                self.lease_for(worker, account, attempt).await
            }
            Step::Store { worker, account } => {
                let (attempt, _) = self.attempts[worker as usize][usize::from(account)];
                let stored = self.cache.store(&key(account), attempt, b"stored").await;
                format!("{:?}", stored.unwrap())
            }
            Step::Fail {
                worker,
                account,
                blames,
            } => {
                let (attempt, failures) = self.attempts[worker as usize][usize::from(account)];
                let cool_down = cool_down(failures, blames);
                let failed = self.cache.fail(&key(account), attempt, cool_down).await;
                format!("{:?}", failed.unwrap())
            }
            Step::Put { account } => {
                format!("{:?}", self.cache.put(&key(account), b"put").await.unwrap())
            }
            Step::Forget { account } => {
                format!("{:?}", self.cache.forget(&key(account)).await.unwrap())
            }
            Step::Pass { .. } => String::new(),
        };
        let held = [
            self.cache.read(&key(0)).await,
            self.cache.read(&key(1)).await,
        ];
        format!("{answer} {held:?}")
    }

    async fn lease(&mut self, worker: u64, account: u8) -> String {
        self.count += 1;
        let held = self.cache.read(&key(account)).await.unwrap();
        let attempt = Attempt {
            seen: held.map_or(Version(0), |held| held.version),
            owner: Nonce(self.count),
        };
        self.lease_for(worker, account, attempt).await
    }

    async fn lease_for(&mut self, worker: u64, account: u8, attempt: Attempt) -> String {
        let lease = self
            .cache
            .lease(&key(account), attempt, LIFE)
            .await
            .unwrap();
        if let Lease::Granted(failures) = lease {
            self.attempts[worker as usize][usize::from(account)] = (attempt, failures);
        }
        format!("{lease:?}")
    }
}

fn key(account: u8) -> TokenKey {
    TokenKey {
        channel: "mastodon".parse().unwrap(),
        account: account.to_string().parse().unwrap(),
    }
}

/// The account alone, the endpoint too, or a refusal.
fn cool_down(failures: Failures, blames: u8) -> CoolDown {
    CoolDown {
        failures,
        account: Duration::from_secs(4),
        endpoint: (blames == 1).then(|| Duration::from_secs(3)),
        refused: (blames == 2).then(|| "invalid_grant".parse().unwrap()),
    }
}

async fn assert_same_answers(steps: &[Step]) {
    let (clock, fresh) = (ManualClock::at(START_MS), Fresh::new());
    let redis = fresh.cache().with_clock(Arc::new(clock.clone()));
    let memory = MemoryTokenCache::new(Arc::new(clock.clone()));
    let (mut ours, mut theirs) = (Run::new(&memory), Run::new(&redis));
    for step in steps {
        if let Step::Pass { ms } = step {
            clock.advance(Duration::from_millis(*ms));
        }
        assert_eq!(ours.step(step).await, theirs.step(step).await, "{step:?}");
    }
    fresh.clear().await;
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    #[ignore = "needs dev/services"]
    fn memory_and_redis_answer_alike(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(assert_same_answers(&steps));
    }
}
