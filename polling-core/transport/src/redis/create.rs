//! Making a queue, for set-up programs and tests, and reading the settings of one that exists.

use std::time::Duration;

use redis::FromRedisValue;

use super::{client::Client, error::fault, queue::MAX_VISIBILITY, scripts};
use crate::{
    fault::Fault,
    queue::{DeadLetter, QueueError, QueueErrorKind},
};

/// Messages that a queue holds at most unless set otherwise.
pub const DEFAULT_CAPACITY: u64 = 1_000_000;

/// A queue as it should be. Times are whole milliseconds; fractions are cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name: up to [`MAX_NAME_LEN`](super::MAX_NAME_LEN) letters, digits, hyphens, underscores
    /// and dots.
    pub name: String,
    /// How long a received message stays invisible; 1 ms to 12 hours.
    pub visibility_timeout: Duration,
    /// Where messages go that nobody acknowledges. That queue must exist, in the same space.
    pub dead_letter: Option<DeadLetter>,
    /// Messages that it holds at most, in flight included; a send beyond fails and can be repeated.
    pub capacity: u64,
}

impl QueueSpec {
    /// A queue of [`DEFAULT_CAPACITY`] without a dead-letter queue.
    #[must_use]
    pub fn new(name: impl Into<String>, visibility_timeout: Duration) -> Self {
        Self {
            name: name.into(),
            visibility_timeout,
            dead_letter: None,
            capacity: DEFAULT_CAPACITY,
        }
    }

    /// With a dead-letter queue, after `max_receives` receives.
    #[must_use]
    pub fn dead_letter(mut self, queue: impl Into<String>, max_receives: u32) -> Self {
        self.dead_letter = Some(DeadLetter {
            queue: queue.into(),
            max_receives,
        });
        self
    }

    /// With room for so many messages.
    #[must_use]
    pub fn capacity(mut self, messages: u64) -> Self {
        self.capacity = messages;
        self
    }
}

/// Creates the queue, unless it exists as specified. Its settings are kept beside it.
///
/// # Errors
///
/// - [`QueueErrorKind::Conflict`] when it exists with other settings, which the source names: they
///   are left as they are.
/// - [`QueueErrorKind::NoSuchQueue`] when the dead-letter queue does not exist.
/// - [`QueueErrorKind::Other`] when the specification is out of bounds, or the server may evict
///   keys.
/// - Whatever keeps the server from answering.
pub async fn create_queue(client: &Client, spec: &QueueSpec) -> Result<(), QueueError> {
    let created = create(client, spec).await;
    created.map_err(|fault| fault.into_error(&spec.name, "create"))
}

async fn create(client: &Client, spec: &QueueSpec) -> Result<(), Fault> {
    check(spec)?;
    let wanted = Settings::of(spec);
    let dead_letter_key = match &spec.dead_letter {
        Some(dead_letter) => client.key_of(&dead_letter.queue)?,
        None => String::new(),
    };
    let step = &scripts::CREATE;
    let mut command = step.call(&client.key_of(&spec.name)?);
    command
        .arg(wanted.visibility_ms)
        .arg(wanted.max_receives)
        .arg(&wanted.dead_letter)
        .arg(wanted.capacity)
        .arg(dead_letter_key);
    let answer = client.link().eval(&step.script, &command).await;
    let found = Settings::read(answer.map_err(|error| fault(step, client.link(), error))?)?;
    let differences = found.differences(&wanted);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Fault::new(QueueErrorKind::Conflict, differences.join("; ")))
}

