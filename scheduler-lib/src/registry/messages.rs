//! Messages that nobody could decode, kept for the operator.

use polling_model::chain;
use polling_transport::SharedQueue;
use tokio::time::timeout;

use super::{QueueRole, Registry, RegistryError};
use crate::{limits::QUEUE_DEADLINE, store::Undecodable};

impl Registry {
    /// Messages that nobody could decode, newest first.
    ///
    /// # Errors
    ///
    /// The store's.
    pub async fn undecodable(&self, limit: usize) -> Result<Vec<Undecodable>, RegistryError> {
        Ok(self.channel.store.undecodable(limit).await?)
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownMessage`], or the store's.
    pub async fn undecodable_message(&self, id: &str) -> Result<Undecodable, RegistryError> {
        let found = self.channel.store.undecodable_message(id).await?;
        found.ok_or_else(|| RegistryError::UnknownMessage { id: id.to_owned() })
    }

    /// Keeps one of them no longer: it is gone for good.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownMessage`], or the store's.
    pub async fn forget_undecodable(&self, id: &str) -> Result<(), RegistryError> {
        match self.channel.store.forget_undecodable(id).await? {
            true => Ok(()),
            false => Err(RegistryError::UnknownMessage { id: id.to_owned() }),
        }
    }

    /// Sends one of them again, to the work queue or the completed queue that it came from, and then
    /// keeps it no longer: somebody can read it by now. Where that is not so, it comes back. If it
    /// breaks off in between it is sent and kept, and a message that comes twice does no harm.
    ///
    /// # Errors
    ///
    /// [`RegistryError::UnknownMessage`], [`RegistryError::UnknownJobType`], that the queue does not
    /// take it, or the store's.
    pub async fn redrive_undecodable(&self, id: &str, to: &QueueRole) -> Result<(), RegistryError> {
        let message = self.undecodable_message(id).await?;
        let queue = self.queue_of(to)?;
        let failed = |why: String| RegistryError::Queue {
            queue: queue.name().to_owned(),
            why,
        };
        let sent = timeout(QUEUE_DEADLINE, queue.send(vec![message.body])).await;
        let sent = sent.map_err(|_| failed("no answer in time".to_owned()))?;
        let sent = sent.into_iter().next();
        let sent = sent.ok_or_else(|| failed("it told nothing of the message".to_owned()))?;
        sent.map_err(|error| failed(chain(&error)))?;
        self.channel.store.forget_undecodable(id).await?;
        Ok(())
    }

    fn queue_of(&self, role: &QueueRole) -> Result<&SharedQueue, RegistryError> {
        match role {
            QueueRole::Completed => Ok(&self.channel.completed),
            QueueRole::DeadLetter => Ok(&self.channel.dead_letter),
            QueueRole::Work(job_type) => match self.channel.kinds.get(job_type) {
                Some(kind) => Ok(&kind.work),
                None => Err(self.unknown_type(job_type)),
            },
        }
    }
}
