//! Errors of Kafka in few words.

use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};

/// The word for an error: one of a dozen.
#[must_use]
pub fn error_word(error: &KafkaError) -> &'static str {
    error.rdkafka_error_code().map_or("client", of_code)
}

fn of_code(code: Code) -> &'static str {
    match code {
        Code::MessageTimedOut | Code::OperationTimedOut | Code::RequestTimedOut => "timeout",
        Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve => "connection",
        Code::UnknownTopic | Code::UnknownTopicOrPartition => "unknown_topic",
        Code::UnknownPartition => "unknown_partition",
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed => "denied",
        Code::QueueFull => "queue_full",
        Code::MessageSizeTooLarge => "too_large",
        Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend => "replicas",
        Code::PurgeQueue | Code::PurgeInflight => "cancelled",
        _ => "other",
    }
}
