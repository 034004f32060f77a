//! What was seen before, within bounds.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};

use crate::{caps, model::caps::MAX_SOURCE_KEY_LEN};

/// Source keys that were seen, at most [`caps::MAX_SEEN`] of them and
/// [`caps::MAX_SEEN_SIZE_BYTES`] of their encoding: what a context has room for.
///
/// When it overflows it forgets the key that was not met for the longest time. A forgotten item
/// that the channel still gives is published again, with the same event id: never skipped. So of
/// a page that holds more than fits, every poll repeats as many as do not; consumers drop repeats
/// by id.
///
/// ```
/// use polling_core::paging::SeenSet;
///
/// let mut seen = SeenSet::default();
/// assert_eq!(seen.note_all(["item-2", "item-1"]), [true, true]);
/// assert_eq!(seen.note_all(["item-3", "item-2"]), [true, false], "seen before");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct SeenSet {
    /// When each key was met last, as a number that grows.
    met: BTreeMap<String, u64>,
    by_age: BTreeMap<u64, String>,
    clock: u64,
    size_bytes: usize,
}

impl SeenSet {
    /// Adds the keys of a page. Of each: true when it was not there. None that was is forgotten
    /// before the channel gives it, to make room for another.
    pub fn note_all<'k>(&mut self, keys: impl IntoIterator<Item = &'k str>) -> Vec<bool> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut new: Vec<_> = keys.iter().map(|key| !self.contains(key)).collect();
        for (key, _) in keys.iter().zip(&new).filter(|(_, new)| !**new) {
            self.note(key);
        }
        for (key, new) in keys.iter().zip(&mut new).filter(|(_, new)| **new) {
            *new = self.note(key);
        }
        new
    }

    /// Adds `key`, as the one that was met last. True when it was not there. For the keys of a
    /// page take [`note_all`](Self::note_all).
    pub fn note(&mut self, key: &str) -> bool {
        let key = kept(key);
        self.clock += 1;
        let before = self.met.insert(key.to_string(), self.clock);
        match before {
            Some(met) => {
                self.by_age.remove(&met);
            }
            None => self.size_bytes += encoded_len(&key),
        }
        self.by_age.insert(self.clock, key.into_owned());
        while self.len() > caps::MAX_SEEN || self.size_bytes > caps::MAX_SEEN_SIZE_BYTES {
            self.forget_oldest();
        }
        before.is_none()
    }

    /// Whether `key` is there.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.met.contains_key(&*kept(key))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.met.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.met.is_empty()
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.by_age.pop_first() {
            self.size_bytes -= encoded_len(&key);
            self.met.remove(&key);
        }
    }
}

/// The keys, the one that was met last at the end.
impl From<SeenSet> for Vec<String> {
    fn from(seen: SeenSet) -> Self {
        seen.by_age.into_values().collect()
    }
}

impl From<Vec<String>> for SeenSet {
    fn from(keys: Vec<String>) -> Self {
        let mut seen = Self::default();
        for key in keys {
            seen.note(&key);
        }
        seen
    }
}

/// `key` as it is kept: one too long to be published is cut, so that it drives no others out.
pub(super) fn kept(key: &str) -> Cow<'_, str> {
    if key.len() <= MAX_SOURCE_KEY_LEN {
        return key.into();
    }
    let begin = &key[..key.floor_char_boundary(MAX_SOURCE_KEY_LEN)];
    // Still too long, and thus no other item's key.
    format!("{begin}[cut]").into()
}

/// What a text takes in a context, with its quotes and a comma, in bytes: at most. Contexts are
/// ASCII, so that all else is escaped.
pub(super) fn encoded_len(text: &str) -> usize {
    let each = text.chars().map(|c| match c {
        '"' | '\\' => 2,
        ' '..='~' => 1,
        other => 6 * other.len_utf16(),
    });
    each.sum::<usize>() + 3
}
