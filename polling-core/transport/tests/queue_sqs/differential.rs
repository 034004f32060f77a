//! Any sequence of operations gives the same answers on a queue in memory as on a server.
//!
//! The server has real time, so nothing here waits: visibility timeouts are long, and a message
//! comes back only when it is released. Which of several visible messages comes first is left
//! open, so each receive is followed by others until nothing is visible: what came, and how often
//! it was received, must then be the same.
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

use std::{collections::BTreeMap, env, fmt, sync::Arc, time::Duration};

use futures_util::future::join_all;
use polling_model::SystemClock;
use polling_transport::{
    EntryError, Message, Queue, QueueErrorKind, QueueStats, Receipt,
    memory::MemoryQueue,
    sqs::{self, Client, QueueSpec, SqsQueue},
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::server::{MAX_RECEIVES, counted_client, random_name};

/// Longer than any case lasts.
const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(600);

/// Steps of a case.
const MAX_STEPS: usize = 40;

/// Cases, unless [`CASES_VARIABLE`] says otherwise: ten to forty seconds.
const CASES: u32 = 24;

/// Names how many.
const CASES_VARIABLE: &str = "POLLING_DIFFERENTIAL_CASES";

/// More than all messages of a case need.
const MAX_RECEIVE_CALLS: usize = 200;

/// Cases tried to make a failing one shorter.
const MAX_SHRINKS: u32 = 60;

/// A step; deliveries are picked from all there ever were, those settled long ago included.
#[derive(Debug, Clone)]
enum Step {
    Send(Vec<Body>),
    /// So many at once, then whatever else is visible.
    Receive(usize),
    Ack(Index),
    AckTwice(Index),
    Extend(Index, u64),
    Release(Index),
    /// Every delivery there was.
    ReleaseAll,
}

/// Text around a number that makes each message another.
#[derive(Clone)]
struct Body {
    before: String,
    after: String,
}

/// Cut short, for a failure that people can read.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |text: &str| text.chars().take(20).collect::<String>();
        write!(f, "{:?}#{:?}", short(&self.before), short(&self.after))
    }
}

/// Whatever SQS takes: all of Unicode but some controls, surrogates, U+FFFE and U+FFFF.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ -~]{0,20}",
        2 => "[\t\n\r -~\u{80}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,12}",
        1 => proptest::sample::select(ODD_TEXTS).prop_map(str::to_owned),
        1 => (1..100_000usize).prop_map(|len| "x".repeat(len)),
    ]
}

const ODD_TEXTS: &[&str] = &[
    " ",
    "\n",
    "\r\n",
    "\t\t",
    "<&>\"'",
    "&amp;",
    "]]>",
    "\\u0000",
    "\\",
    "\"",
    "{}",
    "null",
    "%00",
    "+",
    "a=b&c=d",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "e\u{301}",
    "\u{7f}",
    "👩\u{200d}🚀",
];

fn body() -> impl Strategy<Value = Body> {
    (odd_text(), odd_text()).prop_map(|(before, after)| Body { before, after })
}

fn step() -> impl Strategy<Value = Step> {
    let of = any::<Index>;
    prop_oneof![
        3 => vec(body(), 0..14).prop_map(Step::Send),
        5 => (1..12usize).prop_map(Step::Receive),
        4 => of().prop_map(Step::Ack),
        1 => of().prop_map(Step::AckTwice),
        2 => (of(), 400..3_000u64).prop_map(|(of, s)| Step::Extend(of, s)),
        4 => of().prop_map(Step::Release),
        2 => Just(Step::ReleaseAll),
    ]
}

/// One delivery, by the queue in memory and by the server.
struct Delivery {
    body: String,
    receive_count: u32,
    receipts: [Receipt; 2],
    /// Released by us since.
    released: bool,
}

