//! How often a job is polled, by hand.

use std::time::Duration;

use scheduler_lib::policy::Override;
use serde::Deserialize;

use super::error::ApiError;

/// `{"pin": {"interval": "5m"}}`, or `{"boost": {"factor": 3, "for": "2h"}}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Pace {
    Pin {
        #[serde(with = "scheduler_lib::duration")]
        interval: Duration,
    },
    Boost {
        factor: f64,
        until_ms: Option<i64>,
        #[serde(default, rename = "for", with = "scheduler_lib::duration::option")]
        lasting: Option<Duration>,
    },
}

impl Pace {
    pub(super) fn from(self, now_ms: i64) -> Result<Override, ApiError> {
        Ok(match self {
            Self::Pin { interval } => Override::Pin { interval },
            Self::Boost {
                factor,
                until_ms,
                lasting,
            } => {
                let after_ms = |lasting: Duration| {
                    let lasting_ms = i64::try_from(lasting.as_millis()).unwrap_or(i64::MAX);
                    now_ms.saturating_add(lasting_ms)
                };
                let until_ms = match (until_ms, lasting) {
                    (Some(until_ms), None) => until_ms,
                    (None, Some(lasting)) => after_ms(lasting),
                    _ => {
                        let error = "a boost needs either for, such as \"2h\", or until_ms";
                        return Err(ApiError::bad_request(error).field("pace.boost"));
                    }
                };
                Override::Boost { factor, until_ms }
            }
        })
    }
}
