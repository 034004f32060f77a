//! The promise: ASCII-safe, versioned and size-checked costs little over plain `serde_json`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use polling_model::{Context, EncodedContext, Job, Token, wire};

fn job() -> Job {
    Job {
        id: "posts:42".parse().unwrap(),
        channel: "mastodon".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
        due_ms: 60_000,
        not_after_ms: 180_000,
        context: Context::from_iter([("since_id", 7.into()), ("etag", "a".repeat(170).into())]),
    }
}

fn encoding(criterion: &mut Criterion) {
    let job = job();
    let text = wire::encode_job(&job).unwrap();
    let mut group = criterion.benchmark_group("wire");
    group.bench_function("encode", |bencher| {
        bencher.iter(|| wire::encode_job(black_box(&job)));
    });
    group.bench_function("encode/plain serde_json", |bencher| {
        bencher.iter(|| serde_json::to_string(black_box(&job)));
    });
    group.bench_function("decode", |bencher| {
        bencher.iter(|| wire::decode_job::<Context>(black_box(text.as_bytes())));
    });
    group.bench_function("decode/context not looked at", |bencher| {
        bencher.iter(|| wire::decode_job::<EncodedContext>(black_box(text.as_bytes())));
    });
    group.bench_function("decode/plain serde_json", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Job>(black_box(text.as_bytes())));
    });
    group.finish();
}

criterion_group!(benches, encoding);
criterion_main!(benches);
