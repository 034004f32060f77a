//! The settings of a Redis that jobs or messages depend on.

use std::{collections::BTreeMap, time::Duration};

use polling_model::{SharedClock, chain};
use polling_transport::redis::link::{Link, LinkOptions};
use redis::cmd;
use scheduler_lib::duration;

use super::finding::{CLOCKS, Finding, NO_EVICTION};
use scheduler_web::Secret;

/// Beyond this the store refuses to work.
const MAX_SKEW_MS: i64 = 5_000;

/// A clock that NTP sets differs by less.
const DOUBTFUL_SKEW_MS: i64 = 1_000;

/// What a Redis tells of itself.
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// `INFO`, by name.
    pub(super) info: BTreeMap<String, String>,
    /// Our clock less its, milliseconds.
    pub(super) skew_ms: i64,
}

/// What is wrong with a Redis.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) problems: Vec<Finding>,
    pub(super) warnings: Vec<Finding>,
}

/// Looks at the Redis at `url`; one that does not answer, or not to this user, is told by whoever
/// needs it.
pub(super) async fn look(url: &Secret, options: &LinkOptions, clock: &SharedClock) -> Judged {
    let Ok(link) = Link::new(url.expose(), options) else {
        return Judged::default();
    };
    let address = link.address().to_owned();
    match read(&link, clock).await {
        Ok(settings) => settings.judge(&address),
        Err(error) if error.code() != Some("NOPERM") => Judged::default(),
        Err(error) => {
            let what = format!(
                "the settings of the Redis at {address} cannot be read: {}",
                chain(&error)
            );
            let mend = "allow its user INFO and TIME, so that they can be checked";
            Judged {
                problems: Vec::new(),
                warnings: vec![Finding::new(what, mend)],
            }
        }
    }
}

async fn read(link: &Link, clock: &SharedClock) -> redis::RedisResult<Settings> {
    let info: String = link.query(&cmd("INFO")).await?;
    let before_ms = clock.now_ms();
    let (seconds, micros): (i64, i64) = link.query(&cmd("TIME")).await?;
    let ours_ms = i64::midpoint(before_ms, clock.now_ms());
    let lines = info.lines().filter_map(|line| line.split_once(':'));
    Ok(Settings {
        info: lines
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect(),
        skew_ms: ours_ms - (seconds * 1_000 + micros / 1_000),
    })
}

impl Settings {
    fn is(&self, name: &str, value: &str) -> bool {
        self.info.get(name).is_some_and(|found| found == value)
    }

    pub(super) fn judge(&self, address: &str) -> Judged {
        let mut judged = Judged::default();
        self.keeps_all(address, &mut judged);
        self.clock(address, &mut judged);
        judged
    }

    fn keeps_all(&self, address: &str, judged: &mut Judged) {
        let policy = self.info.get("maxmemory_policy");
        if let Some(policy) = policy.filter(|policy| *policy != "noeviction") {
            judged.problems.push(Finding::new(
                format!(
                    "the Redis at {address} has maxmemory-policy {policy}: when full it would throw jobs or messages away"
                ),
                NO_EVICTION,
            ));
        }
        if self.is("role", "slave") {
            judged.problems.push(Finding::new(
                format!("the Redis at {address} is a replica: it takes no writes"),
                "point redis at its primary, or at the sentinels that know it: redis+sentinel://…?master=NAME",
            ));
        }
        if self.is("aof_enabled", "0") {
            judged.warnings.push(Finding::new(
                format!(
                    "the Redis at {address} has appendonly off: if it crashes, what was registered since its last snapshot is lost"
                ),
                "`redis-cli CONFIG SET appendonly yes`, then `redis-cli CONFIG REWRITE`",
            ));
        }
        for (name, what) in [
            (
                "aof_last_write_status",
                "its last write to the append-only file",
            ),
            ("rdb_last_bgsave_status", "its last snapshot"),
        ] {
            if self.is(name, "err") {
                judged.warnings.push(Finding::new(
                    format!("the Redis at {address} says that {what} failed"),
                    "make room on its disk and see its log; `redis-cli BGSAVE` tries again",
                ));
            }
        }
    }

    fn clock(&self, address: &str, judged: &mut Judged) {
        let differs_ms = self.skew_ms.saturating_abs();
        let text = duration::text(Duration::from_millis(differs_ms.unsigned_abs()));
        let direction = if self.skew_ms > 0 {
            "ahead of"
        } else {
            "behind"
        };
        let what =
            format!("this machine's clock is {text} {direction} that of the Redis at {address}");
        if differs_ms > MAX_SKEW_MS {
            let what = format!("{what}: the store refuses its steps");
            judged.problems.push(Finding::new(what, CLOCKS));
        } else if differs_ms > DOUBTFUL_SKEW_MS {
            judged.warnings.push(Finding::new(what, CLOCKS));
        }
    }
}