fn check(spec: &QueueSpec) -> Result<(), Fault> {
    let refused = |said: &str| Err(Fault::new(QueueErrorKind::Other, said));
    let timeout = spec.visibility_timeout;
    if timeout < Duration::from_millis(1) || timeout > MAX_VISIBILITY {
        return refused("the visibility timeout is 1 ms to 12 hours");
    }
    if spec.capacity == 0 {
        return refused("the capacity is at least one message");
    }
    match &spec.dead_letter {
        Some(dead_letter) if dead_letter.max_receives == 0 => {
            refused("a message is received at least once before it is a dead letter")
        }
        Some(dead_letter) if dead_letter.queue == spec.name => {
            refused("a queue cannot be its own dead-letter queue")
        }
        _ => Ok(()),
    }
}

/// A queue's settings, as they are beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    visibility_ms: u64,
    max_receives: u32,
    dead_letter: String,
    capacity: u64,
}

impl Settings {
    fn of(spec: &QueueSpec) -> Self {
        let dead_letter = spec.dead_letter.as_ref();
        Self {
            visibility_ms: spec.visibility_timeout.as_millis() as u64,
            max_receives: dead_letter.map_or(0, |one| one.max_receives),
            dead_letter: dead_letter.map_or_else(String::new, |one| one.queue.clone()),
            capacity: spec.capacity,
        }
    }

    /// Reads what a script answers.
    pub(super) fn read(answer: redis::Value) -> Result<Self, Fault> {
        let read = <(u64, u32, String, u64)>::from_redis_value(answer);
        let (visibility_ms, max_receives, dead_letter, capacity) = read.map_err(|_| {
            let said = "its settings cannot be understood: another version's, or changed by hand";
            Fault::new(QueueErrorKind::Other, said)
        })?;
        Ok(Self {
            visibility_ms,
            max_receives,
            dead_letter,
            capacity,
        })
    }

    pub(super) fn visibility_timeout(&self) -> Duration {
        Duration::from_millis(self.visibility_ms)
    }

    pub(super) fn dead_letter(&self) -> Option<DeadLetter> {
        (!self.dead_letter.is_empty()).then(|| DeadLetter {
            queue: self.dead_letter.clone(),
            max_receives: self.max_receives,
        })
    }

    /// What is not as it should be, in words.
    fn differences(&self, wanted: &Self) -> Vec<String> {
        let dead_letter = |of: &Self| match of.dead_letter() {
            Some(one) => format!("{} after {} receives", one.queue, one.max_receives),
            None => "not set".to_owned(),
        };
        [
            (
                "visibility_timeout",
                format!("{} ms", self.visibility_ms),
                format!("{} ms", wanted.visibility_ms),
            ),
            ("dead_letter", dead_letter(self), dead_letter(wanted)),
            (
                "capacity",
                self.capacity.to_string(),
                wanted.capacity.to_string(),
            ),
        ]
        .into_iter()
        .filter(|(_, is, should_be)| is != should_be)
        .map(|(name, is, should_be)| format!("{name} is {is}, wanted {should_be}"))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[test]
    fn each_difference_is_told() {
        let found = Settings::of(&QueueSpec::new("jobs", TIMEOUT));
        let wanted = QueueSpec::new("jobs", TIMEOUT * 2)
            .dead_letter("dead", 3)
            .capacity(7);
        let expected = [
            "visibility_timeout is 30000 ms, wanted 60000 ms",
            "dead_letter is not set, wanted dead after 3 receives",
            "capacity is 1000000, wanted 7",
        ];
        assert_eq!(found.differences(&Settings::of(&wanted)), expected);
        assert_eq!(found.differences(&found), [""; 0]);
    }

    #[test]
    fn a_specification_out_of_bounds_is_refused() {
        for spec in [
            QueueSpec::new("jobs", Duration::ZERO),
            QueueSpec::new("jobs", MAX_VISIBILITY * 2),
            QueueSpec::new("jobs", TIMEOUT).capacity(0),
            QueueSpec::new("jobs", TIMEOUT).dead_letter("dead", 0),
            QueueSpec::new("jobs", TIMEOUT).dead_letter("jobs", 3),
        ] {
            assert!(check(&spec).is_err(), "{spec:?}");
        }
    }
}
