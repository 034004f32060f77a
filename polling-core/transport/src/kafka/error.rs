//! Kafka's many errors, in the few words of the port.

use std::sync::Arc;

use polling_model::Topic;
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};

use crate::bus::{BusError, BusErrorKind};

/// Why a [`KafkaBus`](super::KafkaBus) could not be built. Values of settings are not in it, as
/// some are secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaConfigError {
    /// No broker is named.
    #[error("no Kafka brokers: give `host:port`, several separated by commas")]
    NoBrokers,
    /// A setting whose change would break a promise of the bus.
    #[error("Kafka setting {name} cannot be set: {reason}")]
    Reserved {
        /// The setting.
        name: String,
        /// What depends on it, and what to do instead.
        reason: &'static str,
    },
    /// librdkafka knows no such setting, or not in this build.
    #[error("Kafka setting {name} is unknown to this build of librdkafka: check its spelling")]
    Unknown {
        /// The setting.
        name: String,
    },
    /// librdkafka does not take the value.
    #[error("Kafka setting {name} has an invalid value{hint}")]
    Invalid {
        /// The setting.
        name: String,
        /// librdkafka's own words, unless the setting may be secret.
        hint: String,
    },
    /// The settings do not go together.
    #[error("librdkafka refuses its settings: {reason}")]
    Refused {
        /// librdkafka's own words.
        reason: String,
    },
}

/// What is wrong with the connections.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no working connection to Kafka at {brokers}; last tried: {reason}")]
pub(super) struct Trouble {
    brokers: String,
    reason: String,
    denied: bool,
}

impl Trouble {
    pub(super) fn new(brokers: &str, code: Code, reason: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            reason: reason.to_owned(),
            denied: kind_of(code) == BusErrorKind::Denied,
        }
    }
}

/// Errors that concern a connection, not a topic or an event.
pub(super) fn is_of_connection(code: Code) -> bool {
    let kind = kind_of(code);
    kind == BusErrorKind::Unreachable
        || matches!(code, Code::Authentication | Code::SaslAuthenticationFailed)
}

/// The port's error. A call that ran out of time while connections are in trouble is explained by
/// that trouble.
pub(super) fn explain(topic: Topic, error: KafkaError, trouble: Option<Arc<Trouble>>) -> BusError {
    let code = error.rdkafka_error_code().unwrap_or(Code::Fail);
    let kind = kind_of(code);
    match trouble {
        Some(trouble) if matches!(kind, BusErrorKind::Timeout | BusErrorKind::Unreachable) => {
            stuck(topic, Some(trouble))
        }
        _ => BusError::new(topic, kind).caused_by(error),
    }
}

/// The error when nothing was heard until the deadline.
pub(super) fn stuck(topic: Topic, trouble: Option<Arc<Trouble>>) -> BusError {
    let Some(trouble) = trouble else {
        return BusError::new(topic, BusErrorKind::Timeout);
    };
    let kind = if trouble.denied {
        BusErrorKind::Denied
    } else {
        BusErrorKind::Unreachable
    };
    BusError {
        topic,
        kind,
        source: Some(trouble),
    }
}

/// A producer that is broken for good and cannot be replaced yet.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the Kafka producer is broken ({reason}) and is replaced at a later call")]
struct Broken {
    reason: String,
}

/// The error of a producer that is broken for good.
pub(super) fn broken(topic: Topic, reason: Option<String>) -> BusError {
    let reason = reason.unwrap_or_else(|| "fatal error".to_owned());
    BusError::new(topic, BusErrorKind::Other).caused_by(Broken { reason })
}

fn kind_of(code: Code) -> BusErrorKind {
    match code {
        Code::MessageSizeTooLarge => BusErrorKind::TooLarge,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => {
            BusErrorKind::NoSuchTopic
        }
        Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::Authentication
        | Code::SaslAuthenticationFailed => BusErrorKind::Denied,
        Code::MessageTimedOut
        | Code::OperationTimedOut
        | Code::TimedOutQueue
        | Code::RequestTimedOut => BusErrorKind::Timeout,
        Code::BrokerTransportFailure | Code::AllBrokersDown | Code::Resolve | Code::SSL => {
            BusErrorKind::Unreachable
        }
        _ => BusErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn explained(code: Code, trouble: Option<Trouble>) -> BusError {
        let topic = Topic::new("posts").unwrap();
        explain(
            topic,
            KafkaError::MessageProduction(code),
            trouble.map(Arc::new),
        )
    }

    #[test]
    fn each_error_has_the_kind_that_callers_act_on() {
        for (code, kind) in [
            (Code::MessageSizeTooLarge, BusErrorKind::TooLarge),
            (Code::UnknownTopicOrPartition, BusErrorKind::NoSuchTopic),
            (Code::TopicAuthorizationFailed, BusErrorKind::Denied),
            (Code::MessageTimedOut, BusErrorKind::Timeout),
            (Code::AllBrokersDown, BusErrorKind::Unreachable),
            (Code::PurgeQueue, BusErrorKind::Other),
        ] {
            assert_eq!(explained(code, None).kind, kind, "{code:?}");
        }
    }

    #[test]
    fn a_timeout_is_explained_by_what_was_last_tried() {
        let trouble = Trouble::new("kafka:9092", Code::BrokerTransportFailure, "refused");
        let error = explained(Code::MessageTimedOut, Some(trouble));
        assert_eq!(error.kind, BusErrorKind::Unreachable);
        assert_eq!(
            error.source().unwrap().to_string(),
            "no working connection to Kafka at kafka:9092; last tried: refused"
        );
        let trouble = Trouble::new("kafka:9092", Code::Authentication, "bad password");
        assert_eq!(
            explained(Code::MessageTimedOut, Some(trouble)).kind,
            BusErrorKind::Denied
        );
    }

    #[test]
    fn an_error_of_the_event_is_not_blamed_on_connections() {
        let trouble = Trouble::new("kafka:9092", Code::AllBrokersDown, "down");
        let error = explained(Code::MessageSizeTooLarge, Some(trouble));
        assert_eq!(error.kind, BusErrorKind::TooLarge);
    }
}
