//! The promise: the store in memory never is what a simulation or a demo waits for.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{collections::BTreeMap, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use polling_model::{EncodedContext, Generator, JobId, SlotRing};
use scheduler_lib::{
    MemoryStore, SlotStore,
    store::{DrainRequest, MAX_CHUNK, NewJob, Next, Settlement, Strike},
};

const JOBS: usize = 10_000;

async fn full_store() -> MemoryStore {
    let store = MemoryStore::new(SlotRing::SECONDS, 0);
    let generator = Generator::from_seed(7);
    for n in 0..JOBS {
        let job = NewJob {
            id: JobId::new(format!("posts:{n}")).unwrap(),
            job_type: "posts".parse().unwrap(),
            account: "42".parse().unwrap(),
            level: "gold".parse().unwrap(),
            cushion: None,
            context: EncodedContext::default(),
            incarnation: generator.nonce(),
            due: [1_000; 2],
        };
        store.register(vec![job], 0).await.unwrap();
    }
    store
}

/// Drains every job and settles it into the slot after.
async fn cycle_all(store: &MemoryStore, generator: &Generator, now_ms: i64) {
    loop {
        let nonce = generator.nonce();
        let drained = store
            .drain(DrainRequest {
                pace_ms: 0,
                now_ms,
                limit: MAX_CHUNK,
                nonce,
                note_deadline_ms: now_ms + 5_000,
                max_open_notes: 64,
                deadlines_ms: BTreeMap::new(),
                default_deadline_ms: now_ms + 60_000,
            })
            .await
            .unwrap();
        if drained.jobs.is_empty() {
            return;
        }
        let ids: Vec<_> = drained
            .jobs
            .iter()
            .map(|job| job.record.id.clone())
            .collect();
        store.sent(nonce, &ids).await.unwrap();
        let settlement = |job: scheduler_lib::store::Dispatch| Settlement {
            id: job.record.id,
            token: job.token,
            revision: job.record.state.revision,
            context: Some(job.record.context),
            scopes: None,
            activity: None,
            next: Next::Due(now_ms + 1_000),
            attempts: 0,
            strike: Strike::Clear,
            reason: String::new(),
        };
        store
            .settle(drained.jobs.into_iter().map(settlement).collect(), now_ms)
            .await
            .unwrap();
    }
}

fn cycles(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let store = Arc::new(runtime.block_on(full_store()));
    let generator = Generator::from_seed(8);
    let mut now_ms = 0;
    let mut group = criterion.benchmark_group("store");
    group
        .throughput(Throughput::Elements(JOBS as u64))
        .sample_size(20);
    group.bench_function("memory/drain, sent, settle", |bencher| {
        bencher.iter(|| {
            now_ms += 1_000;
            runtime.block_on(cycle_all(&store, &generator, now_ms));
        });
    });
    group.finish();
}

criterion_group!(benches, cycles);
criterion_main!(benches);
