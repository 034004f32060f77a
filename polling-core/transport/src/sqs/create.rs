//! Making a queue, for set-up programs and tests: a running service needs no right to do so.

use std::time::Duration;

use aws_sdk_sqs::{Client, types::QueueAttributeName};
use serde_json::{Value, json};

use super::{
    address::Address,
    attributes::{self, Attributes},
};
use crate::{
    fault::Fault,
    queue::{DeadLetter, QueueError, QueueErrorKind},
};

/// How long a queue keeps a message nobody acknowledges, unless set: the service's own default.
pub const DEFAULT_RETENTION: Duration = Duration::from_secs(4 * 86_400);

/// A queue as it should be. Times are whole seconds on SQS; fractions are cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name, at most 80 characters: letters, digits, hyphens and underscores.
    pub name: String,
    /// How long a received message stays invisible; at most 12 hours.
    pub visibility_timeout: Duration,
    /// Where messages go that nobody acknowledges: a name, or an ARN. That queue must exist.
    pub dead_letter: Option<DeadLetter>,
    /// How long a message is kept; 60 seconds to 14 days.
    pub retention: Duration,
}

impl QueueSpec {
    /// A queue without a dead-letter queue that keeps messages for [`DEFAULT_RETENTION`].
    #[must_use]
    pub fn new(name: impl Into<String>, visibility_timeout: Duration) -> Self {
        Self {
            name: name.into(),
            visibility_timeout,
            dead_letter: None,
            retention: DEFAULT_RETENTION,
        }
    }

    /// With a dead-letter queue, by name or ARN, after `max_receives` receives.
    #[must_use]
    pub fn dead_letter(mut self, queue: impl Into<String>, max_receives: u32) -> Self {
        self.dead_letter = Some(DeadLetter {
            queue: queue.into(),
            max_receives,
        });
        self
    }
}

/// Creates the queue, unless it exists as specified.
///
/// # Errors
///
/// [`QueueErrorKind::Conflict`] when it exists with other settings, which the source names: they
/// are left as they are. [`QueueErrorKind::NoSuchQueue`] when the dead-letter queue does not exist.
pub async fn create_queue(client: &Client, spec: &QueueSpec) -> Result<(), QueueError> {
    let created = create(client, spec).await;
    created.map_err(|fault| fault.into_error(&spec.name, "create"))
}

async fn create(client: &Client, spec: &QueueSpec) -> Result<(), Fault> {
    let wanted = wanted_attributes(client, spec).await?;
    match attributes::url_of(client, &spec.name).await {
        Ok(url) => return compare(client, &url, &wanted).await,
        Err(fault) if fault.kind == QueueErrorKind::NoSuchQueue => {}
        Err(fault) => return Err(fault),
    }
    let address = Address::default();
    let call = client
        .create_queue()
        .queue_name(&spec.name)
        .set_attributes(Some(wanted.clone()));
    let created = call.customize().interceptor(address.clone()).send().await;
    match created.map_err(|error| address.fault("CreateQueue", error)) {
        // Somebody else has just created it.
        Err(fault) if fault.kind == QueueErrorKind::Conflict => {
            let url = attributes::url_of(client, &spec.name).await?;
            compare(client, &url, &wanted).await
        }
        created => created.map(|_| ()),
    }
}

async fn wanted_attributes(client: &Client, spec: &QueueSpec) -> Result<Attributes, Fault> {
    let seconds = |duration: Duration| duration.as_secs().to_string();
    let mut wanted = Attributes::from([
        (
            QueueAttributeName::VisibilityTimeout,
            seconds(spec.visibility_timeout),
        ),
        (
            QueueAttributeName::MessageRetentionPeriod,
            seconds(spec.retention),
        ),
    ]);
    if let Some(dead_letter) = &spec.dead_letter {
        let policy = json!({
            "deadLetterTargetArn": arn_of(client, &dead_letter.queue).await?,
            "maxReceiveCount": dead_letter.max_receives,
        });
        wanted.insert(QueueAttributeName::RedrivePolicy, policy.to_string());
    }
    Ok(wanted)
}

async fn arn_of(client: &Client, name_or_arn: &str) -> Result<String, Fault> {
    if name_or_arn.starts_with("arn:") {
        return Ok(name_or_arn.to_owned());
    }
    let missing = |fault: Fault| match fault.kind {
        QueueErrorKind::NoSuchQueue => {
            let said = format!("its dead-letter queue {name_or_arn} does not exist");
            Fault::new(QueueErrorKind::NoSuchQueue, said)
        }
        _ => fault,
    };
    let url = attributes::url_of(client, name_or_arn)
        .await
        .map_err(missing)?;
    let attributes = attributes::read(client, &url).await?;
    attributes::text(&attributes, &QueueAttributeName::QueueArn).map(str::to_owned)
}

async fn compare(client: &Client, url: &str, wanted: &Attributes) -> Result<(), Fault> {
    let found = attributes::read(client, url).await?;
    let differences = differences(&found, wanted);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Fault::new(QueueErrorKind::Conflict, differences.join("; ")))
}

/// What is not as it should be, in words.
pub(super) fn differences(found: &Attributes, wanted: &Attributes) -> Vec<String> {
    let checked = [
        QueueAttributeName::VisibilityTimeout,
        QueueAttributeName::MessageRetentionPeriod,
        QueueAttributeName::RedrivePolicy,
    ];
    let differs = |name: &QueueAttributeName| {
        let (is, should_be) = (found.get(name), wanted.get(name));
        let unreported = is.is_none() && *name == QueueAttributeName::MessageRetentionPeriod;
        if unreported || canonical(is) == canonical(should_be) {
            return None;
        }
        let show = |value: Option<&String>| {
            let set = value.filter(|text| !text.is_empty());
            set.map_or("not set", |text| text).to_owned()
        };
        Some(format!(
            "{} is {}, wanted {}",
            name.as_str(),
            show(is),
            show(should_be)
        ))
    };
    checked.iter().filter_map(differs).collect()
}

/// Redrive policies are equal whatever the order of their fields, and whether the count is
/// written as a number or as text.
fn canonical(value: Option<&String>) -> Option<Value> {
    let value = value.filter(|text| !text.is_empty())?;
    let mut parsed = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value.as_str()));
    if let Some(count) = parsed.get_mut("maxReceiveCount")
        && let Some(number) = count.as_str().and_then(|text| text.parse::<u64>().ok())
    {
        *count = number.into();
    }
    Some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(timeout: &str, policy: &str) -> Attributes {
        Attributes::from([
            (QueueAttributeName::VisibilityTimeout, timeout.to_owned()),
            (QueueAttributeName::RedrivePolicy, policy.to_owned()),
        ])
    }

    #[test]
    fn policies_are_compared_by_meaning() {
        let found = attributes("30", r#"{"maxReceiveCount":"3","deadLetterTargetArn":"a"}"#);
        let wanted = attributes("30", r#"{"deadLetterTargetArn":"a","maxReceiveCount":3}"#);
        assert_eq!(differences(&found, &wanted), [""; 0]);
    }

    #[test]
    fn each_difference_is_told() {
        let found = attributes("30", "");
        let wanted = attributes("60", r#"{"maxReceiveCount":3}"#);
        let expected = [
            "VisibilityTimeout is 30, wanted 60",
            r#"RedrivePolicy is not set, wanted {"maxReceiveCount":3}"#,
        ];
        assert_eq!(differences(&found, &wanted), expected);
    }
}
