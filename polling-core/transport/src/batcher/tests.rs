use std::sync::Mutex;

use futures_util::{FutureExt, future::join_all};
use tokio::time::sleep;

use super::*;

const LINGER: Duration = Duration::from_millis(20);

/// How long a batch takes.
const WORK: Duration = Duration::from_millis(50);

const LIMITS: BatchLimits = BatchLimits {
    entries: 10,
    enough: 10,
    size_bytes: 100,
    linger: LINGER,
    eager: false,
    concurrent: 2,
    waiting: 50,
};

type Batches = Arc<Mutex<Vec<Vec<u32>>>>;

/// Notes each batch; an item above 9,000 panics, an odd one fails.
fn batcher(limits: BatchLimits) -> (Batcher<u32, u32>, Batches) {
    let batches = Batches::default();
    let seen = batches.clone();
    let execute = move |items: Vec<u32>| {
        seen.lock().unwrap().push(items.clone());
        async move {
            sleep(WORK).await;
            assert!(items.iter().all(|&n| n <= 9_000), "a bad batch");
            items.into_iter().map(result_of).collect()
        }
        .boxed()
    };
    (Batcher::start(limits, Arc::new(execute)), batches)
}

fn result_of(n: u32) -> Result<(), u32> {
    if n % 2 == 1 { Err(n) } else { Ok(()) }
}

async fn submit(batcher: &Batcher<u32, u32>, n: u32) -> Result<Result<(), u32>, NoAnswer> {
    batcher.submit(n, 10).await.get().await
}

