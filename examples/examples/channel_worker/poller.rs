//! The poller: pages upwards from the last status seen, and tells the SDK what came of it.

use polling_core::{Context, Event, Job, PollError, Polled, Poller, Topic};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::{self, Api, ApiError, PAGE_LIMIT, Page};

/// Pages of one poll at most. What is beyond them is left to the next, which follows at once.
const MAX_PAGES: usize = 2;

/// Where the context keeps the newest status seen.
const SINCE_ID: &str = "since_id";

/// Polls an account's posts.
pub(crate) struct Posts {
    api: Api,
    topic: Topic,
}

/// What is read of a status; the event carries all of it.
#[derive(Deserialize)]
struct Status<'a> {
    id: &'a str,
    created_at: &'a str,
}

impl Posts {
    pub(crate) fn new(api: Api, topic: Topic) -> Self {
        Self { api, topic }
    }

    /// Adds a page to what was polled so far, oldest first, and returns its newest id.
    fn take(&self, page: Page, polled: &mut Polled) -> Result<Option<u64>, PollError> {
        let mut newest = None;
        for status in page.statuses.iter().rev() {
            let (id, event) = self.event(status)?;
            polled.events.push(event);
            newest = Some(id);
        }
        polled.allowances = page.allowance.into_iter().collect();
        Ok(newest)
    }

    fn event(&self, status: &RawValue) -> Result<(u64, Event), PollError> {
        let malformed = |what: &str| PollError::invalid(format!("a status without {what}"));
        let read: Status<'_> = serde_json::from_str(status.get())
            .map_err(|error| malformed("id and created_at").with_source(error))?;
        let id = (read.id.parse()).map_err(|_| malformed("a numeric id"))?;
        let created_ms = api::date_ms(read.created_at).ok_or_else(|| malformed("a date"))?;
        let payload = status.get().to_owned();
        let event = Event::new(self.topic.clone(), read.id, payload, created_ms);
        Ok((id, event))
    }
}

impl Poller for Posts {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let since_id = job
            .context
            .get_i64(SINCE_ID)
            .unwrap_or(0)
            .max(0)
            .unsigned_abs();
        let mut polled = Polled::new(job.context.clone());
        let mut newest = since_id;
        for number in 1..=MAX_PAGES {
            let page = match self.api.page(job.account.as_str(), since_id, newest).await {
                Ok(page) => page,
                Err(error) if number == 1 => return Err(poll_error(error)),
                // What the pages before brought is published and kept.
                Err(error) => return Ok(polled.with_stopped(poll_error(error))),
            };
            let full = page.statuses.len() >= PAGE_LIMIT;
            newest = self.take(page, &mut polled)?.unwrap_or(newest);
            polled.context = Context::from_iter([(SINCE_ID, newest.into())]);
            if !full {
                return Ok(polled);
            }
        }
        Ok(polled.with_saturated(true))
    }
}

/// The class decides what the scheduler does next.
fn poll_error(error: ApiError) -> PollError {
    let message = error.to_string();
    let ApiError::Refused {
        status,
        retry_after,
        allowance,
    } = error
    else {
        return match error {
            ApiError::Malformed(_) => PollError::invalid(message).with_source(error),
            _ => PollError::transient(message).with_source(error),
        };
    };
    let mut refused = match status {
        StatusCode::TOO_MANY_REQUESTS => PollError::rate_limited(message),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => PollError::unauthorized(message),
        StatusCode::NOT_FOUND | StatusCode::GONE => PollError::gone(message),
        status if status.is_server_error() => PollError::transient(message),
        _ => PollError::invalid(message),
    }
    .with_code(status.as_str());
    if let Some(wait) = retry_after {
        refused = refused.with_retry_after(wait);
    }
    match allowance {
        Some(allowance) => refused.with_allowance(allowance),
        None => refused,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use polling_core::ErrorClass;

    use super::*;

    fn posts() -> Posts {
        let api = Api::new("http://127.0.0.1:1", "test").unwrap();
        Posts::new(api, Topic::new("posts").unwrap())
    }

    fn page(text: &str) -> Page {
        Page {
            statuses: serde_json::from_str(text).unwrap(),
            allowance: None,
        }
    }

    #[test]
    fn a_page_becomes_events_oldest_first() {
        let page = page(
            r#"[{"id":"9","created_at":"1970-01-01T00:00:02Z"},{"id":"8","created_at":"1970-01-01T00:00:01.500Z"}]"#,
        );
        let mut polled = Polled::default();
        assert_eq!(posts().take(page, &mut polled).unwrap(), Some(9));
        let found = polled.events.iter();
        let found: Vec<_> = found
            .map(|event| (&*event.source_key, event.created_ms))
            .collect();
        assert_eq!(found, [("8", 1_500), ("9", 2_000)]);
    }

    #[test]
    fn a_status_that_makes_no_sense_is_invalid() {
        for text in [
            r#"[{"id":"9"}]"#,
            r#"[{"id":"x","created_at":"1970-01-01T00:00:00Z"}]"#,
        ] {
            let error = posts()
                .take(page(text), &mut Polled::default())
                .unwrap_err();
            assert_eq!(error.class(), ErrorClass::Invalid);
        }
    }

    #[test]
    fn the_status_decides_the_class() {
        let classes = [
            (401, ErrorClass::Unauthorized),
            (404, ErrorClass::Gone),
            (418, ErrorClass::Invalid),
            (429, ErrorClass::RateLimited),
            (503, ErrorClass::Transient),
        ];
        for (status, class) in classes {
            let error = poll_error(ApiError::Refused {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: Some(Duration::from_secs(7)),
                allowance: None,
            });
            assert_eq!(
                (error.class(), error.retry_after()),
                (class, Some(Duration::from_secs(7)))
            );
            assert_eq!(error.code().unwrap().as_str(), status.to_string());
        }
    }
}
