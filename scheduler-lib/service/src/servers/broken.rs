//! Settings broken on purpose: each is named, with its mend.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_model::SystemClock;
use polling_transport::{QueueError, QueueErrorKind, QueueStats, memory::MemoryQueue};
use scheduler_lib::{Limits, StoreError};

use super::{
    finding::Finding,
    judge::judge,
    queue::{QueueFound, Role},
    redrive::Redrive,
    settings::Settings,
};

/// What is said of a queue.
fn queue(role: &Role, visibility: Duration, redrive: Option<(&str, u32)>) -> Vec<Finding> {
    kept(role, visibility, redrive, None)
}

fn kept(
    role: &Role,
    visibility: Duration,
    redrive: Option<(&str, u32)>,
    retention: Option<Duration>,
) -> Vec<Finding> {
    let mut found = QueueFound {
        queue: MemoryQueue::builder("jobs", Arc::new(SystemClock))
            .visibility_timeout(visibility)
            .build(),
        stats: QueueStats::default(),
        redrive: redrive.map(|(name, max_receives)| Redrive {
            dead_letter: name.to_owned(),
            max_receives,
        }),
        retention,
        message_life: None,
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    judge(role, &mut found, "dead", &Limits::default());
    found.problems.into_iter().chain(found.warnings).collect()
}

/// What is said of a Redis with one line of `INFO`.
fn redis(name: &str, value: &str, skew_ms: i64) -> Vec<Finding> {
    let info = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let judged = Settings { info, skew_ms }.judge("10.0.0.7:6379");
    judged.problems.into_iter().chain(judged.warnings).collect()
}

fn store(error: &StoreError) -> Vec<Finding> {
    vec![Finding::from(error)]
}

fn asked(kind: QueueErrorKind) -> Vec<Finding> {
    vec![Finding::from(&QueueError {
        queue: "jobs".to_owned(),
        operation: "connect",
        kind,
        source: None,
    })]
}

const MINUTE: Duration = Duration::from_secs(60);

fn refused(detail: &str) -> Vec<Finding> {
    store(&StoreError::ReadOnly {
        step: "open",
        address: "10.0.0.7:6379".to_owned(),
        detail: detail.to_owned(),
    })
}

/// A Redis that answers so.
fn unavailable(reply: &str) -> Vec<Finding> {
    let reply = redis::parse_redis_value(format!("{reply}\r\n").as_bytes()).unwrap();
    store(&StoreError::Unavailable {
        step: "open",
        address: "10.0.0.7:6379".to_owned(),
        source: reply.extract_error().unwrap_err().into(),
    })
}

/// Each is one finding: words of what it says, and of the mend.
fn broken() -> Vec<(Vec<Finding>, &'static str, &'static str)> {
    let work = Role::Work("posts".parse().unwrap());
    let dead = Some(("dead", 3));
    let unreachable = StoreError::Unavailable {
        step: "open",
        address: "10.0.0.7:6379".to_owned(),
        source: "connection refused".into(),
    };
    vec![
        (store(&unreachable), "10.0.0.7:6379", "start the Redis at"),
        (refused("OOM"), "refuses writes", "raise its maxmemory"),
        (
            unavailable("-CLUSTERDOWN Hash slot not served"),
            "Hash slot not served",
            "--cluster fix 10.0.0.7:6379",
        ),
        (
            unavailable("-WRONGPASS invalid username-password pair"),
            "WRONGPASS",
            "the right user and password",
        ),
        (
            refused("MISCONF"),
            "refuses writes",
            "make room on its disk",
        ),
        (
            redis("maxmemory_policy", "allkeys-lru", 0),
            "allkeys-lru",
            "maxmemory-policy noeviction",
        ),
        (
            redis("aof_enabled", "0", 0),
            "appendonly off",
            "CONFIG SET appendonly yes",
        ),
        (redis("role", "slave", 0), "is a replica", "its primary"),
        (
            redis("rdb_last_bgsave_status", "err", 0),
            "last snapshot failed",
            "BGSAVE",
        ),
        (redis("", "", 7_000), "7s ahead of", "NTP"),
        (redis("", "", -2_000), "2s behind", "NTP"),
        (
            asked(QueueErrorKind::NoSuchQueue),
            "does not exist",
            "scheduler create-queues",
        ),
        (
            asked(QueueErrorKind::Denied),
            "permissions are missing",
            "GetQueueUrl",
        ),
        (
            asked(QueueErrorKind::Unreachable),
            "cannot be reached",
            "sqs.endpoint",
        ),
        (
            asked(QueueErrorKind::Conflict),
            "with other settings",
            "change the queue's settings",
        ),
        (
            queue(&work, MINUTE / 30, dead),
            "2s, much shorter than the work",
            "to 1m",
        ),
        (
            queue(&work, MINUTE, None),
            "no redrive policy",
            "maxReceiveCount 3",
        ),
        (
            queue(&work, MINUTE, Some(("other", 3))),
            "sends dead letters to other",
            "at dead",
        ),
        (
            queue(&work, MINUTE, Some(("dead", 9))),
            "allows 9 receives",
            "maxReceiveCount to 3",
        ),
        (
            queue(&work, MINUTE, Some(("dead", 1))),
            "allows 1 receives",
            "maxReceiveCount to 3",
        ),
        (
            kept(&work, MINUTE, dead, Some(MINUTE)),
            "keeps a message for 1m",
            "MessageRetentionPeriod to 345600",
        ),
        (
            queue(&Role::Completed, MINUTE, dead),
            "outage of the store",
            "maxReceiveCount to 100",
        ),
        (
            queue(&Role::DeadLetter, MINUTE, dead),
            "sends on to dead",
            "redrive policy away",
        ),
    ]
}

#[test]
fn many_broken_settings_are_each_named_with_their_mend() {
    let broken = broken();
    assert_eq!(broken.len(), 23);
    for (found, what, mend) in broken {
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        assert!(
            found[0].what.contains(what),
            "{what} is not in {:?}",
            found[0]
        );
        assert!(
            found[0].mend.contains(mend),
            "{mend} is not in {:?}",
            found[0]
        );
    }
}

#[test]
fn a_redis_as_it_should_be_is_not_mentioned() {
    let info = [
        ("maxmemory_policy", "noeviction"),
        ("aof_enabled", "1"),
        ("role", "master"),
    ];
    let info = info.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = Settings {
        info: info.into(),
        skew_ms: -900,
    };
    let judged = settings.judge("10.0.0.7:6379");
    assert_eq!((judged.problems, judged.warnings), (vec![], vec![]));
}
