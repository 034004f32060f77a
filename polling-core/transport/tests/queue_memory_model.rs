//! The queue in memory against a model that is too simple to be wrong: a list, looked through from
//! the front for everything.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::FutureExt;
use polling_model::ManualClock;
use polling_transport::{Message, Queue, memory::MemoryQueue};
use proptest::{collection::vec, prelude::*};

const TIMEOUT_MS: i64 = 100;
const MAX_RECEIVES: u32 = 3;

#[derive(Debug, Clone)]
enum Step {
    Send(usize),
    Receive(usize),
    /// Of a delivery picked from all there ever were, stale ones included.
    Ack(prop::sample::Index),
    Extend(prop::sample::Index, i64),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..5usize).prop_map(Step::Send),
        (1..5usize).prop_map(Step::Receive),
        any::<prop::sample::Index>().prop_map(Step::Ack),
        (any::<prop::sample::Index>(), 0..250i64).prop_map(|(of, ms)| Step::Extend(of, ms)),
        (0..150i64).prop_map(Step::Pass),
    ]
}

#[derive(Debug, Clone, Default)]
struct Modelled {
    body: String,
    receives: u32,
    /// In line since, as a number of events; or invisible until, in milliseconds.
    turn: u64,
    until_ms: Option<i64>,
}

#[derive(Debug, Default)]
struct Model {
    now_ms: i64,
    sent: usize,
    turns: u64,
    live: Vec<Modelled>,
    dead: Vec<String>,
}

impl Model {
    /// What is due comes back in the order of its time, then of its sending.
    fn settle(&mut self) {
        loop {
            let due = self
                .live
                .iter()
                .enumerate()
                .filter_map(|(n, m)| Some((m.until_ms?, n)));
            let Some((_, n)) = due.filter(|&(until_ms, _)| until_ms <= self.now_ms).min() else {
                return;
            };
            if self.live[n].receives >= MAX_RECEIVES {
                self.dead.push(self.live.remove(n).body);
                continue;
            }
            self.turns += 1;
            self.live[n].turn = self.turns;
            self.live[n].until_ms = None;
        }
    }

    fn send(&mut self) -> String {
        let body = self.sent.to_string();
        self.sent += 1;
        self.turns += 1;
        let (body_of_message, turn) = (body.clone(), self.turns);
        self.live.push(Modelled {
            body: body_of_message,
            turn,
            ..Modelled::default()
        });
        body
    }

    fn receive(&mut self, max: usize) -> Vec<(String, u32)> {
        self.settle();
        let until_ms = Some(self.now_ms + TIMEOUT_MS);
        let mut line: Vec<_> = self
            .live
            .iter_mut()
            .filter(|m| m.until_ms.is_none())
            .collect();
        line.sort_by_key(|m| m.turn);
        let taken = line.into_iter().take(max).map(|m| {
            m.receives += 1;
            m.until_ms = until_ms;
            (m.body.clone(), m.receives)
        });
        taken.collect()
    }

    fn held(&self, delivery: &Message) -> Option<usize> {
        let same = |m: &Modelled| m.body == delivery.body && m.receives == delivery.receive_count;
        self.live.iter().position(same)
    }
}

/// Nothing here waits, so each call is ready at once.
fn now<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never()
        .expect("a call without a wait is ready at once")
}

proptest! {
    #[test]
    fn the_queue_does_what_the_model_does(steps in vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime");
        let _in_runtime = runtime.enter();
        let clock = ManualClock::at(0);
        let dead = MemoryQueue::builder("dead", Arc::new(clock.clone())).build();
        let queue = MemoryQueue::builder("jobs", Arc::new(clock.clone()))
            .visibility_timeout(Duration::from_millis(TIMEOUT_MS as u64))
            .dead_letter(dead.clone(), MAX_RECEIVES)
            .build();
        let mut model = Model::default();
        let mut deliveries: Vec<Message> = Vec::new();
        for step in steps {
            match step {
                Step::Send(count) => {
                    let bodies: Vec<_> = (0..count).map(|_| model.send()).collect();
                    prop_assert_eq!(now(queue.send(bodies)), vec![Ok(()); count]);
                }
                Step::Receive(max) => {
                    let received = now(queue.receive(max, Duration::ZERO)).expect("an answer");
                    let seen: Vec<_> =
                        received.iter().map(|m| (m.body.clone(), m.receive_count)).collect();
                    prop_assert_eq!(seen, model.receive(max));
                    deliveries.extend(received);
                }
                Step::Ack(of) if !deliveries.is_empty() => {
                    let delivery = of.get(&deliveries);
                    now(queue.ack(&delivery.receipt)).expect("never an error");
                    if let Some(n) = model.held(delivery) {
                        model.live.remove(n);
                    }
                }
                Step::Extend(of, ms) if !deliveries.is_empty() => {
                    let delivery = of.get(&deliveries);
                    let visibility = Duration::from_millis(ms as u64);
                    let extended = now(queue.extend(&delivery.receipt, visibility));
                    model.settle();
                    let held = model.held(delivery).filter(|&n| model.live[n].until_ms.is_some());
                    prop_assert_eq!(extended.is_ok(), held.is_some());
                    if let Some(n) = held {
                        model.live[n].until_ms = Some(model.now_ms + ms);
                    }
                    model.settle();
                }
                Step::Pass(ms) => {
                    clock.advance(Duration::from_millis(ms as u64));
                    model.now_ms += ms;
                }
                Step::Ack(_) | Step::Extend(..) => {}
            }
        }
        model.settle();
        let expected: BTreeMap<_, _> =
            model.live.iter().map(|m| (m.body.clone(), (m.receives, m.until_ms))).collect();
        let stats = now(queue.stats()).expect("an answer");
        let visible = expected.values().filter(|(_, until_ms)| until_ms.is_none()).count() as u64;
        prop_assert_eq!((stats.visible, stats.visible + stats.in_flight),
            (visible, expected.len() as u64));
        let stored: BTreeMap<_, _> = queue
            .messages()
            .into_iter()
            .map(|m| (m.body, (m.receive_count, m.invisible_until_ms)))
            .collect();
        prop_assert_eq!(stored, expected);
        let buried: Vec<_> = dead.messages().into_iter().map(|m| m.body).collect();
        prop_assert_eq!(buried, model.dead);
    }
}