/// Both queues with their dead-letter queues, and what was delivered.
struct Pair {
    queues: [Arc<dyn Queue>; 2],
    dead_letters: [Arc<dyn Queue>; 2],
    sent: usize,
    deliveries: Vec<Delivery>,
}

impl Pair {
    async fn take(&mut self, step: &Step) {
        match step {
            Step::Send(bodies) => self.send(bodies).await,
            Step::Receive(max) => self.receive(*max).await,
            Step::Ack(of) => self.ack(of, 1).await,
            Step::AckTwice(of) => self.ack(of, 2).await,
            Step::Extend(of, visibility_s) => {
                self.extend_one(of, Duration::from_secs(*visibility_s))
                    .await;
            }
            Step::Release(of) => self.extend_one(of, Duration::ZERO).await,
            Step::ReleaseAll => {
                let all = 0..self.deliveries.len();
                let comparable: Vec<_> = all.filter(|&at| !self.is_visible(at)).collect();
                self.extend(&comparable, Duration::ZERO).await;
            }
        }
    }

    async fn send(&mut self, bodies: &[Body]) {
        let numbered = bodies.iter().map(|body| {
            self.sent += 1;
            format!("{}#{}#{}", body.before, self.sent, body.after)
        });
        let bodies: Vec<_> = numbered.collect();
        let [memory, server] = &self.queues;
        let sent: Vec<Result<(), EntryError>> = server.send(bodies.clone()).await;
        assert_eq!(sent, memory.send(bodies).await, "the answers of send");
    }

    /// Receives on both until nothing is visible.
    async fn receive(&mut self, first: usize) {
        let [memory, server] = self
            .queues
            .each_ref()
            .map(|queue| receive_all(&**queue, first));
        let ((memory, count), (server, count_on_server)) = (memory.await, server.await);
        if self
            .deliveries
            .iter()
            .all(|delivery| delivery.receive_count < MAX_RECEIVES)
        {
            assert_eq!(count_on_server, count, "how many the first receive brought");
        }
        let seen = |all: &BTreeMap<String, Message>| -> Vec<_> {
            all.iter()
                .map(|(body, m)| (body.clone(), m.receive_count))
                .collect()
        };
        assert_eq!(
            seen(&server),
            seen(&memory),
            "what was received, and how often"
        );
        for ((body, in_memory), on_server) in memory.into_iter().zip(server.into_values()) {
            self.deliveries.push(Delivery {
                body,
                receive_count: in_memory.receive_count,
                receipts: [in_memory.receipt, on_server.receipt],
                released: false,
            });
        }
        self.compare_statistics().await;
    }

    /// Only after a receive: until then, the server counts as visible what is worn out.
    async fn compare_statistics(&self) {
        let [memory, server] = self.queues.each_ref().map(|queue| statistics(&**queue));
        assert_eq!(server.await, memory.await, "statistics");
        let [memory, server] = self
            .dead_letters
            .each_ref()
            .map(|queue| statistics(&**queue));
        assert_eq!(server.await, memory.await, "statistics of the dead letters");
    }

    async fn ack(&mut self, of: &Index, times: usize) {
        if self.deliveries.is_empty() {
            return;
        }
        let delivery = of.get(&self.deliveries);
        if delivery.released && delivery.receive_count == MAX_RECEIVES {
            // In memory it is a dead letter by now.
            return;
        }
        for _ in 0..times {
            for (queue, receipt) in self.queues.iter().zip(&delivery.receipts) {
                queue
                    .ack(receipt)
                    .await
                    .expect("an acknowledgement is never refused");
            }
        }
    }

    async fn extend_one(&mut self, of: &Index, visibility: Duration) {
        if self.deliveries.is_empty() {
            return;
        }
        let at = of.index(self.deliveries.len());
        if !self.is_visible(at) {
            self.extend(&[at], visibility).await;
        }
    }

