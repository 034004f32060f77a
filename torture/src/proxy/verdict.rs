//! What becomes of a request.

use rand::{RngExt, rngs::StdRng};
use serde_json::Value;

use super::{
    counts::{Counts, Fault},
    faults::{DropAction, Dropped, FailedEntry, Faults},
    sqs::{self, Received},
    wire::Protocol,
};

/// What becomes of a request.
pub(super) enum Verdict {
    /// It is passed on, as it is or changed.
    Pass(Vec<u8>, Fate),
    /// It is not passed on, and answered so.
    Answer(Vec<u8>),
    /// It is not passed on, and the connection is dead from now on.
    Silence,
    /// It is not passed on, and the connection is reset.
    Reset,
}

/// What becomes of a reply.
#[derive(Debug, Default)]
pub(super) struct Fate {
    /// Only this part of it is passed on, and then the connection closed.
    pub(super) cut: Option<f64>,
    /// It is kept, as this queue's messages.
    keep: Option<String>,
    /// Entries that it has to call failed.
    failed: Vec<Value>,
}

impl Fate {
    /// What is to be passed on instead of the reply.
    pub(super) fn apply(self, reply: Vec<u8>, received: &Received) -> Vec<u8> {
        if let Some(queue) = self.keep {
            received.keep(queue, &reply);
        }
        match self.failed.as_slice() {
            [] => reply,
            failed => sqs::with_failed(reply, failed),
        }
    }
}

/// Draws what becomes of requests, and counts it.
pub(super) struct Judge<'a> {
    pub(super) protocol: Protocol,
    pub(super) faults: &'a Faults,
    pub(super) random: &'a mut StdRng,
    pub(super) received: &'a Received,
    pub(super) counts: &'a Counts,
}

impl Judge<'_> {
    pub(super) fn judge(mut self, request: Vec<u8>) -> Verdict {
        if self.happens(self.faults.reset) {
            return Verdict::Reset; // counted with the resets that nobody drew
        }
        if let Some(verdict) = self.dropped(&request) {
            return verdict;
        }
        let receive = self.as_receive(&request);
        if let Some((queue, max)) = &receive
            && let Some(again) = self.replayed(queue, *max)
        {
            return Verdict::Answer(again);
        }
        match self.failing(&request) {
            Some(verdict) => verdict,
            None => {
                let cut = self.happens(self.faults.cut_reply);
                let fate = Fate {
                    cut: cut.then(|| self.random.random_range(0.0..1.0)),
                    keep: receive.map(|(queue, _)| queue),
                    failed: Vec::new(),
                };
                Verdict::Pass(request, fate)
            }
        }
    }

    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.random.random_bool(probability.min(1.0))
    }

    fn dropped(&mut self, request: &[u8]) -> Option<Verdict> {
        let faults = self.faults;
        if faults.drop_actions.is_empty() {
            return None;
        }
        let name = self.protocol.name(request);
        let meant = |drop: &&DropAction| name.strip_suffix("Batch").unwrap_or(&name) == drop.action;
        let drop = faults.drop_actions.iter().find(meant)?;
        if !self.happens(drop.probability) {
            return None;
        }
        self.counts.add(Fault::DropAction, 1);
        Some(match (drop.answer, self.protocol) {
            (Dropped::Error500, Protocol::Http) => Verdict::Answer(sqs::error_500()),
            _ => Verdict::Silence,
        })
    }

    /// Kept also while nothing is replayed, so that there is something as soon as it is wanted.
    fn as_receive(&self, request: &[u8]) -> Option<(String, usize)> {
        (self.protocol == Protocol::Http)
            .then(|| sqs::receive(request))
            .flatten()
    }

    fn replayed(&mut self, queue: &str, max: usize) -> Option<Vec<u8>> {
        if !self.happens(self.faults.replay_receive) {
            return None;
        }
        let random = &mut *self.random;
        let draw = |of| random.random_range(0..of);
        let (again, count) = self.received.again(queue, max, draw)?;
        self.counts.add(Fault::ReplayReceive, count);
        Some(again)
    }

    fn failing(&mut self, request: &[u8]) -> Option<Verdict> {
        let fail = self.faults.fail_entries?;
        let mut batch = sqs::Batch::of(request, || self.happens(fail.probability))?;
        let request = match fail.entry {
            FailedEntry::NotDelivered => batch.without_failed(),
            FailedEntry::Delivered => Some(request.to_vec()),
        };
        let failed = batch.failed();
        self.counts.add(Fault::FailEntry, failed.len());
        Some(match request {
            None => Verdict::Answer(sqs::all_failed(&failed)),
            Some(request) => {
                let fate = Fate {
                    failed,
                    ..Fate::default()
                };
                Verdict::Pass(request, fate)
            }
        })
    }
}
