//! What the scheduler and the workers of a channel need to be allowed, and nothing else.

use polling_model::{ChannelId, JobType};
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::{ChannelConfig, StoreKind, TransportKind};

/// To find a queue, and read its settings.
const FIND: [&str; 2] = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"];

/// To empty one.
const RECEIVE: [&str; 3] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
];

const SEND: [&str; 1] = ["sqs:SendMessage"];

/// Slots, records and the ledger of rate limits.
const STORE: [&str; 12] = [
    "+@hash",
    "+@list",
    "+@set",
    "+@sortedset",
    "+get",
    "+set",
    "+del",
    "+exists",
    "+time",
    "+info",
    "+evalsha",
    "+script|load",
];

/// Queues on Redis.
const QUEUES: [&str; 12] = [
    "+@stream",
    "+@hash",
    "+@sortedset",
    "+@list",
    "+exists",
    "+time",
    "+info",
    "+eval",
    "+evalsha",
    "+script|load",
    "+multi",
    "+exec",
];

/// What each role needs.
#[derive(Debug, Serialize)]
pub struct Permissions {
    /// The scheduler.
    pub scheduler: Role,
    /// Each worker.
    pub worker: Role,
}

/// Of one role.
#[derive(Debug, Default, Serialize)]
pub struct Role {
    /// A policy of AWS's IAM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iam: Option<Value>,
    /// Commands for the Redis of the store, or of the queues.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redis: Vec<Acl>,
    /// Commands for Kafka.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kafka: Vec<String>,
}

/// A user of a Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Acl {
    /// Its name.
    pub user: &'static str,
    /// Patterns of keys, and commands.
    pub rules: Vec<String>,
}

impl From<Acl> for String {
    fn from(acl: Acl) -> Self {
        format!(
            "ACL SETUSER {} on >PASSWORD {}",
            acl.user,
            acl.rules.join(" ")
        )
    }
}

/// Where queues are, as an ARN has it.
#[derive(Debug, Clone)]
pub struct Place {
    /// Such as `eu-central-1`; `*` for any.
    pub region: String,
    /// The account's number; `*` for any.
    pub account: String,
}

impl Permissions {
    /// Those for a channel; `topic` is where its workers publish.
    #[must_use]
    pub fn of(id: &ChannelId, channel: &ChannelConfig, place: &Place, topic: Option<&str>) -> Self {
        let mut scheduler = Role::default();
        let mut worker = Role::default();
        let on_redis = channel.store == StoreKind::Redis;
        let apart = channel.queues.redis.is_some() && channel.queues.redis != channel.redis;
        let mut store = on_redis.then(|| store(id, channel));
        match channel.queues.transport {
            TransportKind::Sqs => {
                scheduler.iam = Some(scheduler_policy(id, channel, place));
                worker.iam = Some(worker_policy(id, channel, place));
            }
            TransportKind::Redis => {
                worker.redis.push(queues(id, "worker"));
                match &mut store {
                    Some(store) if !apart => {
                        for rule in queues(id, "scheduler").rules {
                            if !store.rules.contains(&rule) {
                                store.rules.push(rule);
                            }
                        }
                    }
                    _ => scheduler.redis.push(queues(id, "scheduler")),
                }
            }
        }
        scheduler.redis.extend(store);
        worker.kafka.extend(topic.map(|topic| {
            format!(
                "kafka-acls --bootstrap-server HOST:9092 --add --allow-principal User:WORKER --operation Write --operation Describe --topic {topic}"
            )
        }));
        Self { scheduler, worker }
    }
}

fn store(id: &ChannelId, channel: &ChannelConfig) -> Acl {
    let keys = format!("~polling:{{{id}:*");
    let mut rules: Vec<_> = [keys.as_str()]
        .iter()
        .chain(&STORE)
        .map(|rule| (*rule).to_owned())
        .collect();
    if channel.replicas.is_some() {
        rules.push("+wait".to_owned());
    }
    let address = channel.redis.as_ref().map_or("", |url| url.expose());
    if address.contains("+sentinel://") {
        rules.push("+role".to_owned());
    }
    Acl {
        user: "scheduler",
        rules,
    }
}

fn queues(id: &ChannelId, user: &'static str) -> Acl {
    let keys = format!("~polling:{{{id}}}:queue:*");
    let rules = [keys.as_str()]
        .iter()
        .chain(&QUEUES)
        .map(|rule| (*rule).to_owned())
        .collect();
    Acl { user, rules }
}

fn scheduler_policy(id: &ChannelId, channel: &ChannelConfig, place: &Place) -> Value {
    let names = channel.queue_names(id);
    let work = names.work.values().map(String::as_str);
    policy(
        place,
        [
            ("Work", work.collect(), [&FIND[..], &SEND].concat()),
            // What nobody could read is sent to the completed queue again, by hand.
            (
                "Completed",
                vec![&names.completed],
                [&FIND[..], &RECEIVE, &SEND].concat(),
            ),
            (
                "DeadLetter",
                vec![&names.dead_letter],
                [&FIND[..], &RECEIVE].concat(),
            ),
        ],
    )
}

fn worker_policy(id: &ChannelId, channel: &ChannelConfig, place: &Place) -> Value {
    let names = channel.queue_names(id);
    let work: Vec<(&JobType, &String)> = names.work.iter().collect();
    policy(
        place,
        [
            (
                "Work",
                work.iter().map(|(_, name)| name.as_str()).collect(),
                [&FIND[..], &RECEIVE].concat(),
            ),
            (
                "Completed",
                vec![&names.completed],
                [&FIND[..], &SEND].concat(),
            ),
        ],
    )
}

fn policy<const N: usize>(
    place: &Place,
    statements: [(&'static str, Vec<&str>, Vec<&'static str>); N],
) -> Value {
    let arn = |queue: &str| format!("arn:aws:sqs:{}:{}:{queue}", place.region, place.account);
    let statements = statements.map(|(id, queues, actions)| {
        let queues: Vec<_> = queues.into_iter().map(arn).collect();
        json!({ "Sid": id, "Effect": "Allow", "Action": actions, "Resource": queues })
    });
    json!({ "Version": "2012-10-17", "Statement": statements.to_vec() })
}
