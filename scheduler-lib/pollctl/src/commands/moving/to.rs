//! Where jobs are moved to.

use std::{str::FromStr, time::Duration};

use polling_model::ChannelId;

use crate::time::at;

/// Where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum To {
    Held,
    Now,
    /// UTC milliseconds.
    At(i64),
    /// From now on.
    In(Duration),
    Channel(ChannelId),
}

impl FromStr for To {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(channel) = text.strip_prefix("channel:") {
            let channel = channel.parse::<ChannelId>();
            return channel
                .map(Self::Channel)
                .map_err(|error| error.to_string());
        }
        if let Some(length) = text.strip_prefix('+') {
            let length = humantime::parse_duration(length);
            return length.map(Self::In).map_err(|error| error.to_string());
        }
        match text {
            "held" => Ok(Self::Held),
            "now" => Ok(Self::Now),
            text => {
                let time = humantime::parse_rfc3339_weak(text).map_err(|_| {
                    "it needs held, now, a time such as 2027-01-15T03:00:00Z or +2h, or channel:NAME"
                        .to_owned()
                })?;
                let since = time
                    .duration_since(std::time::UNIX_EPOCH)
                    .unwrap_or_default();
                Ok(Self::At(
                    i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
                ))
            }
        }
    }
}

impl To {
    /// What comes behind `move` in a path.
    pub(super) fn action(&self, over: Duration, now_ms: i64) -> Vec<String> {
        let over_ms = milliseconds(over);
        let time = |from_ms: i64| {
            let until_ms = from_ms.saturating_add(over_ms);
            vec!["time".to_owned(), from_ms.to_string(), until_ms.to_string()]
        };
        match self {
            Self::Held => vec!["pause".to_owned()],
            Self::Now => vec!["now".to_owned()],
            Self::At(at_ms) => time(*at_ms),
            Self::In(length) => time(now_ms.saturating_add(milliseconds(*length))),
            Self::Channel(to) => vec!["channel".to_owned(), to.to_string()],
        }
    }

    /// Where to, in words.
    pub(super) fn told(&self, over: Duration, now_ms: i64) -> String {
        let time = |from_ms: i64| match milliseconds(over) {
            0 => format!("to {} UTC", at(from_ms)),
            over_ms => format!(
                "to between {} and {} UTC",
                at(from_ms),
                at(from_ms.saturating_add(over_ms))
            ),
        };
        match self {
            Self::Held => "out of the cycle, until they are resumed".to_owned(),
            Self::Now => "into the drain that runs now".to_owned(),
            Self::At(at_ms) => time(*at_ms),
            Self::In(length) => time(now_ms.saturating_add(milliseconds(*length))),
            Self::Channel(to) => format!("to channel {to}"),
        }
    }
}

fn milliseconds(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_is_read() {
        let read = |text: &str| text.parse::<To>();
        assert_eq!(read("held"), Ok(To::Held));
        assert_eq!(read("now"), Ok(To::Now));
        assert_eq!(read("+2h"), Ok(To::In(Duration::from_secs(7_200))));
        assert_eq!(read("2027-01-15T08:00:00Z"), Ok(To::At(1_800_000_000_000)));
        assert_eq!(read("2027-01-15 08:00:00"), Ok(To::At(1_800_000_000_000)));
        let github = ChannelId::new("github").unwrap();
        assert_eq!(read("channel:github"), Ok(To::Channel(github)));
        for wrong in ["", "later", "+", "+x", "channel:", "03:00"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
