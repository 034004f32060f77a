//! The one file to edit: how this channel is polled.

use polling_core::{Context, Event, Job, PollError, Polled, Poller, Topic};

/// Where the last poll stopped, in the job's context.
const SINCE: &str = "since_id";

/// A poller for a channel that has a new item for every account at every poll.
#[derive(Debug)]
pub(crate) struct Channel {
    topic: Topic,
}

impl Channel {
    /// Events go to `topic`.
    pub(crate) fn new(topic: Topic) -> Self {
        Self { topic }
    }

    /// What is newer than `since`. Here goes the call of the channel's API, with a timeout of
    /// `job.remaining()` and the credentials of `job.account`.
    async fn fetch(&self, job: &Job, since: i64) -> Result<Vec<Item>, ApiError> {
        tokio::time::sleep(std::time::Duration::from_millis(50).min(job.remaining())).await;
        // This one is out of order now and then.
        if job.due_ms % 10 == 0 {
            return Err(ApiError { status: 503 });
        }
        let text = format!("item {} of account {}", since + 1, job.account);
        Ok(vec![Item {
            id: since + 1,
            text,
            created_ms: job.due_ms,
        }])
    }
}

impl Poller for Channel {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        let since = job.context.get_i64(SINCE).unwrap_or(0);
        let items = self.fetch(&job, since).await?;
        let newest = items.iter().map(|item| item.id).max().unwrap_or(since);
        let events = items.into_iter().map(|item| item.into_event(&self.topic));
        // The context is whatever the next poll needs to go on from here.
        Ok(Polled::new(Context::from_iter([(SINCE, newest.into())])).with_events(events))
    }
}

/// An item as the channel gives it.
#[derive(Debug)]
struct Item {
    id: i64,
    text: String,
    created_ms: i64,
}

impl Item {
    /// The source key makes the event's id, so that consumers can drop repeats: the item's own id.
    fn into_event(self, topic: &Topic) -> Event {
        Event::new(
            topic.clone(),
            self.id.to_string(),
            self.text,
            self.created_ms,
        )
    }
}

/// An error as the channel gives it.
#[derive(Debug)]
struct ApiError {
    status: u16,
}

/// The one place that decides what an error means: the scheduler's rules go by the class.
impl From<ApiError> for PollError {
    fn from(error: ApiError) -> Self {
        let status = error.status.to_string();
        match error.status {
            401 | 403 => Self::unauthorized("the channel refused the account's credentials"),
            404 | 410 => Self::gone("the account exists no more"),
            429 => Self::rate_limited("the channel's limit is used up"),
            500.. => Self::transient("the channel is out of order"),
            _ => Self::invalid("the channel refused the request"),
        }
        .with_code(status)
    }
}

#[cfg(test)]
mod tests {
    use polling_core::{ErrorClass, model};

    use super::*;

    fn job(due_ms: i64, since: i64) -> Job {
        let dispatch = model::Job {
            id: "items:anna".parse().unwrap(),
            channel: "demo".parse().unwrap(),
            job_type: "items".parse().unwrap(),
            account: "anna".parse().unwrap(),
            level: "gold".parse().unwrap(),
            token: model::Token::from_wire("00000000000000a1.1.00000000000000b2").unwrap(),
            due_ms,
            not_after_ms: due_ms + 60_000,
            context: Context::from_iter([(SINCE, since.into())]),
        };
        Job::new(dispatch, due_ms)
    }

    fn channel() -> Channel {
        Channel::new(Topic::new("items").unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_goes_on_where_the_last_one_stopped() {
        let polled = channel().poll(job(1, 7)).await.unwrap();
        assert_eq!(polled.events[0].source_key, "8");
        assert_eq!(polled.context.get_i64(SINCE), Some(8));
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_transient() {
        let error = channel().poll(job(10, 7)).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Transient);
        assert_eq!(error.code().unwrap().as_str(), "503");
    }
}
