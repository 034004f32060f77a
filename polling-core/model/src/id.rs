//! Validated names. Every id is ASCII without braces, spaces or quotes, so that it is safe as a
//! part of a Redis key, of a queue's name and of a log line.

use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::{SmolStr, format_smolstr};

use crate::caps;

/// Why a string is not a valid id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The string is empty.
    #[error("{kind} is empty: it needs 1 to {max} characters")]
    Empty {
        /// Which id.
        kind: &'static str,
        /// The longest allowed, in bytes.
        max: usize,
    },
    /// The string is too long.
    #[error("{kind} has {len} bytes: at most {max} are allowed")]
    TooLong {
        /// Which id.
        kind: &'static str,
        /// The length found, in bytes.
        len: usize,
        /// The longest allowed, in bytes.
        max: usize,
    },
    /// The string has a character outside the allowed set.
    #[error("{kind} has {found:?} at byte {at}: allowed are {allowed}")]
    BadCharacter {
        /// Which id.
        kind: &'static str,
        /// The character.
        found: char,
        /// Its offset, in bytes.
        at: usize,
        /// The allowed set, in words.
        allowed: &'static str,
    },
}

/// A set of characters with its description.
struct Charset {
    /// By the byte.
    has: [bool; 256],
    words: &'static str,
}

impl Charset {
    /// Letters, digits and `extra`.
    const fn new(extra: &[u8], words: &'static str) -> Self {
        let mut has = [false; 256];
        let mut byte = 0;
        while byte < has.len() {
            has[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < extra.len() {
            has[extra[at] as usize] = true;
            at += 1;
        }
        Self { has, words }
    }
}

/// For ids that come from a channel: accounts, jobs, scopes.
static WIDE: Charset = Charset::new(b"-_.:@/+=~", "letters, digits and -_.:@/+=~");

/// For labels that become a part of a queue's name or of a metric.
static LABEL: Charset = Charset::new(b"-_", "letters, digits, - and _");

/// For topics and error codes.
static DOTTED: Charset = Charset::new(b"-_.", "letters, digits and -_.");

fn validate(kind: &'static str, text: &str, max: usize, set: &Charset) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { kind, max });
    }
    if text.len() > max {
        return Err(IdError::TooLong {
            kind,
            len: text.len(),
            max,
        });
    }
    // All that is allowed is ASCII, so the first other byte begins a character.
    let Some(at) = text.bytes().position(|byte| !set.has[usize::from(byte)]) else {
        return Ok(());
    };
    Err(IdError::BadCharacter {
        kind,
        found: text[at..].chars().next().unwrap_or_default(),
        at,
        allowed: set.words,
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $max:expr, $set:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// Cheap to clone: up to 23 bytes are copied, longer ones are shared.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// Validates `text`.
            ///
            /// # Errors
            ///
            /// [`IdError`] when it is empty, too long or has a character outside the allowed set.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                validate($kind, text, $max, &$set)?;
                Ok(Self(text.into()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text(Self::from_str, $kind))
            }
        }
    )*};
}

/// Reads an id from wherever its text lies, without a copy in between.
struct Text<T>(fn(&str) -> Result<T, IdError>, &'static str);

impl<T> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

ids! {
    /// A job, unique within its channel.
    JobId, "job id", caps::MAX_JOB_ID_LEN, WIDE;
    /// A channel: one social network, one store, one provider.
    ChannelId, "channel", caps::MAX_LABEL_LEN, LABEL;
    /// A kind of job within a channel; each has its own work queue and its own rules.
    JobType, "job type", caps::MAX_LABEL_LEN, LABEL;
    /// The account at the channel on whose behalf is polled.
    AccountId, "account", caps::MAX_ACCOUNT_LEN, WIDE;
    /// What a customer pays for: rules of frequency go by it.
    ServiceLevel, "service level", caps::MAX_LABEL_LEN, LABEL;
    /// Who shares a rate limit: `app`, `account:42`, `token:9`.
    ScopeKey, "rate-limit scope", caps::MAX_SCOPE_LEN, WIDE;
    /// The channel's own code for an error, for rules finer than the class.
    ErrorCode, "error code", caps::MAX_ERROR_CODE_LEN, DOTTED;
    /// A topic of the event bus.
    Topic, "topic", caps::MAX_TOPIC_LEN, DOTTED;
}

impl JobId {
    /// The id that a registration gets when it names none: `job_type:account`.
    #[must_use]
    pub fn of(job_type: &JobType, account: &AccountId) -> Self {
        // Both parts are valid and MAX_JOB_ID_LEN covers their longest sum.
        Self(format_smolstr!("{job_type}:{account}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_the_field_and_the_bound_it_breaks() {
        let long = "a".repeat(caps::MAX_ACCOUNT_LEN + 1);
        let error = AccountId::new(long).unwrap_err().to_string();
        assert_eq!(error, "account has 129 bytes: at most 128 are allowed");
        let error = ChannelId::new("x{y").unwrap_err().to_string();
        assert_eq!(
            error,
            "channel has '{' at byte 1: allowed are letters, digits, - and _"
        );
        assert_eq!(
            JobId::new("").unwrap_err().to_string(),
            "job id is empty: it needs 1 to 192 characters"
        );
    }

    #[test]
    fn non_ascii_letters_are_refused() {
        assert!(matches!(
            AccountId::new("zoë"),
            Err(IdError::BadCharacter { at: 2, .. })
        ));
    }

    #[test]
    fn the_longest_parts_make_a_valid_job_id() {
        let job_type = JobType::new("t".repeat(caps::MAX_LABEL_LEN)).unwrap();
        let account = AccountId::new("a".repeat(caps::MAX_ACCOUNT_LEN)).unwrap();
        let id = JobId::of(&job_type, &account);
        assert_eq!(JobId::new(id.as_str()), Ok(id));
    }

    #[test]
    fn deserializing_validates() {
        assert!(serde_json::from_str::<JobType>("\"posts\"").is_ok());
        assert!(serde_json::from_str::<JobType>("\"po sts\"").is_err());
    }
}