    /// Released, and not received again: of those the two queues think differently.
    fn is_visible(&self, at: usize) -> bool {
        let body = &self.deliveries[at].body;
        let latest = self
            .deliveries
            .iter()
            .rposition(|other| other.body == *body);
        latest == Some(at) && self.deliveries[at].released
    }

    async fn extend(&mut self, all: &[usize], visibility: Duration) {
        let mut answers = Vec::new();
        for (side, queue) in self.queues.iter().enumerate() {
            let receipts = all.iter().map(|&at| &self.deliveries[at].receipts[side]);
            let extended =
                join_all(receipts.map(|receipt| queue.extend(receipt, visibility))).await;
            let kinds = extended
                .into_iter()
                .map(|answer| answer.map_err(|error| error.kind));
            answers.push(kinds.collect::<Vec<_>>());
        }
        assert_eq!(answers[1], answers[0], "the answers of extend");
        for (&at, answer) in all.iter().zip(&answers[0]) {
            self.deliveries[at].released |= visibility.is_zero() && answer.is_ok();
        }
    }

    /// What is left, then what died.
    async fn finish(&mut self) {
        self.receive(10).await;
        for queue in &self.dead_letters {
            assert_eq!(queue.stats().await.expect("an answer").in_flight, 0);
        }
        let [memory, server] = self
            .dead_letters
            .each_ref()
            .map(|queue| receive_all(&**queue, 10));
        let ((memory, _), (server, _)) = (memory.await, server.await);
        let bodies = |all: BTreeMap<String, Message>| all.into_keys().collect::<Vec<_>>();
        assert_eq!(bodies(server), bodies(memory), "the dead letters");
    }
}

/// `first` messages, then ten at a time until none is visible: by body, and how many came first.
/// A server's receive may bring nothing and yet leave some: those it buried counted for it.
async fn receive_all(queue: &dyn Queue, first: usize) -> (BTreeMap<String, Message>, usize) {
    let (mut all, mut came_first) = (BTreeMap::new(), None);
    for _ in 0..MAX_RECEIVE_CALLS {
        let max = came_first.map_or(first, |_| 10);
        let received = queue.receive(max, Duration::ZERO).await.expect("an answer");
        let count = received.len();
        assert!(count <= max, "{count} messages, asked for {max}");
        for message in received {
            let again = all.insert(message.body.clone(), message);
            assert!(again.is_none(), "received twice at once: {again:?}");
        }
        let came_first = *came_first.get_or_insert(count);
        if count == 0 && statistics(queue).await.0 == 0 {
            return (all, came_first);
        }
    }
    panic!("something stays visible and is not received");
}

async fn statistics(queue: &dyn Queue) -> (u64, u64) {
    let QueueStats {
        visible, in_flight, ..
    } = queue.stats().await.expect("an answer");
    (visible, in_flight)
}

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
    let clock = Arc::new(SystemClock);
    let in_memory = |name: &str| {
        MemoryQueue::builder(name, clock.clone()).visibility_timeout(VISIBILITY_TIMEOUT)
    };
    let [name, dead_name] = names;
    let dead = in_memory(dead_name).build();
    let dead_on_server = on_server(client, dead_name, None).await;
    let queue = in_memory(name)
        .dead_letter(dead.clone(), MAX_RECEIVES)
        .build();
    let queue_on_server = on_server(client, name, Some(dead_name)).await;
    Pair {
        queues: [queue, Arc::new(queue_on_server)],
        dead_letters: [dead, Arc::new(dead_on_server)],
        sent: 0,
        deliveries: Vec::new(),
    }
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

fn cases() -> u32 {
    let Ok(text) = env::var(CASES_VARIABLE) else {
        return CASES;
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{CASES_VARIABLE} is a number, not {text}"))
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

async fn receive_one(queue: &dyn Queue) -> Message {
    let mut received = queue.receive(1, Duration::ZERO).await.expect("an answer");
    received.pop().expect("a message is visible")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: MAX_SHRINKS, ..ProptestConfig::with_cases(cases()) })]

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
