//! Jobs moved: to another time, to another channel; and a channel that stands still.

use polling_model::JobId;

use super::{Registry, RegistryError, known};
use crate::{
    stable_hash::stable_hash,
    store::{ExportedJob, Hold, ImportedJob, Place, Registered},
};

/// Apart from what else is made of an id's hash.
const SALT: u64 = 7;

/// What became of a job that is to be in another channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandedOver {
    /// It is there, and here no more.
    Moved,
    /// It was there before, and was left as it is; here it is no more.
    Existing,
    /// It is in flight: nothing changed, so that what its poll brings is not lost.
    InFlight,
}

impl Registry {
    /// Places a job that waits at a time between two, UTC milliseconds, sooner or later than it was
    /// to come: each job at a time of its own, and the same one each time. Whether it waited.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], or the store's.
    pub async fn move_to(
        &self,
        id: &JobId,
        from_ms: i64,
        until_ms: i64,
    ) -> Result<bool, RegistryError> {
        let span_ms = until_ms.saturating_sub(from_ms).max(0).unsigned_abs() + 1;
        let after_ms = stable_hash(id.as_str(), SALT) % span_ms;
        let due_ms = from_ms.saturating_add_unsigned(after_ms);
        let store = &self.channel.store;
        known(id, store.move_to(id, due_ms, "moved by hand").await?)
    }

    /// Puts a job into another channel, which has its own store, and removes it here: with its context,
    /// its rules and its time. It is held here first, so at no time two channels poll it; and if it
    /// breaks off, repeating it goes on where it was.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], [`RegistryError::UnknownJobType`] if the other channel has no such
    /// jobs, or either store's.
    pub async fn hand_over(&self, id: &JobId, to: &Self) -> Result<HandedOver, RegistryError> {
        let before = self.get(id).await?.state;
        if to.channel.policy(&before.job_type).is_none() {
            return Err(to.unknown_type(&before.job_type));
        }
        let reason = format!("moving to channel {}", to.channel());
        let goes_on = before.place == Place::Held(Hold::Paused) && before.reason() == reason;
        let hold = match before.place {
            Place::InFlight { .. } => return Ok(HandedOver::InFlight),
            Place::Held(hold) => Some(hold).filter(|_| !goes_on),
            Place::Slot | Place::Later => {
                let held = self.channel.store.hold(id, Hold::Paused, &reason).await?;
                known(id, held)?;
                None
            }
        };
        let record = self.get(id).await?;
        let job = ExportedJob {
            hold,
            ..ExportedJob::from(record)
        };
        let incarnation = to.generator.nonce();
        let imported = ImportedJob { job, incarnation };
        let now_ms = to.clock.now_ms();
        let imported = to.channel.store.import(vec![imported], now_ms).await?;
        self.channel.store.remove(id).await?;
        Ok(match imported.first() {
            Some(Registered::Existing) => HandedOver::Existing,
            _ => HandedOver::Moved,
        })
    }

    /// Stops the channel at once: until [`start`](Self::start) no job is dispatched, those that are
    /// registered meanwhile included. What is in a queue or with a worker by then still ends.
    ///
    /// # Errors
    ///
    /// The store's; of a store of several shards some may have stopped: repeat it.
    pub async fn stop(&self, reason: &str) -> Result<(), RegistryError> {
        Ok(self.channel.store.stop(Some(reason)).await?)
    }

    /// Lets the channel go on. What became due meanwhile is caught up, each job once.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn start(&self) -> Result<(), RegistryError> {
        Ok(self.channel.store.stop(None).await?)
    }

    /// Why the channel is stopped, if it is.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn stopped(&self) -> Result<Option<String>, RegistryError> {
        Ok(self.channel.store.stopped().await?)
    }
}
