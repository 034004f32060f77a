//! What is to be left of a limit for others.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{bounded, window::unsigned};

/// What is to be left of a limit for others. Written as a number of calls, `20`, or as a share of
/// the limit, `"10%"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cushion {
    /// Calls.
    Calls(u64),
    /// A share of the limit, 0 to 1, rounded up to whole calls.
    Share(f64),
}

impl Cushion {
    /// No cushion: the last call may be made.
    pub const NONE: Self = Self::Calls(0);

    /// In calls, of a limit.
    #[must_use]
    pub fn calls_of(self, limit: u64) -> u64 {
        unsigned(self.of(bounded(limit)))
    }

    pub(super) fn of(self, limit: i64) -> i64 {
        match self {
            Self::Calls(calls) => bounded(calls),
            Self::Share(share) => (limit as f64 * share_of_one(share)).ceil() as i64,
        }
    }
}

impl Default for Cushion {
    fn default() -> Self {
        Self::NONE
    }
}

pub(super) const fn share_of_one(share: f64) -> f64 {
    if share.is_nan() {
        0.0
    } else {
        share.clamp(0.0, 1.0)
    }
}

impl fmt::Display for Cushion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls(calls) => write!(f, "{calls}"),
            // As a person would write it, in spite of what a float makes of hundredths.
            Self::Share(share) => write!(f, "{}%", (share * 1e6).round() / 1e4),
        }
    }
}

/// Most characters that an error repeats.
const MAX_FOUND: usize = 40;

/// A text that is no cushion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no cushion: it needs a number of calls, or a share of 0% to 100%")]
pub struct CushionError {
    found: String,
}

impl FromStr for Cushion {
    type Err = CushionError;

    fn from_str(text: &str) -> Result<Self, CushionError> {
        let found = match text.strip_suffix('%') {
            Some(percent) => {
                let percent = percent.trim_end().parse::<f64>().ok();
                let sane = percent.filter(|percent| (0.0..=100.0).contains(percent));
                // To a ten-thousandth of a per cent, so that what was written is found again.
                sane.map(|percent| Self::Share((percent * 1e4).round() / 1e6))
            }
            None => text.parse().ok().map(Self::Calls),
        };
        found.ok_or_else(|| CushionError {
            found: text.chars().take(MAX_FOUND).collect(),
        })
    }
}

impl Serialize for Cushion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Calls(calls) => serializer.serialize_u64(*calls),
            Self::Share(_) => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Cushion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Cushion;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of calls such as 20, or a share of the limit such as \"10%\"")
            }

            fn visit_u64<E: de::Error>(self, calls: u64) -> Result<Cushion, E> {
                Ok(Cushion::Calls(calls))
            }

            fn visit_i64<E: de::Error>(self, calls: i64) -> Result<Cushion, E> {
                let calls = u64::try_from(calls);
                calls.map(Cushion::Calls).map_err(|_| {
                    E::invalid_value(de::Unexpected::Other("a negative number"), &self)
                })
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Cushion, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(calls: u64, hundredths in 0..=10_000u32) {
            for cushion in [Cushion::Calls(calls), Cushion::Share((f64::from(hundredths) * 1e2).round() / 1e6)] {
                prop_assert_eq!(cushion.to_string().parse(), Ok(cushion));
                let json = serde_json::to_string(&cushion).unwrap();
                prop_assert_eq!(serde_json::from_str::<Cushion>(&json).unwrap(), cushion);
            }
        }
    }

    #[test]
    fn what_is_no_cushion_says_what_one_is() {
        for text in ["", "-1", "many", "101%", "-3%", "NaN%", "1.5", "%"] {
            let error = text.parse::<Cushion>().unwrap_err().to_string();
            assert!(error.contains("0% to 100%"), "{error}");
        }
        assert!(serde_json::from_str::<Cushion>("-1").is_err());
        assert!(serde_json::from_str::<Cushion>("1.5").is_err());
    }
}
