//! Any sequence of steps gives the same answers on Redis as in memory, and leaves the same records.
//!
//! Slots are drained whole, since which jobs of a slot come first is left open.

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use polling_model::{EncodedContext, Generator, JobId, Nonce, ScopeKey};
use proptest::{prelude::*, test_runner::TestRunner};
use scheduler_lib::{
    ledger::Cushion,
    policy::{Override, adaptive::Activity},
    store::{
        Dispatch, Hold, MAX_PAGE, MemoryStore, NewJob, Next, Postponed, RedisStore, Settlement,
        SlotStore, Strike, Update, conformance::START_MS,
    },
};

use crate::fixture::{MINUTE_MS, at, builder, channel, clear, id, new_job, request, sweep};

/// A step; jobs and dispatches by number, times in minutes from now.
#[derive(Debug, Clone)]
enum Op {
    Register(usize, [i64; 2]),
    Remove(usize),
    Update(usize, Option<Option<Cushion>>, [i64; 2]),
    Replace(usize, [i64; 2]),
    Hold(usize, Hold),
    Resume(usize, [i64; 2]),
    RunNow(usize),
    MoveTo(usize, i64),
    Stop(bool),
    Refuse(usize),
    /// Time passes, then all that is due is drained.
    Drain(i64),
    /// Of a dispatch, on the record's revision or on the dispatched one.
    Settle {
        dispatch: usize,
        current: bool,
        next: Next,
        strike: Strike,
        context: bool,
        /// Whether it tells something of scopes and activity too.
        report: Option<usize>,
        reason: usize,
    },
    /// Of two dispatches, perhaps the same.
    Postpone([usize; 2], i64),
    SettleTwice(usize, usize),
    Reap(i64),
    Sent(usize),
    Claim(i64),
}

const JOBS: usize = 6;

fn minutes() -> impl Strategy<Value = i64> {
    prop_oneof![6 => -3..30i64, 1 => 1_430..1_450i64, 1 => 0..4_000i64]
}

/// Any millisecond, not only starts of minutes.
fn time() -> impl Strategy<Value = i64> {
    (minutes(), prop_oneof![Just(0), 0..MINUTE_MS])
        .prop_map(|(minutes, ms)| minutes * MINUTE_MS + ms)
}

fn hold() -> impl Strategy<Value = Hold> {
    proptest::sample::select(Hold::ALL.as_slice())
}

fn next() -> impl Strategy<Value = Next> {
    prop_oneof![
        6 => time().prop_map(Next::Due),
        1 => Just(Next::Now),
        1 => hold().prop_map(Next::Hold),
        1 => Just(Next::Remove),
    ]
}

fn cushion() -> impl Strategy<Value = Cushion> {
    prop_oneof![
        (0..9u64).prop_map(Cushion::Calls),
        (0..9u8).prop_map(|percent| Cushion::Share(f64::from(percent) / 100.0)),
    ]
}

const PINNED: Override = Override::Pin {
    interval: Duration::from_secs(90),
};

