//! Any steps on one store and on shards: the same answers, and the same records after each.

use polling_model::{Nonce, SlotRing, Token};
use proptest::prelude::*;
use scheduler_lib::store::{
    Dispatch, DrainRequest, Hold, JobRecord, MemoryStore, NewJob, Next, Postponed, Settlement,
    ShardedStore, SlotStore, Strike, Update, conformance::START_MS,
};

use crate::in_memory;

const MINUTE_MS: i64 = 60_000;
const JOBS: usize = 24;

#[derive(Debug, Clone)]
enum Op {
    Register(usize, i64),
    Remove(usize),
    Update(usize, i64),
    Hold(usize),
    Resume(usize, i64),
    RunNow(usize),
    Drain(i64),
    /// Of the jobs drained last those with these numbers.
    Settle(Vec<usize>, i64),
    Postpone(Vec<usize>, i64),
    Refuse(Vec<usize>),
    Sent(Vec<usize>),
    Claim(i64),
    Reap(i64),
}

fn op() -> impl Strategy<Value = Op> {
    let minutes = || prop_oneof![8 => -2..30i64, 1 => 1_400..1_500i64, 1 => 3_000..3_001i64];
    let numbers = || proptest::collection::vec(any::<usize>(), 1..8);
    prop_oneof![
        6 => (0..JOBS, minutes()).prop_map(|(job, due)| Op::Register(job, due)),
        1 => (0..JOBS).prop_map(Op::Remove),
        1 => (0..JOBS, minutes()).prop_map(|(job, due)| Op::Update(job, due)),
        1 => (0..JOBS).prop_map(Op::Hold),
        1 => (0..JOBS, minutes()).prop_map(|(job, due)| Op::Resume(job, due)),
        1 => (0..JOBS).prop_map(Op::RunNow),
        6 => (0..10i64).prop_map(Op::Drain),
        6 => (numbers(), minutes()).prop_map(|(jobs, due)| Op::Settle(jobs, due)),
        2 => (numbers(), minutes()).prop_map(|(jobs, due)| Op::Postpone(jobs, due)),
        1 => numbers().prop_map(Op::Refuse),
        3 => numbers().prop_map(Op::Sent),
        2 => (0..5i64).prop_map(Op::Claim),
        2 => (-5..20i64).prop_map(Op::Reap),
    ]
}

/// Every way to cut steps into batches draws other nonces and revisions.
fn comparable(mut record: JobRecord) -> JobRecord {
    record.state.nonce = record.state.nonce.map(|_| Nonce(0));
    record.state.revision = record.state.revision.min(1);
    record
}

/// One of the two, and the tokens that it gave.
struct Side<S> {
    store: S,
    nonces: u64,
    drained: Vec<Dispatch>,
}

impl<S: SlotStore> Side<S> {
    fn new(store: S) -> Self {
        Self {
            store,
            nonces: 1_000,
            drained: Vec::new(),
        }
    }

    async fn drain(&mut self, now_ms: i64) -> Vec<JobRecord> {
        let mut taken = Vec::new();
        loop {
            self.nonces += 1;
            let request = DrainRequest {
                pace_ms: 0,
                now_ms,
                limit: 5,
                nonce: Nonce(self.nonces),
                note_deadline_ms: now_ms + MINUTE_MS,
                max_open_notes: 1_000,
                deadlines_ms: Default::default(),
                default_deadline_ms: now_ms + 10 * MINUTE_MS,
            };
            let drained = self.store.drain(request).await.unwrap();
            taken.extend(drained.jobs);
            if !drained.more {
                break;
            }
        }
        taken.sort_by(|one, other| one.record.id.cmp(&other.record.id));
        self.drained = taken;
        let records = self.drained.iter().map(|job| job.record.clone());
        records.map(comparable).collect()
    }