fn sizes(batches: &Batches) -> Vec<usize> {
    batches.lock().unwrap().iter().map(Vec::len).collect()
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_share_batches_and_each_gets_its_own_answer() {
    let (batcher, batches) = batcher(LIMITS);
    let answers = join_all((0..25).map(|n| submit(&batcher, n))).await;
    for (n, answer) in (0..25).zip(answers) {
        assert_eq!(answer, Ok(result_of(n)));
    }
    assert_eq!(sizes(&batches), [10, 10, 5]);
}

#[tokio::test(start_paused = true)]
async fn entries_of_one_call_share_batches_and_are_answered_in_order() {
    let (batcher, batches) = batcher(LIMITS);
    let answers = batcher.submit_all((0..64).map(|n| (n, 10)).collect()).await;
    for (n, answer) in (0..64).zip(answers) {
        assert_eq!(answer.get().await, Ok(result_of(n)));
    }
    assert_eq!(sizes(&batches), [10, 10, 10, 10, 10, 10, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_call_after_a_pause_goes_at_once() {
    let (batcher, _) = batcher(LIMITS);
    for _ in 0..3 {
        let started = Instant::now();
        join_all((0..3).map(|n| submit(&batcher, n))).await;
        assert_eq!(started.elapsed(), WORK);
        sleep(LINGER).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_calls_again_and_again_alone_never_waits() {
    let limits = BatchLimits {
        linger: WORK * 4,
        ..LIMITS
    };
    let (batcher, _) = batcher(limits);
    let started = Instant::now();
    for _ in 0..3 {
        assert_eq!(submit(&batcher, 2).await, Ok(Ok(())));
    }
    assert_eq!(started.elapsed(), WORK * 3);
}

#[tokio::test(start_paused = true)]
async fn calls_close_together_wait_for_each_other_no_longer_than_the_linger() {
    let (batcher, batches) = batcher(LIMITS);
    let started = Instant::now();
    let call = async |n: u32| {
        sleep(Duration::from_millis(n.into())).await;
        let submitted = Instant::now();
        submit(&batcher, 2 * n).await.unwrap().unwrap();
        submitted.elapsed()
    };
    let waited = join_all((0..10).map(call)).await;
    assert_eq!(sizes(&batches), [1, 9], "the first alone, then the others");
    assert_eq!(
        waited.into_iter().max(),
        Some(WORK + LINGER - Duration::from_millis(1))
    );
    assert_eq!(started.elapsed(), LINGER + WORK);
}

#[tokio::test(start_paused = true)]
async fn those_that_share_calls_wait_for_each_other_unless_calls_cost_nothing() {
    for (eager, calls) in [(false, 1 + 5), (true, 1 + 10)] {
        let limits = BatchLimits {
            linger: WORK * 2,
            eager,
            ..LIMITS
        };
        let (batcher, batches) = batcher(limits);
        let calling = (0..50).map(async |n: u32| {
            sleep(WORK / 5 * n).await;
            let _ = submit(&batcher, n).await;
        });
        join_all(calling).await;
        let made = batches.lock().unwrap().len();
        assert!(
            (calls..=calls + 1).contains(&made),
            "{made} calls, eager {eager}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_wait() {
    let (batcher, _) = batcher(LIMITS);
    let started = Instant::now();
    join_all((0..20).map(|n| submit(&batcher, n))).await;
    assert_eq!(started.elapsed(), WORK);
}

#[tokio::test(start_paused = true)]
async fn what_is_enough_does_not_wait_and_takes_more_if_there_is() {
    let limits = BatchLimits {
        enough: 3,
        ..LIMITS
    };
    let (batcher, batches) = batcher(limits);
    let started = Instant::now();
    for count in [1, 3, 8] {
        let answers = batcher
            .submit_all((0..count).map(|n| (n, 10)).collect())
            .await;
        sleep(Duration::from_millis(1)).await;
        drop(answers);
    }
    assert_eq!(started.elapsed(), Duration::from_millis(3));
    sleep(WORK).await;
    assert_eq!(sizes(&batches), [1, 3, 8]);
}

/// Six calls for ten jobs: each of a job's six steps goes ten at a time.
#[tokio::test(start_paused = true)]
async fn under_load_batches_are_full_and_at_medium_load_they_are_bounded_by_the_linger() {
    for (per_s, most_calls) in [(20_u32, 20), (200, 50 + 20), (2_000, 200 + 50)] {
        let limits = BatchLimits {
            concurrent: 100,
            ..LIMITS
        };
        let (batcher, batches) = batcher(limits);
        let calls = (0..per_s).map(async |n| {
            sleep(Duration::from_secs(1) * n / per_s).await;
            let _ = submit(&batcher, n).await;
        });
        join_all(calls).await;
        let calls = batches.lock().unwrap().len();
        assert!(calls <= most_calls, "{calls} calls for {per_s} entries");
    }
}

#[tokio::test(start_paused = true)]
async fn while_calls_are_under_way_the_next_fills_up() {
    let limits = BatchLimits {
        concurrent: 1,
        eager: true,
        linger: WORK * 10,
        ..LIMITS
    };
    let (batcher, batches) = batcher(limits);
    let calls = (0..16).map(async |n: u32| {
        sleep(Duration::from_millis((10 * n).into())).await;
        let _ = submit(&batcher, n).await;
    });
    join_all(calls).await;
    assert_eq!(sizes(&batches), [1, 5, 5, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_keeps_to_its_size() {
    let limits = BatchLimits {
        size_bytes: 35,
        ..LIMITS
    };
    let (batcher, batches) = batcher(limits);
    join_all((0..7).map(|n| submit(&batcher, n))).await;
    let expected = [vec![0, 1, 2], vec![3, 4, 5], vec![6]];
    assert_eq!(*batches.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_entry_above_the_size_goes_alone() {
    let limits = BatchLimits {
        size_bytes: 5,
        ..LIMITS
    };
    let (batcher, batches) = batcher(limits);
    join_all((0..3).map(|n| submit(&batcher, n))).await;
    assert_eq!(sizes(&batches), [1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_concerns_its_own_batch_only() {
    let (batcher, _) = batcher(LIMITS);
    assert_eq!(submit(&batcher, 9_001).await, Err(NoAnswer));
    assert_eq!(submit(&batcher, 2).await, Ok(Ok(())));
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_and_in_line_is_bounded() {
    let (batcher, batches) = batcher(LIMITS);
    let calls = (0..500).map(|n| submit(&batcher, n));
    let mut calls = Box::pin(join_all(calls));
    assert!(calls.as_mut().now_or_never().is_none());
    sleep(WORK * 9 / 10).await;
    assert_eq!(batches.lock().unwrap().len(), LIMITS.concurrent);
    let started = Instant::now();
    assert_eq!(calls.await.len(), 500);
    assert!(started.elapsed() >= WORK * (500 / 20 - 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_submitted_is_executed_though_the_batcher_is_dropped() {
    let (batcher, batches) = batcher(LIMITS);
    let answer = batcher.submit(2, 10).await;
    drop(batcher);
    assert_eq!(answer.get().await, Ok(Ok(())));
    assert_eq!(batches.lock().unwrap().len(), 1);
    // The task has ended, and with it the last other owner of what it executes.
    sleep(Duration::from_millis(1)).await;
    assert_eq!(Arc::strong_count(&batches), 1);
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let (ended, other) = (runtime(), runtime());
    let (batcher, _) = ended.block_on(async { batcher(LIMITS) });
    let before = ended.block_on(batcher.submit(2, 10));
    drop(ended);
    assert_eq!(other.block_on(before.get()), Err(NoAnswer));
    assert_eq!(other.block_on(submit(&batcher, 2)), Err(NoAnswer));
}
