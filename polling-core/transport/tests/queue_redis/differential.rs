//! Any sequence of operations gives the same answers on a queue in memory as on Redis, receipts of
//! what was released and not received again included.

#[path = "../differential/mod.rs"]
mod steps;

use std::{sync::Arc, time::Duration};

use polling_transport::redis::QueueSpec;
use proptest::{collection::vec, prelude::*};

use self::steps::{
    MAX_RECEIVES, MAX_SHRINKS, MAX_STEPS, Pair, VISIBILITY_TIMEOUT, cases, receive_one, statistics,
    step,
};
use crate::server::{client, created};

/// Cases unless the environment says otherwise: some seconds.
const CASES: u32 = 100;

async fn pair() -> Pair {
    let client = client();
    let dead = QueueSpec::new("dead", VISIBILITY_TIMEOUT);
    let jobs = QueueSpec::new("jobs", VISIBILITY_TIMEOUT).dead_letter("dead", MAX_RECEIVES);
    let dead = created(&client, &dead).await;
    let jobs = created(&client, &jobs).await;
    Pair::of(Arc::new(jobs), Arc::new(dead), false)
}

/// What comes after a message's last receive, one step at a time.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_message_that_is_worn_out_leaves_both_queues_alike() {
    let pair = pair().await;
    for (queue, dead_letters) in pair.queues.iter().zip(&pair.dead_letters) {
        queue.send(vec!["a".to_owned()]).await;
        for _ in 0..MAX_RECEIVES {
            let message = receive_one(&**queue).await;
            queue.release(&message.receipt).await.expect("it is held");
        }
        assert_eq!(statistics(&**queue).await, (0, 0));
        assert_eq!(statistics(&**dead_letters).await, (1, 0));
        let dead = receive_one(&**dead_letters).await;
        assert_eq!(dead.receive_count, 1);
        let nothing = queue.receive(1, Duration::ZERO).await.expect("an answer");
        assert!(nothing.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: MAX_SHRINKS, ..ProptestConfig::with_cases(cases(CASES)) })]

    #[test]
    #[ignore = "needs dev/services"]
    fn the_server_and_the_queue_in_memory_agree(steps in vec(step(), 1..MAX_STEPS)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut pair = pair().await;
            for step in &steps {
                pair.take(step).await;
            }
            pair.finish().await;
        });
    }
}
