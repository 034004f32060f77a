//! What happened to the jobs in one history of the store.

use std::collections::BTreeMap;

use polling_model::{Incarnation, JobId, Token};

/// The registered jobs.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(BTreeMap<JobId, Life>);

/// One life of a job's record.
#[derive(Debug, Clone, Copy)]
struct Life {
    incarnation: Incarnation,
    /// The token of the last drain.
    drained: Option<Token>,
    /// The generation accepted last.
    accepted: u64,
}

impl History {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Registered, or its context was replaced by hand: another life.
    pub(crate) fn begins(&mut self, job: &JobId, incarnation: Incarnation) {
        let life = Life {
            incarnation,
            drained: None,
            accepted: 0,
        };
        self.0.insert(job.clone(), life);
    }

    pub(crate) fn ends(&mut self, job: &JobId) {
        self.0.remove(job);
    }

    pub(super) fn drained(&mut self, job: &JobId, token: Token) -> Result<(), String> {
        let life = self.life(job, token)?;
        let before = life.drained.map_or(0, |token| token.generation);
        life.drained = Some(token);
        if token.generation > before {
            return Ok(());
        }
        Err(format!(
            "drained with generation {}, after {before}",
            token.generation
        ))
    }

    pub(super) fn accepted(&mut self, job: &JobId, token: Token) -> Result<(), String> {
        let life = self.life(job, token)?;
        if life.drained != Some(token) {
            return Err(format!(
                "accepted {token:?}, the last drain gave {:?}",
                life.drained
            ));
        }
        if token.generation <= life.accepted {
            return Err(format!(
                "accepted generation {} after {}",
                token.generation, life.accepted
            ));
        }
        life.accepted = token.generation;
        Ok(())
    }

    fn life(&mut self, job: &JobId, token: Token) -> Result<&mut Life, String> {
        let life = self.0.get_mut(job).ok_or("it is not registered")?;
        if life.incarnation == token.incarnation {
            Ok(life)
        } else {
            Err(format!("{token:?} is of another life of its record"))
        }
    }
}

#[cfg(test)]
mod tests {
    use polling_model::Nonce;

    use super::*;

    fn token(generation: u64, nonce: u64) -> Token {
        Token {
            incarnation: Nonce(1),
            generation,
            nonce: Nonce(nonce),
        }
    }

    fn registered() -> (History, JobId) {
        let (mut history, job) = (History::default(), JobId::new("a").unwrap());
        history.begins(&job, Nonce(1));
        (history, job)
    }

    #[test]
    fn a_token_is_accepted_once_and_only_if_it_is_the_last_drains() {
        let (mut history, job) = registered();
        assert!(
            history.accepted(&job, token(1, 7)).is_err(),
            "never drained"
        );
        history.drained(&job, token(1, 7)).unwrap();
        assert!(history.accepted(&job, token(1, 8)).is_err(), "other nonce");
        history.accepted(&job, token(1, 7)).unwrap();
        assert!(history.accepted(&job, token(1, 7)).is_err(), "twice");
        history.drained(&job, token(2, 9)).unwrap();
        assert!(history.accepted(&job, token(1, 7)).is_err(), "superseded");
    }

    #[test]
    fn generations_increase_and_another_life_begins_anew() {
        let (mut history, job) = registered();
        history.drained(&job, token(3, 7)).unwrap();
        assert!(history.drained(&job, token(3, 8)).is_err());
        history.begins(&job, Nonce(2));
        assert!(history.drained(&job, token(4, 9)).is_err(), "old life");
        history.ends(&job);
        assert!(history.drained(&job, token(5, 9)).is_err(), "removed");
    }
}
