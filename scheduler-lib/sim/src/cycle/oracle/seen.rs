//! What left the system: events, completions, deleted messages.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use polling_model::{AccountId, JobId, Token};

#[derive(Debug, Default)]
pub(super) struct Seen {
    delivered: BTreeMap<AccountId, Delivered>,
    /// Only asked, never walked through, so its order does not matter.
    completed: HashSet<Token>,
    /// Work messages received and not deleted, by receipt.
    received: BTreeMap<String, Received>,
}

/// The events of one account, repeats dropped.
#[derive(Debug, Default)]
struct Delivered {
    /// All up to this one.
    through: u64,
    /// Those after a gap.
    beyond: BTreeSet<u64>,
}

#[derive(Debug)]
struct Received {
    job: JobId,
    token: Token,
    not_after_ms: i64,
}

impl Seen {
    pub(super) fn delivered(&mut self, account: &AccountId, number: u64) {
        let delivered = match self.delivered.get_mut(account) {
            Some(delivered) => delivered,
            None => self.delivered.entry(account.clone()).or_default(),
        };
        if number > delivered.through {
            delivered.beyond.insert(number);
        }
        while delivered.beyond.remove(&(delivered.through + 1)) {
            delivered.through += 1;
        }
    }

    pub(super) fn delivered_through(&self, account: &AccountId) -> u64 {
        self.delivered
            .get(account)
            .map_or(0, |delivered| delivered.through)
    }

    pub(super) fn completed(&mut self, token: Token) {
        self.completed.insert(token);
    }

    pub(super) fn received(&mut self, receipt: &str, job: JobId, token: Token, not_after_ms: i64) {
        let received = Received {
            job,
            token,
            not_after_ms,
        };
        self.received.insert(receipt.to_owned(), received);
    }

    /// The job whose message is deleted although its completion is not stored and its `not_after`
    /// is later than `latest_not_after_ms`.
    pub(super) fn deleted(&mut self, receipt: &str, latest_not_after_ms: i64) -> Result<(), JobId> {
        let Some(received) = self.received.remove(receipt) else {
            return Ok(());
        };
        let late = received.not_after_ms <= latest_not_after_ms;
        if late || self.completed.contains(&received.token) {
            return Ok(());
        }
        Err(received.job)
    }
}

#[cfg(test)]
mod tests {
    use polling_model::Nonce;

    use super::*;

    #[test]
    fn events_count_up_to_the_first_gap_and_repeats_change_nothing() {
        let (mut seen, account) = (Seen::default(), AccountId::new("a").unwrap());
        for (number, through) in [(1, 1), (3, 1), (3, 1), (4, 1), (2, 4), (1, 4), (5, 5)] {
            seen.delivered(&account, number);
            assert_eq!(seen.delivered_through(&account), through);
        }
    }

    #[test]
    fn a_message_may_be_deleted_once_completed_or_late() {
        let mut seen = Seen::default();
        let job = JobId::new("a").unwrap();
        let token = |nonce| Token {
            incarnation: Nonce(1),
            generation: 1,
            nonce: Nonce(nonce),
        };
        seen.completed(token(1));
        seen.received("completed", job.clone(), token(1), 900);
        seen.received("late", job.clone(), token(2), 500);
        seen.received("early", job.clone(), token(2), 501);
        assert_eq!(seen.deleted("completed", 500), Ok(()));
        assert_eq!(seen.deleted("late", 500), Ok(()));
        assert_eq!(seen.deleted("early", 500), Err(job));
    }
}
