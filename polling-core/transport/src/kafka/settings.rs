//! librdkafka's settings: the SDK's defaults, and what may not be changed.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{ClientConfig, error::KafkaError, types::RDKafkaConfRes};

use super::error::KafkaConfigError;

/// Set before the caller's settings, which may replace them.
const DEFAULTS: [(&str, &str); 10] = [
    ("client.id", "polling"),
    ("compression.type", "lz4"),
    // The same key goes to the same partition as with Java's producers.
    ("partitioner", "murmur2_random"),
    // Kafka's default for brokers: an event of the model's largest size fits with its framing.
    ("message.max.bytes", "1048588"),
    ("queue.buffering.max.kbytes", "262144"),
    // A broker that falls silent, or restarts, is tried again well within the deadline.
    ("socket.timeout.ms", "10000"),
    ("reconnect.backoff.max.ms", "1000"),
    ("socket.keepalive.enable", "true"),
    // A topic that was once refused is refused until it is asked for again.
    ("topic.metadata.refresh.interval.ms", "30000"),
    // How long a missing topic may be one that was just created.
    ("topic.metadata.propagation.max.ms", "5000"),
];

/// Set last.
const FIXED: [(&str, &str); 2] = [("enable.idempotence", "true"), ("acks", "all")];

const IDEMPOTENT: &str = "order and delivery depend on an idempotent producer with acks=all";
const BROKERS: &str = "give the brokers to `KafkaBus::builder`";
const DEADLINE: &str = "use `KafkaBusBuilder::deadline`";
const REPORTS: &str = "each event needs its delivery report";

const RESERVED: [(&str, &str); 10] = [
    ("enable.idempotence", IDEMPOTENT),
    ("acks", IDEMPOTENT),
    ("request.required.acks", IDEMPOTENT),
    ("bootstrap.servers", BROKERS),
    ("metadata.broker.list", BROKERS),
    ("delivery.timeout.ms", DEADLINE),
    ("message.timeout.ms", DEADLINE),
    ("delivery.report.only.error", REPORTS),
    ("queuing.strategy", "order depends on first in, first out"),
    (
        "transactional.id",
        "the bus begins and commits no transactions",
    ),
];

const MAX_MESSAGES: &str = "queue.buffering.max.messages";

/// librdkafka's own default.
const DEFAULT_MAX_MESSAGES: usize = 100_000;

/// As large as librdkafka allows after doubling.
const LARGEST_MAX_MESSAGES: usize = i32::MAX as usize / 2;

/// Settings that passed all checks which need no connection.
pub(super) struct Settings {
    pub(super) client: ClientConfig,
    /// How many events may be in flight.
    pub(super) max_messages: usize,
}

pub(super) fn check(
    brokers: &str,
    deadline: Duration,
    given: &BTreeMap<String, String>,
) -> Result<Settings, KafkaConfigError> {
    if brokers.split(',').all(|broker| broker.trim().is_empty()) {
        return Err(KafkaConfigError::NoBrokers);
    }
    for (name, reason) in RESERVED {
        if given.contains_key(name) {
            let name = name.to_owned();
            return Err(KafkaConfigError::Reserved { name, reason });
        }
    }
    let max_messages = max_messages(given)?;
    let mut client = ClientConfig::new();
    for (name, value) in DEFAULTS {
        client.set(name, value);
    }
    for (name, value) in given {
        client.set(name, value);
    }
    for (name, value) in FIXED {
        client.set(name, value);
    }
    client.set("bootstrap.servers", brokers);
    client.set("delivery.timeout.ms", deadline.as_millis().to_string());
    // The bus counts what is in flight. librdkafka counts an event until all reports that came in
    // with its own are handled, and so needs room for as many again.
    client.set(MAX_MESSAGES, (2 * max_messages).to_string());
    client.create_native_config().map_err(refused)?;
    Ok(Settings {
        client,
        max_messages,
    })
}

fn max_messages(given: &BTreeMap<String, String>) -> Result<usize, KafkaConfigError> {
    let Some(value) = given.get(MAX_MESSAGES) else {
        return Ok(DEFAULT_MAX_MESSAGES);
    };
    match value.trim().parse() {
        Ok(count @ 1..=LARGEST_MAX_MESSAGES) => Ok(count),
        _ => Err(KafkaConfigError::Invalid {
            name: MAX_MESSAGES.to_owned(),
            hint: format!(": a number from 1 to {LARGEST_MAX_MESSAGES} is needed"),
        }),
    }
}

/// Without the value, which may be a secret, even under a name that is misspelt.
pub(super) fn refused(error: KafkaError) -> KafkaConfigError {
    match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, name, _) => {
            KafkaConfigError::Unknown { name }
        }
        KafkaError::ClientConfig(_, words, name, _) => {
            let hint = match may_be_secret(&name) {
                true => String::new(),
                false => format!(": {words}"),
            };
            KafkaConfigError::Invalid { name, hint }
        }
        KafkaError::ClientCreation(reason) => KafkaConfigError::Refused { reason },
        other => KafkaConfigError::Refused {
            reason: other.to_string(),
        },
    }
}

fn may_be_secret(name: &str) -> bool {
    ["password", "secret", "key", "oauth", "token", "jaas"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, value: &str) -> Result<Settings, KafkaConfigError> {
        let given = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        check("127.0.0.1:1", Duration::from_secs(30), &given)
    }

    #[test]
    fn any_setting_of_librdkafka_passes_and_replaces_the_default() {
        let settings = checked("compression.type", "none").ok().unwrap();
        assert_eq!(settings.client.get("compression.type"), Some("none"));
        assert_eq!(settings.client.get("delivery.timeout.ms"), Some("30000"));
    }

    #[test]
    fn settings_that_would_break_a_promise_are_refused_by_name() {
        for (name, _) in RESERVED {
            let error = checked(name, "1").err().unwrap().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_misspelt_setting_is_named_and_its_value_kept_secret() {
        let error = checked("sasl.pasword", "hunter2").err().unwrap();
        assert!(matches!(&error, KafkaConfigError::Unknown { name } if name == "sasl.pasword"));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[test]
    fn an_invalid_value_is_explained() {
        let error = checked("linger.ms", "soon").err().unwrap().to_string();
        assert!(error.contains("linger.ms") && error.len() > 50, "{error}");
        for count in ["0", "-1", "many", "2000000000"] {
            assert!(checked(MAX_MESSAGES, count).is_err(), "{count}");
        }
    }

    #[test]
    fn the_buffer_of_librdkafka_is_twice_the_number_in_flight() {
        let settings = checked(MAX_MESSAGES, "100").ok().unwrap();
        assert_eq!(settings.max_messages, 100);
        assert_eq!(settings.client.get(MAX_MESSAGES), Some("200"));
    }

    #[test]
    fn brokers_are_needed() {
        let none = check(" ,", Duration::from_secs(1), &BTreeMap::new());
        assert_eq!(none.err(), Some(KafkaConfigError::NoBrokers));
    }
}
