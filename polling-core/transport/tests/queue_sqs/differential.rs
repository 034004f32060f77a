//! Any sequence of operations gives the same answers on a queue in memory as on a server.
//!
//! What is not compared, because it is meant to differ, or cannot be seen without waiting:
//!
//! | | in memory | `ElasticMQ` 1.x | SQS |
//! |---|---|---|---|
//! | an acknowledgement of a delivery that was received again | no error, no effect | refused with 400, no effect; the adapter makes it no error | success, without deleting |
//! | extending what was released and not received again | stale receipt | done: invisible again | `MessageNotInflight` |
//! | order | first in, first out; what comes back goes to the end | by the time of its next delivery | none promised |
//! | the release after the last receive | moves the message to the dead-letter queue at once: an acknowledgement comes too late | the next receive moves it; until then an acknowledgement deletes it | as `ElasticMQ` |
//! | a receive that meets such messages | brings others instead | brings fewer than there are, even none | may always bring fewer |
//! | statistics | exact | exact, the worn out counted as visible until then | approximate |
//! | receive count on the dead-letter queue | from 1 | goes on | not documented |
//! | empty bodies; U+0000 and its like, U+FFFE | taken | refused | refused |
//! | U+FFFF | taken | breaks the whole request: an unknown outcome | refused |
//! | bound on messages in flight | none | none | 120,000 |
//! | duplicates inside the visibility timeout, delivery after delete | none | none | possible |

#[path = "../differential/mod.rs"]
mod steps;

use std::{sync::Arc, time::Duration};

use polling_transport::{
    QueueErrorKind,
    sqs::{self, Client, QueueSpec, SqsQueue},
};
use proptest::{collection::vec, prelude::*};

use self::steps::{
    MAX_RECEIVES, MAX_SHRINKS, MAX_STEPS, Pair, VISIBILITY_TIMEOUT, cases, receive_all,
    receive_one, statistics, step,
};
use crate::server::{counted_client, random_name};

/// Cases unless the environment says otherwise: ten to forty seconds.
const CASES: u32 = 24;

async fn on_server(client: &Client, name: &str, dead_letters: Option<&str>) -> SqsQueue {
    let mut spec = QueueSpec::new(name, VISIBILITY_TIMEOUT);
    if let Some(dead_letters) = dead_letters {
        spec = spec.dead_letter(dead_letters, MAX_RECEIVES);
    }
    sqs::create_queue(client, &spec)
        .await
        .expect("the server creates a queue");
    SqsQueue::connect(client, name)
        .await
        .expect("the server finds it")
}

async fn pair(client: &Client, names: &[String; 2]) -> Pair {
    let [name, dead_name] = names;
    let dead_letters = on_server(client, dead_name, None).await;
    let queue = on_server(client, name, Some(dead_name)).await;
    Pair::of(Arc::new(queue), Arc::new(dead_letters), true)
}

/// The server is shared, and keeps what nobody deletes.
async fn delete(client: &Client, name: &str) {
    let url = client
        .get_queue_url()
        .queue_name(name)
        .send()
        .await
        .expect("the queue is there");
    let url = url.queue_url().expect("it has an address").to_owned();
    client
        .delete_queue()
        .queue_url(url)
        .send()
        .await
        .expect("the queue is deleted");
}

/// What the table above tells of the server, as far as it can be seen at once.
#[tokio::test]
#[ignore = "needs dev/services"]
async fn the_listed_differences_are_still_there() {
    let (client, _) = counted_client().await;
    let names = [random_name("differs"), random_name("differs-dead")];
    let pair = pair(&client, &names).await;
    let [memory, server] = &pair.queues;
    for body in ["", "\0", "\u{fffe}", "\u{ffff}"] {
        assert_eq!(memory.send(vec![body.to_owned()]).await, [Ok(())]);
        assert!(
            server.send(vec![body.to_owned()]).await[0].is_err(),
            "{body:?} is taken"
        );
    }
    let (odd, _) = receive_all(&**memory, 10).await;
    for message in odd.values() {
        memory.ack(&message.receipt).await.expect("acknowledged");
    }
    let extended = [Err(QueueErrorKind::StaleReceipt), Ok(())];
    let worn_out = [(0, 0), (1, 0)];
    let received_dead = [1, MAX_RECEIVES + 1];
    for side in 0..2 {
        let (queue, dead_letters) = (&*pair.queues[side], &*pair.dead_letters[side]);
        queue.send(vec!["a".to_owned()]).await;
        let mut first = receive_one(queue).await;
        queue.release(&first.receipt).await.expect("it is held");
        let again = queue.extend(&first.receipt, VISIBILITY_TIMEOUT).await;
        assert_eq!(
            again.map_err(|error| error.kind),
            extended[side],
            "{}",
            queue.name()
        );
        if extended[side].is_ok() {
            queue.release(&first.receipt).await.expect("it is held");
        }
        for _ in 1..MAX_RECEIVES {
            first = receive_one(queue).await;
            queue.release(&first.receipt).await.expect("it is held");
        }
        assert_eq!(statistics(queue).await, worn_out[side]);
        assert_eq!(
            queue
                .receive(1, Duration::ZERO)
                .await
                .expect("an answer")
                .len(),
            0
        );
        assert_eq!(
            receive_one(dead_letters).await.receive_count,
            received_dead[side]
        );
    }
    for name in &names {
        delete(&client, name).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: MAX_SHRINKS, ..ProptestConfig::with_cases(cases(CASES)) })]

    #[test]
    #[ignore = "needs dev/services"]
    fn the_server_and_the_queue_in_memory_agree(steps in vec(step(), 1..MAX_STEPS)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (client, _) = counted_client().await;
            let names = [random_name("same"), random_name("same-dead")];
            let mut pair = pair(&client, &names).await;
            for step in &steps {
                pair.take(step).await;
            }
            pair.finish().await;
            for name in &names {
                delete(&client, name).await;
            }
        });
    }
}
