//! What a queue in memory holds, without time and without waiting: those come as arguments.

use std::collections::{BTreeMap, BTreeSet};

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

/// Messages by id, and an index for each question that is asked often: no operation looks at
/// more messages than it changes.
#[derive(Debug, Default)]
pub(super) struct Store {
    next_id: u64,
    next_turn: u64,
    messages: BTreeMap<u64, Stored>,
    line: BTreeMap<u64, u64>,
    visible_by_age: BTreeSet<(i64, u64)>,
    leases: BTreeSet<(i64, u64)>,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn visible(&self) -> usize {
        self.line.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.leases.len()
    }

    /// When the oldest visible message was sent.
    pub(super) fn oldest_sent_ms(&self) -> Option<i64> {
        self.visible_by_age.first().map(|&(sent_ms, _)| sent_ms)
    }

    /// When the next message in flight becomes visible.
    pub(super) fn next_visible_ms(&self) -> Option<i64> {
        self.leases.first().map(|&(until_ms, _)| until_ms)
    }

    /// All messages, in the order of their ids.
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
        let (_, id) = self.line.pop_first()?;
        let stored = self.messages.get_mut(&id)?;
        self.visible_by_age.remove(&(stored.sent_ms, id));
        stored.receive_count = stored.receive_count.saturating_add(1);
        stored.place = Place::Invisible { until_ms };
        self.leases.insert((until_ms, id));
        Some((id, stored))
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
            self.line.insert(turn, id);
            self.visible_by_age.insert((stored.sent_ms, id));
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

    /// Removes a message from everywhere.
    pub(super) fn remove(&mut self, id: u64) -> Option<Stored> {
        let stored = self.messages.remove(&id)?;
        match stored.place {
            Place::Visible { turn } => {
                self.line.remove(&turn);
                self.visible_by_age.remove(&(stored.sent_ms, id));
            }
            Place::Invisible { until_ms } => {
                self.leases.remove(&(until_ms, id));
            }
        }
        Some(stored)
    }
}