fn op() -> impl Strategy<Value = Op> {
    let due = || [time(), time()];
    let cushion = proptest::option::of(proptest::option::of(cushion()));
    let strike = prop_oneof![
        2 => Just(Strike::Clear),
        1 => (1..4u32).prop_map(|limit| Strike::Add { limit }),
    ];
    let settle = (
        (any::<usize>(), any::<bool>(), next(), strike, any::<bool>()),
        proptest::option::of(0..7usize),
        0..300usize,
    );
    prop_oneof![
        6 => (0..JOBS, due()).prop_map(|(job, due)| Op::Register(job, due)),
        1 => (0..JOBS).prop_map(Op::Remove),
        2 => (0..JOBS, cushion, due()).prop_map(|(job, cushion, due)| Op::Update(job, cushion, due)),
        1 => (0..JOBS, due()).prop_map(|(job, due)| Op::Replace(job, due)),
        2 => (0..JOBS, hold()).prop_map(|(job, hold)| Op::Hold(job, hold)),
        2 => (0..JOBS, due()).prop_map(|(job, due)| Op::Resume(job, due)),
        2 => (0..JOBS).prop_map(Op::RunNow),
        2 => (0..JOBS, time()).prop_map(|(job, due)| Op::MoveTo(job, due)),
        // It goes on sooner than it is stopped again.
        2 => prop_oneof![1 => Just(true), 3 => Just(false)].prop_map(Op::Stop),
        1 => any::<usize>().prop_map(Op::Refuse),
        8 => minutes().prop_map(|minutes| Op::Drain(minutes.max(0))),
        8 => settle.prop_map(|((dispatch, current, next, strike, context), report, reason)| {
            Op::Settle { dispatch, current, next, strike, context, report, reason }
        }),
        3 => (any::<[usize; 2]>(), time()).prop_map(|(dispatches, due)| Op::Postpone(dispatches, due)),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Op::SettleTwice(one, other)),
        2 => (-5..20i64).prop_map(Op::Reap),
        1 => any::<usize>().prop_map(Op::Sent),
        2 => (-5..5i64).prop_map(Op::Claim),
    ]
}

/// So many different ones.
fn scopes(count: usize) -> Vec<ScopeKey> {
    let key = |number| ScopeKey::new(format!("account:{number}")).expect("a valid scope");
    (0..count).map(key).collect()
}

/// Both stores, and what has happened on them.
struct Pair<'a> {
    memory: MemoryStore,
    redis: &'a RedisStore,
    now_ms: i64,
    nonce: u64,
    dispatches: Vec<Dispatch>,
}

/// Asks both; the one answer.
macro_rules! both {
    ($pair:expr, $method:ident($($argument:expr),*)) => {{
        let in_memory = $pair.memory.$method($(Clone::clone(&$argument)),*).await.expect("memory answers");
        let on_redis = $pair.redis.$method($($argument),*).await.expect("Redis answers");
        assert_eq!(on_redis, in_memory, concat!("the answers of ", stringify!($method)));
        on_redis
    }};
}

