//! Changes by people: each with who made it and why, beside what it changed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Consul, ConsulError, Entry};
use crate::config::Key;

/// Changes of a key that are kept, the newest.
pub const MAX_PAST: usize = 50;

/// Added to the prefix: what is kept there is no setting.
const ENDING: &str = ".history";

/// A change of a key, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// When, UTC milliseconds.
    pub at_ms: i64,
    /// Who, as they said.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What was there before; `None` if nothing.
    pub from: Option<String>,
    /// What is there since; `None` if nothing.
    pub to: Option<String>,
}

impl Consul {
    /// Changes a key to `past.to`, and keeps `past`, with what was there before, in one transaction. Whether nobody else changed it
    /// in the meantime, nor since its entry had the index `seen`, if that is given, 0 for no entry: otherwise nothing is written.
    ///
    /// # Errors
    ///
    /// [`ConsulError`]; of [`Unanswered`](ConsulError::Unanswered) the outcome is not known.
    pub async fn change(
        &self,
        key: &Key,
        seen: Option<u64>,
        past: Past,
    ) -> Result<bool, ConsulError> {
        let entry = self.get(key).await?;
        let index = entry.as_ref().map_or(0, |entry| entry.modify_index);
        if seen.is_some_and(|seen| seen != index) {
            return Ok(false);
        }
        let told = self.get_beside(ENDING, key).await?;
        let mut kept = self.read_past(told.as_ref())?;
        let past = Past {
            from: entry.as_ref().map(|entry| entry.text.clone()),
            ..past
        };
        let full = self.full_key(key.as_str());
        let change = match (&past.to, &entry) {
            (Some(text), _) => set(&full, text, entry.as_ref()),
            (None, Some(entry)) => {
                json!({"KV": {"Verb": "delete-cas", "Key": full, "Index": entry.modify_index}})
            }
            // It is not there already.
            (None, None) => return Ok(true),
        };
        kept.insert(0, past);
        kept.truncate(MAX_PAST);
        let kept = json!(kept).to_string();
        let history = set(
            &format!("{}{ENDING}/{key}", self.prefix()),
            &kept,
            told.as_ref(),
        );
        self.transact(&json!([change, history])).await
    }

    /// The changes of a key, newest first: those made by [`change`](Self::change).
    ///
    /// # Errors
    ///
    /// [`ConsulError`].
    pub async fn history(&self, key: &Key) -> Result<Vec<Past>, ConsulError> {
        let told = self.get_beside(ENDING, key).await?;
        self.read_past(told.as_ref())
    }

    fn read_past(&self, told: Option<&Entry>) -> Result<Vec<Past>, ConsulError> {
        let Some(entry) = told else {
            return Ok(Vec::new());
        };
        serde_json::from_str(&entry.text).map_err(|error| ConsulError::Strange {
            address: self.address(),
            what: format!("{} is no history: {error}", entry.key),
        })
    }
}

/// Only if it is as it was when `entry` was read.
fn set(key: &str, text: &str, entry: Option<&Entry>) -> Value {
    // To Consul 0 is a key that is not there.
    let index = entry.map_or(0, |entry| entry.modify_index);
    let value = BASE64_STANDARD.encode(text);
    json!({"KV": {"Verb": "cas", "Key": key, "Value": value, "Index": index}})
}
