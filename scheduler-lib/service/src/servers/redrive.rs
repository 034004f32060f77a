//! Where a queue sends what is received too often.

use std::{collections::HashMap, time::Duration};

use polling_transport::{DeadLetter, sqs};
use serde::Deserialize;
use serde_json::Value;

use polling_model::chain;

/// A queue's redrive policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The name of the dead-letter queue.
    pub dead_letter: String,
    /// Receives of a message before it goes there.
    pub max_receives: u32,
}

impl From<DeadLetter> for Redrive {
    fn from(found: DeadLetter) -> Self {
        Self {
            dead_letter: found.queue,
            max_receives: found.max_receives,
        }
    }
}

/// As SQS writes it; the count is a number or a text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    dead_letter_target_arn: String,
    max_receive_count: Value,
}

impl Redrive {
    fn parse(policy: &str) -> Option<Self> {
        let Policy {
            dead_letter_target_arn: arn,
            max_receive_count: count,
        } = serde_json::from_str(policy).ok()?;
        let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
        Some(Self {
            dead_letter: arn.rsplit(':').next()?.to_owned(),
            max_receives: u32::try_from(count).ok()?,
        })
    }
}

/// What a queue on SQS does with messages that nobody deletes.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// `None` without a redrive policy.
    pub(super) redrive: Option<Redrive>,
    /// How long a message is kept, if the server tells.
    pub(super) retention: Option<Duration>,
}

/// Reads that of a queue that exists.
pub(super) async fn read(client: &sqs::Client, queue: &str) -> Result<Kept, String> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        format!(
            "the settings of queue {queue} cannot be read: {}",
            chain(error)
        )
    };
    let found = client
        .get_queue_url()
        .queue_name(queue)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    let read = client
        .get_queue_attributes()
        .set_queue_url(found.queue_url)
        .attribute_names("All".into())
        .send()
        .await
        .map_err(|error| failed(&error))?;
    let attributes: HashMap<String, String> = read
        .attributes
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name.as_str().to_owned(), value))
        .collect();
    let policy = attributes
        .get("RedrivePolicy")
        .filter(|policy| !policy.is_empty());
    let understood = |policy: &String| {
        Redrive::parse(policy).ok_or_else(|| {
            format!("the redrive policy of queue {queue} cannot be understood: {policy}")
        })
    };
    let seconds = attributes.get("MessageRetentionPeriod");
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    Ok(Kept {
        redrive: policy.map(understood).transpose()?,
        retention: seconds.map(Duration::from_secs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_with_its_count_as_number_or_text() {
        let expected = Redrive {
            dead_letter: "dead".to_owned(),
            max_receives: 3,
        };
        for count in ["3", "\"3\""] {
            let policy = format!(
                "{{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:dead\",\"maxReceiveCount\":{count}}}"
            );
            assert_eq!(Redrive::parse(&policy), Some(expected.clone()));
        }
        assert_eq!(Redrive::parse("{}"), None);
    }
}
