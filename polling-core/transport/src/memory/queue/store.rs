//! What a queue in memory holds, without time and without waiting: those come as arguments.

use std::{
    collections::{BTreeSet, HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
};

use polling_model::TraceContext;

/// A message. Clones share the body.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) id: u64,
    pub(super) body: Arc<str>,
    pub(super) trace: Option<TraceContext>,
    pub(super) sent_ms: i64,
    pub(super) receive_count: u32,
}

/// One delivery of one message: valid until the message is received again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) id: u64,
    pub(super) receive_count: u32,
}

/// A message that was received, and when its lease ends.
#[derive(Debug)]
struct Leased {
    message: Stored,
    until_ms: i64,
}

/// Each message is in line or leased. Those in line lie there one behind the other: hardly anything
/// is asked of them but the first.
#[derive(Debug, Default)]
pub(super) struct Store {
    next_id: u64,
    line: VecDeque<Stored>,
    /// What came back and is in line: how often it was received, and when it was sent. What is
    /// acknowledged there is not among them any more, and is passed over when its turn comes.
    back: HashMap<u64, (u32, i64)>,
    /// Messages in line that were acknowledged there.
    passed_over: usize,
    /// When the newest message was sent that ever was in line.
    newest_ms: i64,
    /// What is in line behind newer messages: it came back, or from another queue. All others in
    /// line were sent in the order in which they stand there.
    behind_newer: BTreeSet<(i64, u64)>,
    leased: HashMap<u64, Leased>,
    leases: BTreeSet<(i64, u64)>,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.visible() + self.leased.len()
    }

    pub(super) fn visible(&self) -> usize {
        self.line.len() - self.passed_over
    }

    pub(super) fn in_flight(&self) -> usize {
        self.leases.len()
    }

    /// When the oldest visible message was sent.
    pub(super) fn oldest_sent_ms(&self) -> Option<i64> {
        let in_order = self
            .in_line()
            .map(|message| (message.sent_ms, message.id))
            .find(|entry| !self.behind_newer.contains(entry));
        let behind = self.behind_newer.first().copied();
        let oldest = in_order.into_iter().chain(behind).min();
        oldest.map(|(sent_ms, _)| sent_ms)
    }

    /// When the next message in flight becomes visible.
    pub(super) fn next_visible_ms(&self) -> Option<i64> {
        self.leases.first().map(|&(until_ms, _)| until_ms)
    }

    /// All messages, in no order; with the end of the lease of those that have one.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Stored, Option<i64>)> {
        let leased = self.leased.values();
        let leased = leased.map(|leased| (&leased.message, Some(leased.until_ms)));
        self.in_line().map(|message| (message, None)).chain(leased)
    }

    fn in_line(&self) -> impl Iterator<Item = &Stored> {
        self.line.iter().filter(|message| self.is_due(message))
    }

    /// Whether a message in line is still to be delivered.
    fn is_due(&self, message: &Stored) -> bool {
        message.receive_count == 0 || self.back.contains_key(&message.id)
    }

    /// Puts a new message at the end of the line.
    pub(super) fn push(&mut self, body: Arc<str>, trace: Option<TraceContext>, sent_ms: i64) {
        let id = self.next_id;
        self.next_id += 1;
        self.line_up(Stored {
            id,
            body,
            trace,
            sent_ms,
            receive_count: 0,
        });
    }

    /// Takes the first in line, invisible until `until_ms`.
    pub(super) fn take(&mut self, until_ms: i64) -> Option<Stored> {
        let mut message = loop {
            let first = self.line.pop_front()?;
            if self.is_due(&first) {
                break first;
            }
            self.passed_over -= 1;
        };
        let id = message.id;
        self.forget(&message);
        message.receive_count = message.receive_count.saturating_add(1);
        self.leases.insert((until_ms, id));
        let taken = message.clone();
        self.leased.insert(id, Leased { message, until_ms });
        Some(taken)
    }

    /// Takes a message out of the indexes of those in line.
    fn forget(&mut self, message: &Stored) {
        if message.receive_count > 0 {
            self.back.remove(&message.id);
        }
        if !self.behind_newer.is_empty() {
            self.behind_newer.remove(&(message.sent_ms, message.id));
        }
    }

    /// Takes a message whose time has come. The caller puts it back in line with
    /// [`Store::line_up`].
    pub(super) fn pop_expired(&mut self, now_ms: i64) -> Option<Stored> {
        let &(until_ms, id) = self.leases.first()?;
        if until_ms > now_ms {
            return None;
        }
        self.leases.pop_first();
        Some(self.leased.remove(&id)?.message)
    }

    /// Puts a message that is nowhere else at the end of the line.
    pub(super) fn line_up(&mut self, message: Stored) {
        if message.receive_count > 0 {
            let back = (message.receive_count, message.sent_ms);
            self.back.insert(message.id, back);
        }
        if message.sent_ms < self.newest_ms {
            self.behind_newer.insert((message.sent_ms, message.id));
        }
        self.newest_ms = self.newest_ms.max(message.sent_ms);
        self.line.push_back(message);
    }

    /// Moves the end of a lease. False when the message is not in flight, or was received again.
    pub(super) fn move_lease(&mut self, delivery: Delivery, until_ms: i64) -> bool {
        let Some(leased) = self.leased.get_mut(&delivery.id) else {
            return false;
        };
        if leased.message.receive_count != delivery.receive_count {
            return false;
        }
        self.leases.remove(&(leased.until_ms, delivery.id));
        self.leases.insert((until_ms, delivery.id));
        leased.until_ms = until_ms;
        true
    }

    /// Deletes the message of a delivery, unless it was received again. One that is back in line is
    /// passed over there.
    pub(super) fn delete(&mut self, delivery: Delivery) -> Option<Stored> {
        let Delivery { id, receive_count } = delivery;
        if !self.back.is_empty()
            && let Some(&(last, sent_ms)) = self.back.get(&id)
        {
            if last == receive_count {
                self.back.remove(&id);
                self.behind_newer.remove(&(sent_ms, id));
                self.passed_over += 1;
            }
            return None;
        }
        let Entry::Occupied(leased) = self.leased.entry(id) else {
            return None;
        };
        if leased.get().message.receive_count != receive_count {
            return None;
        }
        let leased = leased.remove();
        self.leases.remove(&(leased.until_ms, id));
        Some(leased.message)
    }
}