impl Pair<'_> {
    fn nonce(&mut self) -> Nonce {
        self.nonce += 1;
        Nonce(self.nonce)
    }

    /// Each store lists in an order of its own.
    async fn records_agree(&self) {
        let sorted = async |store: &dyn SlotStore| {
            let mut listed = store.list(None, MAX_PAGE).await.expect("list").records;
            listed.sort_by(|one, other| one.id.cmp(&other.id));
            listed
        };
        assert_eq!(sorted(self.redis).await, sorted(&self.memory).await);
    }

    fn job(&self, number: usize) -> JobId {
        id(&format!("job-{number}"))
    }

    fn due(&self, due: [i64; 2]) -> [i64; 2] {
        due.map(|ms| self.now_ms + ms)
    }

    fn dispatch(&self, number: usize) -> Option<Dispatch> {
        let recent = self.dispatches.iter().rev().take(12).collect::<Vec<_>>();
        recent
            .get(number % recent.len().max(1))
            .map(|dispatch| (*dispatch).clone())
    }

    async fn edit(&mut self, op: Op) {
        match op {
            Op::Register(job, due) => {
                let incarnation = self.nonce();
                let name = self.job(job).to_string();
                let job = NewJob {
                    incarnation,
                    due: self.due(due),
                    ..new_job(&name, 0)
                };
                let jobs = vec![job];
                both!(self, register(jobs, self.now_ms));
            }
            Op::Remove(job) => {
                both!(self, remove(&self.job(job)));
            }
            Op::Update(job, cushion, due) => {
                let pace = cushion.map(|cushion| cushion.map(|_| PINNED));
                let update = Update {
                    cushion,
                    pace,
                    level: None,
                    due: self.due(due),
                };
                both!(self, update(&self.job(job), update));
            }
            Op::Replace(job, due) => {
                let (incarnation, due) = (self.nonce(), self.due(due));
                let context = EncodedContext::new("{\"by\":\"hand\"}").expect("a context");
                both!(
                    self,
                    replace_context(&self.job(job), context, incarnation, due)
                );
            }
            Op::Hold(job, hold) => {
                both!(self, hold(&self.job(job), hold, "by hand"));
            }
            Op::Resume(job, due) => {
                both!(self, resume(&self.job(job), self.due(due)));
            }
            Op::RunNow(job) => {
                both!(self, run_now(&self.job(job)));
            }
            Op::MoveTo(job, due_ms) => {
                let due_ms = self.now_ms + due_ms;
                both!(self, move_to(&self.job(job), due_ms, "by hand"));
            }
            Op::Stop(stops) => {
                both!(self, stop(stops.then_some("by hand")));
                both!(self, stopped());
            }
            other => self.cycle(other).await,
        }
    }

    async fn cycle(&mut self, op: Op) {
        match op {
            Op::Drain(minutes) => {
                self.now_ms += minutes * MINUTE_MS;
                self.drain().await;
            }
            Op::Settle {
                dispatch,
                current,
                next,
                strike,
                context,
                report,
                reason,
            } => {
                let Some(dispatch) = self.dispatch(dispatch) else {
                    return;
                };
                let settlement = self
                    .settlement(&dispatch, current, next, strike, context)
                    .await;
                let batch = vec![Settlement {
                    scopes: report.map(scopes),
                    activity: report.map(|_| Activity::since(self.now_ms)),
                    reason: "é".repeat(reason),
                    ..settlement
                }];
                both!(self, settle(batch, self.now_ms));
            }
            Op::Postpone(dispatches, due_ms) => {
                let found = dispatches.map(|number| self.dispatch(number));
                let of = |dispatch: Dispatch| Postponed {
                    id: dispatch.record.id,
                    token: dispatch.token,
                    due_ms: self.now_ms + due_ms,
                    reason: "no allowance".to_owned(),
                };
                let batch: Vec<_> = found.into_iter().flatten().map(of).collect();
                both!(self, postpone(batch, self.now_ms));
            }
            Op::SettleTwice(one, other) => {
                let mut batch = Vec::new();
                for number in [one, other, one] {
                    let Some(dispatch) = self.dispatch(number) else {
                        return;
                    };
                    let next = Next::Due(10 * MINUTE_MS);
                    batch.push(
                        self.settlement(&dispatch, true, next, Strike::Add { limit: 4 }, true)
                            .await,
                    );
                }
                both!(self, settle(batch, self.now_ms));
            }
            Op::Reap(minutes) => {
                both!(
                    self,
                    reap(self.now_ms + minutes * MINUTE_MS, 200, self.now_ms)
                );
            }
            Op::Refuse(number) => {
                let Some(dispatch) = self.dispatch(number) else {
                    return;
                };
                let refused = [(dispatch.record.id, dispatch.token.nonce)];
                both!(self, refuse(&refused[..], "too large"));
            }
            Op::Sent(number) => {
                let Some(dispatch) = self.dispatch(number) else {
                    return;
                };
                let sent = [dispatch.record.id];
                both!(self, sent(dispatch.token.nonce, &sent[..]));
            }
            Op::Claim(minutes) => {
                both!(
                    self,
                    claim_note(
                        self.now_ms + minutes * MINUTE_MS,
                        self.now_ms + 3 * MINUTE_MS
                    )
                );
            }
            edit => unreachable!("{edit:?} is an edit"),
        }
    }

    async fn settlement(
        &self,
        dispatch: &Dispatch,
        current: bool,
        next: Next,
        strike: Strike,
        context: bool,
    ) -> Settlement {
        let record = self
            .memory
            .get(&dispatch.record.id)
            .await
            .expect("memory answers");
        let now = record
            .filter(|_| current)
            .map(|record| record.state.revision);
        let text = format!("{{\"seen\":\"{}\"}}", dispatch.token.nonce);
        Settlement {
            id: dispatch.record.id.clone(),
            token: dispatch.token,
            revision: now.unwrap_or(dispatch.record.state.revision),
            context: context.then(|| EncodedContext::new(&text).expect("a context")),
            next: match next {
                Next::Due(ms) => Next::Due(self.now_ms + ms),
                other => other,
            },
            attempts: dispatch.token.generation as u32 % 3,
            strike,
            scopes: None,
            activity: None,
            reason: "polled".to_owned(),
        }
    }

    /// Slot by slot, the same jobs with the same tokens.
    async fn drain(&mut self) {
        loop {
            let nonce = self.nonce().0;
            let request = request(self.now_ms, nonce);
            let mut in_memory = self
                .memory
                .drain(request.clone())
                .await
                .expect("memory answers");
            let mut on_redis = self
                .redis
                .drain(request.clone())
                .await
                .expect("Redis answers");
            // Redis moves over no more than so many empty slots in one step.
            while on_redis.more && on_redis.jobs.is_empty() && on_redis.cursor < in_memory.cursor {
                on_redis = self
                    .redis
                    .drain(request.clone())
                    .await
                    .expect("Redis answers");
            }
            // Each by a lot of its own.
            for drained in [&mut on_redis, &mut in_memory] {
                drained
                    .jobs
                    .sort_by(|one, other| one.record.id.cmp(&other.record.id));
            }
            assert_eq!(on_redis, in_memory, "what was drained");
            self.dispatches.extend(in_memory.jobs);
            if !in_memory.more {
                return;
            }
        }
    }

    async fn compare(&self) {
        self.records_agree().await;
        both!(self, counts());
        assert_eq!(sweep(self.redis, 5).await, 0, "nothing to mend");
    }
}

