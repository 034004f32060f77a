//! Durations as people write them: `90s`, `5m`, `1h 30m`. For `#[serde(with = "…")]`.

use std::{fmt::Write, time::Duration};

use serde::{Deserialize, Deserializer, Serializer, de};

/// How a person would write it: `1d 12h`, `5m`, `250ms`. Months and years, which have no fixed
/// length, are left out.
#[must_use]
pub fn text(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut text = String::with_capacity(12);
    for (unit, length_ms) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ] {
        if rest >= length_ms {
            let gap = if text.is_empty() { "" } else { " " };
            // A String takes whatever is written.
            let _ = write!(text, "{gap}{}{unit}", rest / length_ms);
            rest %= length_ms;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
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

/// Reads a duration that must be at least `min` and at most `max`.
///
/// # Errors
///
/// Those of [`deserialize`], or that it is out of bounds.
pub fn deserialize_within<'de, D: Deserializer<'de>>(
    deserializer: D,
    min: Duration,
    max: Duration,
) -> Result<Duration, D::Error> {
    let found = deserialize(deserializer)?;
    if (min..=max).contains(&found) {
        return Ok(found);
    }
    let said = format!(
        "{} is out of bounds: it needs {} to {}",
        text(found),
        text(min),
        text(max)
    );
    Err(de::Error::custom(said))
}

/// The same as [`deserialize`] for a duration that may be left out.
pub mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes a duration as text, or nothing.
    ///
    /// # Errors
    ///
    /// The serializer's.
    pub fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a duration from text, if there is any.
    ///
    /// # Errors
    ///
    /// The deserializer's, or that the text is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        #[derive(Deserialize)]
        struct Written(#[serde(with = "super")] Duration);

        let written = Option::<Written>::deserialize(deserializer)?;
        Ok(written.map(|Written(duration)| duration))
    }
}

#[cfg(test)]
mod tests {
    use polling_fuzz::{Taken, allocating_at_most};
    use proptest::prelude::*;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    polling_fuzz::fuzz! {
        fuzz_duration in "tests/corpus/duration" => |bytes| read(bytes)
    }

    /// What is read can be written and read again, to the millisecond; an error names the text.
    fn read(bytes: &[u8]) -> Taken {
        let Ok(written) = str::from_utf8(bytes) else {
            return Taken::No;
        };
        let from = StrDeserializer::<Error>::new(written);
        let found = allocating_at_most(20 * bytes.len() + 4096, || deserialize(from));
        match &found {
            Ok(duration) => {
                let again = deserialize(StrDeserializer::<Error>::new(&text(*duration)));
                let again = again.expect("what was read can be written");
                assert_eq!(again.as_millis(), duration.as_millis());
            }
            Err(error) => assert!(error.to_string().contains("is no duration such as")),
        }
        Taken::if_ok(&found)
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(millis in 0..10_000_000_000u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(humantime::parse_duration(&text(duration)), Ok(duration));
        }
    }
}
