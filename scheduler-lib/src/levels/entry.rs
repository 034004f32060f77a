//! What the cache remembers of an account.

use polling_model::ServiceLevel;

/// A level as the source gave it, and until when it counts as fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) fresh_until_ms: i64,
    /// `None`: the source does not know the account. That too is worth remembering.
    pub(super) level: Option<ServiceLevel>,
}

impl Entry {
    pub(super) fn to_text(&self) -> String {
        let level = self.level.as_ref().map_or("", ServiceLevel::as_str);
        format!("{} {level}", self.fresh_until_ms)
    }

    /// `None` for what another version may have written: the source is asked anew.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (fresh_until_ms, level) = text.split_once(' ')?;
        let level = match level {
            "" => None,
            level => Some(ServiceLevel::new(level).ok()?),
        };
        Some(Self {
            fresh_until_ms: fresh_until_ms.parse().ok()?,
            level,
        })
    }

    pub(super) fn is_fresh(&self, now_ms: i64) -> bool {
        now_ms < self.fresh_until_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_survives_its_text() {
        for level in [None, Some("gold".parse().unwrap())] {
            let entry = Entry {
                fresh_until_ms: 7,
                level,
            };
            assert_eq!(Entry::from_text(&entry.to_text()), Some(entry));
        }
    }

    #[test]
    fn other_texts_are_no_entries() {
        for text in ["", "7", "x gold", "7 go ld"] {
            assert_eq!(Entry::from_text(text), None, "{text}");
        }
    }
}
