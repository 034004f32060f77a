//! Durations as people write them: `90s`, `5m`, `1h 30m`. For `#[serde(with = "…")]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

/// How a person would write it: `1d 12h`, `5m`, `250ms`. Months and years, which have no fixed
/// length, are left out.
#[must_use]
pub fn text(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut parts = Vec::new();
    for (unit, length_ms) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if rest >= length_ms {
            parts.push(format!("{}{unit}", rest / length_ms));
            rest %= length_ms;
        }
    }
    if parts.is_empty() {
        "0s".to_owned()
    } else {
        parts.join(" ")
    }
}

/// Writes a duration as text.
///
/// # Errors
///
/// The serializer's.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*duration))
}

/// Reads a duration from text.
///
/// # Errors
///
/// The deserializer's, or that the text is no duration.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|error| {
        de::Error::custom(format!(
            "{text:?} is no duration such as \"90s\" or \"5m\": {error}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(millis in 0..10_000_000_000u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(humantime::parse_duration(&text(duration)), Ok(duration));
        }
    }
}