    async fn list(&self) -> Vec<JobRecord> {
        let (mut listed, mut from) = (Vec::new(), None);
        loop {
            let page = self.store.list(from.as_ref(), 7).await.unwrap();
            listed.extend(page.records.into_iter().map(comparable));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        listed.sort_by(|one, other| one.id.cmp(&other.id));
        listed
    }

    async fn claim(&self, now_ms: i64) -> Vec<JobRecord> {
        let mut claimed = Vec::new();
        while let Some(note) = self
            .store
            .claim_note(now_ms, now_ms + 5 * MINUTE_MS)
            .await
            .unwrap()
        {
            claimed.extend(note.jobs.into_iter().map(|job| comparable(job.record)));
        }
        claimed.sort_by(|one, other| one.id.cmp(&other.id));
        claimed
    }

    fn chosen(&self, numbers: &[usize]) -> Vec<&Dispatch> {
        let count = self.drained.len().max(1);
        let chosen = numbers
            .iter()
            .filter_map(|number| self.drained.get(number % count));
        chosen.collect()
    }

    fn settlements(&self, numbers: &[usize], due_ms: i64) -> Vec<Settlement> {
        let settlement = |dispatch: &Dispatch| Settlement {
            id: dispatch.record.id.clone(),
            token: dispatch.token,
            revision: dispatch.record.state.revision,
            context: None,
            scopes: None,
            activity: None,
            next: Next::Due(due_ms),
            attempts: 1,
            strike: Strike::Add { limit: 3 },
            reason: "polled".to_owned(),
        };
        self.chosen(numbers).into_iter().map(settlement).collect()
    }

    fn postponed(&self, numbers: &[usize], due_ms: i64) -> Vec<Postponed> {
        let postponed = |dispatch: &Dispatch| Postponed {
            id: dispatch.record.id.clone(),
            token: dispatch.token,
            due_ms,
            reason: "no allowance".to_owned(),
        };
        self.chosen(numbers).into_iter().map(postponed).collect()
    }

    async fn refuse(&self, numbers: &[usize]) {
        let jobs = self.chosen(numbers).into_iter();
        let jobs: Vec<_> = jobs
            .map(|dispatch| (dispatch.record.id.clone(), dispatch.token.nonce))
            .collect();
        self.store.refuse(&jobs, "too large").await.unwrap();
    }

    async fn sent(&self, numbers: &[usize]) {
        for Dispatch { record, token } in self.chosen(numbers) {
            let Token { nonce, .. } = *token;
            let id = std::slice::from_ref(&record.id);
            self.store.sent(nonce, id).await.unwrap();
        }
    }
}

struct Pair {
    one: Side<MemoryStore>,
    shards: Side<ShardedStore<MemoryStore>>,
    now_ms: i64,
    incarnations: u64,
}

/// Asks both; their answers are equal.
macro_rules! both {
    ($pair:expr, $side:ident => $answer:expr) => {{
        let of_one = {
            let $side = &mut $pair.one;
            $answer
        };
        let of_shards = {
            let $side = &mut $pair.shards;
            $answer
        };
        prop_assert_eq!(of_shards, of_one);
    }};
}

impl Pair {
    fn new(shards: usize) -> Self {
        Self {
            one: Side::new(MemoryStore::new(SlotRing::MINUTES, START_MS)),
            shards: Side::new(in_memory(shards)),
            now_ms: START_MS,
            incarnations: 0,
        }
    }

    fn due(&self, minutes: i64) -> [i64; 2] {
        // Which of two slots is the emptier, each shard decides for itself.
        [self.now_ms + minutes * MINUTE_MS; 2]
    }

    async fn step(&mut self, op: Op) -> Result<(), TestCaseError> {
        let job = |number: usize| format!("posts:{number}").parse().unwrap();
        let now_ms = self.now_ms;
        match op {
            Op::Register(number, minutes) => {
                self.incarnations += 1;
                let new = NewJob {
                    id: job(number),
                    job_type: "posts".parse().unwrap(),
                    account: "42".parse().unwrap(),
                    level: "gold".parse().unwrap(),
                    cushion: None,
                    context: Default::default(),
                    incarnation: Nonce(self.incarnations),
                    due: self.due(minutes),
                };
                both!(self, side => side.store.register(vec![new.clone()], now_ms).await.unwrap());
            }
            Op::Remove(number) => {
                both!(self, side => side.store.remove(&job(number)).await.unwrap());
            }
            Op::Update(number, minutes) => {
                let update = Update {
                    due: self.due(minutes),
                    ..Update::default()
                };
                both!(self, side => side.store.update(&job(number), update.clone()).await.unwrap());
            }
            Op::Hold(number) => {
                both!(self, side => side.store.hold(&job(number), Hold::Paused, "by hand").await.unwrap());
            }
            Op::Resume(number, minutes) => {
                let due = self.due(minutes);
                both!(self, side => side.store.resume(&job(number), due).await.unwrap());
            }
            Op::RunNow(number) => {
                both!(self, side => side.store.run_now(&job(number)).await.unwrap());
            }
            Op::Drain(minutes) => {
                self.now_ms += minutes * MINUTE_MS;
                let now_ms = self.now_ms;
                both!(self, side => side.drain(now_ms).await);
            }
            Op::Settle(numbers, minutes) => {
                let [due_ms, _] = self.due(minutes);
                both!(self, side => side.store.settle(side.settlements(&numbers, due_ms), now_ms).await.unwrap());
            }
            Op::Postpone(numbers, minutes) => {
                let [due_ms, _] = self.due(minutes);
                both!(self, side => side.store.postpone(side.postponed(&numbers, due_ms), now_ms).await.unwrap());
            }
            Op::Refuse(numbers) => both!(self, side => side.refuse(&numbers).await),
            Op::Sent(numbers) => both!(self, side => side.sent(&numbers).await),
            Op::Claim(minutes) => {
                both!(self, side => side.claim(now_ms + minutes * MINUTE_MS).await);
            }
            Op::Reap(minutes) => {
                let deadline_ms = now_ms + minutes * MINUTE_MS;
                both!(self, side => side.store.reap(deadline_ms, 100, now_ms).await.unwrap());
            }
        }
        self.compare().await
    }

    async fn compare(&mut self) -> Result<(), TestCaseError> {
        both!(self, side => side.list().await);
        both!(self, side => {
            let counts = side.store.counts().await.unwrap();
            // A chunk is one note in each shard that it comes from.
            (counts.registered, counts.slots, counts.in_flight, counts.later, counts.held, counts.cursor)
        });
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shards_are_as_one_store(
        shards in 1..7usize,
        ops in proptest::collection::vec(op(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::new(shards);
            for op in ops {
                pair.step(op).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}
