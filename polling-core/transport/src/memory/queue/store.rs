//! What a queue in memory holds, without time and without waiting: those come as arguments.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// A message and where it is.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) body: String,
    pub(super) sent_ms: i64,
    pub(super) receive_count: u32,
    pub(super) place: Place,
}

/// Each message is in exactly one place, and the indexes of [`Store`] agree with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In line, behind all with a lower number.
    Visible { turn: u64 },
    /// Received; back in line at this instant.
    Invisible { until_ms: i64 },
}

/// One delivery of one message: valid until the message is received again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) id: u64,
    pub(super) receive_count: u32,
}

/// Messages by id, and an index for each question that is asked often.
#[derive(Debug, Default)]
pub(super) struct Store {
    next_id: u64,
    next_turn: u64,
    messages: HashMap<u64, Stored>,
    /// Turns and ids. What was deleted while it was in line keeps its turn, which is passed over.
    line: VecDeque<(u64, u64)>,
    visible: usize,
    /// When the newest message was sent that ever was in line.
    newest_ms: i64,
    /// What is in line behind newer messages: it came back, or from another queue. All others in
    /// line were sent in the order in which they stand there.
    behind_newer: BTreeSet<(i64, u64)>,
    leases: BTreeSet<(i64, u64)>,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn visible(&self) -> usize {
        self.visible
    }

    pub(super) fn in_flight(&self) -> usize {
        self.leases.len()
    }

    /// When the oldest visible message was sent.
    pub(super) fn oldest_sent_ms(&self) -> Option<i64> {
        let in_line = self.line.iter().filter(|(turn, id)| self.waits(*turn, *id));
        let sent_ms = |id: &u64| self.messages.get(id).map(|stored| stored.sent_ms);
        let mut in_order = in_line
            .filter_map(|(_, id)| Some((sent_ms(id)?, *id)))
            .filter(|entry| !self.behind_newer.contains(entry))
            .map(|(sent_ms, _)| sent_ms);
        let behind = self.behind_newer.first().map(|&(sent_ms, _)| sent_ms);
        in_order.next().into_iter().chain(behind).min()
    }

    /// When the next message in flight becomes visible.
    pub(super) fn next_visible_ms(&self) -> Option<i64> {
        self.leases.first().map(|&(until_ms, _)| until_ms)
    }

    /// All messages, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Stored)> {
        self.messages.iter().map(|(&id, stored)| (id, stored))
    }

    /// Puts a new message at the end of the line.
    pub(super) fn push(&mut self, body: String, sent_ms: i64) {
        let id = self.next_id;
        self.next_id += 1;
        let stored = Stored {
            body,
            sent_ms,
            receive_count: 0,
            place: Place::Invisible { until_ms: i64::MIN },
        };
        self.messages.insert(id, stored);
        self.line_up(id);
    }

    /// Takes the first in line, invisible until `until_ms`.
    pub(super) fn take(&mut self, until_ms: i64) -> Option<(u64, &Stored)> {
        let id = loop {
            let (turn, id) = self.line.pop_front()?;
            if self.waits(turn, id) {
                break id;
            }
        };
        self.leave_line(id);
        let stored = self.messages.get_mut(&id)?;
        stored.receive_count = stored.receive_count.saturating_add(1);
        stored.place = Place::Invisible { until_ms };
        self.leases.insert((until_ms, id));
        Some((id, stored))
    }

    /// Whether a message still has this turn.
    fn waits(&self, turn: u64, id: u64) -> bool {
        let stored = self.messages.get(&id);
        stored.is_some_and(|stored| stored.place == Place::Visible { turn })
    }

    /// Removes one message whose time has come from the leases. The caller puts it back in line
    /// with [`Store::line_up`], or removes it.
    pub(super) fn pop_expired(&mut self, now_ms: i64) -> Option<u64> {
        let &(until_ms, id) = self.leases.first()?;
        if until_ms > now_ms {
            return None;
        }
        self.leases.pop_first();
        Some(id)
    }

    /// Puts a message that is in no index at the end of the line.
    pub(super) fn line_up(&mut self, id: u64) {
        if let Some(stored) = self.messages.get_mut(&id) {
            let turn = self.next_turn;
            self.next_turn += 1;
            stored.place = Place::Visible { turn };
            self.line.push_back((turn, id));
            self.visible += 1;
            if stored.sent_ms < self.newest_ms {
                self.behind_newer.insert((stored.sent_ms, id));
            }
            self.newest_ms = self.newest_ms.max(stored.sent_ms);
        }
    }

    /// Counts a message out that was in line.
    fn leave_line(&mut self, id: u64) {
        self.visible -= 1;
        if let Some(stored) = self.messages.get(&id)
            && !self.behind_newer.is_empty()
        {
            self.behind_newer.remove(&(stored.sent_ms, id));
        }
    }

    /// The message of a delivery, unless it is gone or was received again.
    pub(super) fn held(&self, delivery: Delivery) -> Option<&Stored> {
        self.messages
            .get(&delivery.id)
            .filter(|stored| stored.receive_count == delivery.receive_count)
    }

    /// How often a message was received.
    pub(super) fn receive_count(&self, id: u64) -> u32 {
        self.messages.get(&id).map_or(0, |m| m.receive_count)
    }

    /// Moves the end of a lease. False when the message is not in flight.
    pub(super) fn move_lease(&mut self, id: u64, until_ms: i64) -> bool {
        let Some(stored) = self.messages.get_mut(&id) else {
            return false;
        };
        let Place::Invisible { until_ms: before } = stored.place else {
            return false;
        };
        stored.place = Place::Invisible { until_ms };
        self.leases.remove(&(before, id));
        self.leases.insert((until_ms, id));
        true
    }

    /// Removes the message of a delivery, unless it was received again.
    pub(super) fn delete(&mut self, delivery: Delivery) -> Option<Stored> {
        self.held(delivery)?;
        self.remove(delivery.id)
    }

    /// Removes a message from everywhere.
    pub(super) fn remove(&mut self, id: u64) -> Option<Stored> {
        match self.messages.get(&id)?.place {
            Place::Visible { .. } => self.leave_line(id),
            Place::Invisible { until_ms } => drop(self.leases.remove(&(until_ms, id))),
        }
        self.messages.remove(&id)
    }
}