async fn run(redis: &RedisStore, revisions: Generator, ops: Vec<Op>) {
    let memory = MemoryStore::new(redis.ring(), START_MS).generator(revisions);
    let mut pair = Pair {
        memory,
        redis,
        now_ms: at(0),
        nonce: 0,
        dispatches: Vec::new(),
    };
    for op in ops {
        pair.edit(op).await;
        pair.records_agree().await;
    }
    pair.compare().await;
}

/// How many sequences of steps, unless the environment says.
const CASES: u32 = 64;

/// Names how many.
const CASES_VARIABLE: &str = "POLLING_DIFFERENTIAL_CASES";

/// Most steps of one sequence.
const MAX_STEPS: usize = 60;

fn cases() -> u32 {
    let Ok(text) = std::env::var(CASES_VARIABLE) else {
        return CASES;
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{CASES_VARIABLE} is a number, not {text}"))
}

#[test]
#[ignore = "needs dev/services"]
#[expect(clippy::print_stdout, reason = "how much was compared is the figure")]
fn redis_and_memory_agree() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases())
    };
    let steps = AtomicUsize::new(0);
    let sequences = proptest::collection::vec(op(), 1..MAX_STEPS);
    let agreed = TestRunner::new(config).run(&sequences, |ops| {
        steps.fetch_add(ops.len(), Relaxed);
        runtime.block_on(on_equal_stores(ops));
        Ok(())
    });
    if let Err(difference) = agreed {
        panic!("{difference}");
    }
    println!(
        "{} steps in {} sequences, equal answers and records after each",
        steps.into_inner(),
        cases()
    );
}

async fn on_equal_stores(ops: Vec<Op>) {
    let (channel, generator) = (channel(), || Generator::from_seed(1));
    let redis = builder(&channel).generator(generator()).open(START_MS);
    let redis = redis.await.expect("the store opens");
    let revisions = generator();
    assert_eq!(
        revisions.nonce(),
        redis.identity(),
        "Redis draws its identity first"
    );
    run(&redis, revisions, ops).await;
    clear(&channel).await;
}
