//! Creation times as they travel: the newest, then from each to the next older one. So a hundred
//! items of one hour take half a kilobyte, and nothing is rounded.

use std::fmt;

use serde::{
    Deserializer, Serializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

use crate::caps::MAX_CREATED;

pub(crate) fn serialize<S: Serializer>(created_ms: &[i64], to: S) -> Result<S::Ok, S::Error> {
    let mut newer_ms = None;
    to.collect_seq(created_ms.iter().rev().take(MAX_CREATED).map(|at_ms| {
        // Only the first has none that is newer.
        let newer_ms = newer_ms.replace(*at_ms);
        newer_ms.map_or(*at_ms, |newer_ms: i64| newer_ms.saturating_sub(*at_ms))
    }))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i64>, D::Error> {
    from.deserialize_seq(Times)
}

/// Reads the newest of any number of times, oldest first.
struct Times;

impl<'de> Visitor<'de> for Times {
    type Value = Vec<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time in milliseconds and the steps back from it")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<i64>, A::Error> {
        let mut created_ms = Vec::new();
        let mut newer_ms = None;
        while created_ms.len() < MAX_CREATED
            && let Some(number) = seq.next_element::<i64>()?
        {
            let at_ms = newer_ms.map_or(number, |newer_ms: i64| newer_ms.saturating_sub(number));
            newer_ms = Some(at_ms);
            created_ms.push(at_ms);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        created_ms.reverse();
        Ok(created_ms)
    }
}
