//! Any sequence of operations gives the same answers on a queue in memory as on a server.
//!
//! The server has real time, so nothing here waits: visibility timeouts are long, and a message
//! comes back only when it is released. Which of several visible messages comes first is left
//! open, so each receive is followed by others until nothing is visible: what came, and how often
//! it was received, must then be the same.

use std::{collections::BTreeMap, env, fmt, sync::Arc, time::Duration};

use futures_util::future::join_all;
use polling_model::SystemClock;
use polling_transport::{EntryError, Message, Queue, QueueStats, Receipt, memory::MemoryQueue};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Receives of a message before it is a dead letter.
pub(crate) const MAX_RECEIVES: u32 = 3;

/// Longer than any case lasts.
pub(crate) const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(600);

/// Steps of a case.
pub(crate) const MAX_STEPS: usize = 40;

/// Names how many.
const CASES_VARIABLE: &str = "POLLING_DIFFERENTIAL_CASES";

/// More than all messages of a case need.
const MAX_RECEIVE_CALLS: usize = 200;

/// Cases tried to make a failing one shorter.
pub(crate) const MAX_SHRINKS: u32 = 60;

/// A step; deliveries are picked from all there ever were, those settled long ago included.
#[derive(Debug, Clone)]
pub(crate) enum Step {
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
pub(crate) struct Body {
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

pub(crate) fn step() -> impl Strategy<Value = Step> {
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

/// Both queues with their dead-letter queues, that in memory first, and what was delivered.
pub(crate) struct Pair {
    pub(crate) queues: [Arc<dyn Queue>; 2],
    pub(crate) dead_letters: [Arc<dyn Queue>; 2],
    /// What was released and not received again, or has just been released for the last time, is
    /// another matter on SQS: its receipts are left alone.
    leaves_released: bool,
    sent: usize,
    deliveries: Vec<Delivery>,
}

impl Pair {
    /// The server's queue and its dead-letter queue, beside two in memory.
    pub(crate) fn of(
        queue: Arc<dyn Queue>,
        dead_letters: Arc<dyn Queue>,
        leaves_released: bool,
    ) -> Self {
        let clock = Arc::new(SystemClock);
        let in_memory = |name: &str| {
            MemoryQueue::builder(name, clock.clone()).visibility_timeout(VISIBILITY_TIMEOUT)
        };
        let dead = in_memory("dead").build();
        let memory = in_memory("jobs")
            .dead_letter(dead.clone(), MAX_RECEIVES)
            .build();
        Self {
            queues: [memory, queue],
            dead_letters: [dead, dead_letters],
            leaves_released,
            sent: 0,
            deliveries: Vec::new(),
        }
    }

    pub(crate) async fn take(&mut self, step: &Step) {
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
                let comparable: Vec<_> = all.filter(|&at| !self.is_left_alone(at)).collect();
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
        if self.leaves_released && delivery.released && delivery.receive_count == MAX_RECEIVES {
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
        if !self.is_left_alone(at) {
            self.extend(&[at], visibility).await;
        }
    }

    /// Released, and not received again, where the two queues think differently of those.
    fn is_left_alone(&self, at: usize) -> bool {
        if !self.leaves_released {
            return false;
        }
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
    pub(crate) async fn finish(&mut self) {
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
pub(crate) async fn receive_all(
    queue: &dyn Queue,
    first: usize,
) -> (BTreeMap<String, Message>, usize) {
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

pub(crate) async fn statistics(queue: &dyn Queue) -> (u64, u64) {
    let QueueStats {
        visible, in_flight, ..
    } = queue.stats().await.expect("an answer");
    (visible, in_flight)
}

/// How many cases a property tries, `default` unless the environment says otherwise.
pub(crate) fn cases(default: u32) -> u32 {
    let Ok(text) = env::var(CASES_VARIABLE) else {
        return default;
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{CASES_VARIABLE} is a number, not {text}"))
}

pub(crate) async fn receive_one(queue: &dyn Queue) -> Message {
    let mut received = queue.receive(1, Duration::ZERO).await.expect("an answer");
    received.pop().expect("a message is visible")
}
