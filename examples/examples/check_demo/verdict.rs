//! The comparison.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    Options,
    channel_log::{ChannelLog, Response, Status},
    counted::Counted,
    gaps::Gaps,
    kafka::Record,
    settings::{self, Held, Step},
};

/// What was found, and what was asked for.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    /// Statuses that accounts posted; none if posting was not stopped.
    pub(crate) posted: usize,
    /// Statuses posted that were in no response.
    pub(crate) never_offered: usize,
    /// Statuses that were in a response.
    pub(crate) offered: usize,
    /// Statuses offered that Kafka does not hold.
    pub(crate) missing: usize,
    /// Events in Kafka, by id, that were never offered or are not what they say.
    pub(crate) extra: usize,
    /// Records in Kafka beyond the first of their id.
    pub(crate) repeats: usize,
    /// Polls from a cursor that was stored.
    pub(crate) resumed_polls: usize,
    /// Those whose cursor was stored before everything up to it was in Kafka.
    pub(crate) completed_early: usize,
    /// Accounts whose events are not in the order of posting.
    pub(crate) out_of_order: usize,
    /// Responses of the channel.
    pub(crate) responses: usize,
    /// Those that were no 200.
    pub(crate) errors: usize,
    /// Responses per worker.
    pub(crate) workers: BTreeMap<String, usize>,
    /// Time between polls.
    pub(crate) gaps: Gaps,
    /// The bound of their p99.
    pub(crate) gap_bound_ms: i64,
    /// How often things happened, and who says so.
    pub(crate) counted: Counted,
    /// What was changed while it ran.
    pub(crate) settings: Vec<Held>,
    pub(crate) at_least: usize,
    pub(crate) workers_needed: usize,
    pub(crate) min_share: u64,
}

pub(crate) fn compare(
    options: &Options,
    log: &ChannelLog,
    records: &[Record],
    counted: Counted,
) -> Verdict {
    let arrived = Arrived::of(records);
    let (resumed_polls, completed_early) = completed_early(log, &arrived);
    let errors = log.responses.iter().filter(|response| !response.ok());
    Verdict {
        posted: log.posted.len(),
        never_offered: log.posted.difference(&log.offered).count(),
        offered: log.offered.len(),
        missing: (log.offered.iter())
            .filter(|status| !arrived.first_ms.contains_key(status))
            .count(),
        extra: arrived.strange.len()
            + (arrived.first_ms.keys())
                .filter(|status| !log.offered.contains(status))
                .count(),
        repeats: records.len() - arrived.first_ms.len() - arrived.strange.len(),
        resumed_polls,
        completed_early,
        out_of_order: arrived.out_of_order.len(),
        responses: log.responses.len(),
        errors: errors.count(),
        workers: shares(&log.responses),
        gaps: Gaps::of(&log.responses, options.cushion, &options.exclude),
        gap_bound_ms: options.interval_ms + 2 * options.slot_ms,
        counted,
        settings: Vec::new(),
        at_least: options.at_least,
        workers_needed: options.workers,
        min_share: options.min_share,
    }
}

impl Verdict {
    pub(crate) fn with_settings(self, steps: &[Step], log: &ChannelLog, latency_ms: i64) -> Self {
        let settings = settings::judge(steps, &log.responses, latency_ms);
        Self { settings, ..self }
    }

    /// Whether nothing is left to wait for.
    pub(crate) fn complete(&self) -> bool {
        self.posted > 0 && self.never_offered == 0 && self.missing == 0 && self.counted.alike()
    }

    pub(crate) fn shared(&self) -> bool {
        let enough =
            |responses: &&usize| **responses as u64 * 100 >= self.min_share * self.responses as u64;
        self.workers.values().filter(enough).count() >= self.workers_needed
    }

    pub(crate) fn punctual(&self) -> bool {
        self.gaps.count > 0 && self.gaps.p99_ms <= self.gap_bound_ms
    }

    pub(crate) fn exact(&self) -> bool {
        self.missing == 0 && self.extra == 0
    }

    pub(crate) fn passed(&self) -> bool {
        self.complete()
            && self.exact()
            && self.completed_early == 0
            && self.out_of_order == 0
            && self.shared()
            && self.punctual()
            && self.offered >= self.at_least
            && self.settings.iter().all(|held| held.holds)
    }
}

/// What is in Kafka, after dropping repeats.
#[derive(Debug, Default)]
struct Arrived<'a> {
    /// When each status was appended first.
    first_ms: BTreeMap<Status, i64>,
    /// Ids that name no status, or one of another account than the record's key.
    strange: BTreeSet<&'a str>,
    out_of_order: BTreeSet<u64>,
}

impl<'a> Arrived<'a> {
    fn of(records: &'a [Record]) -> Self {
        let mut arrived = Self::default();
        let mut last: BTreeMap<u64, (i32, u64)> = BTreeMap::new();
        for record in records {
            let Some((account, id)) = status_of(record) else {
                arrived.strange.insert(&record.event_id);
                continue;
            };
            if arrived.first_ms.contains_key(&(account, id)) {
                continue;
            }
            // Without a date by the broker nothing proves that it was there in time.
            let appended_ms = record.appended_ms.unwrap_or(i64::MAX);
            arrived.first_ms.insert((account, id), appended_ms);
            let (partition, last_id) = last.entry(account).or_insert((record.partition, 0));
            // An account that is in two partitions has no order at all.
            if *partition != record.partition || *last_id > id {
                arrived.out_of_order.insert(account);
            }
            *last_id = id;
        }
        arrived
    }
}

/// The id is `channel|job type|account|status`.
fn status_of(record: &Record) -> Option<Status> {
    let mut parts = record.event_id.rsplitn(3, '|');
    let (id, account) = (parts.next()?, parts.next()?);
    let same = account == record.key;
    same.then_some((account.parse().ok()?, id.parse().ok()?))
}

/// Polls that resume from a cursor, and those of them that came before all up to it was in Kafka:
/// the completion that stored the cursor was early.
fn completed_early(log: &ChannelLog, arrived: &Arrived<'_>) -> (usize, usize) {
    let (mut resumed, mut early) = (0, 0);
    let in_kafka_by = complete_by(log, arrived);
    for poll in &log.responses {
        if !poll.starts_poll() || poll.since_id == 0 {
            continue;
        }
        resumed += 1;
        let upto = (poll.account, 0)..=(poll.account, poll.since_id);
        let (_, complete_ms) = in_kafka_by.range(upto).next_back().unzip();
        early += usize::from(complete_ms.is_none_or(|complete_ms| *complete_ms > poll.time_ms));
    }
    (resumed, early)
}

/// For each status offered, when it and all before it of its account were in Kafka.
fn complete_by(log: &ChannelLog, arrived: &Arrived<'_>) -> BTreeMap<Status, i64> {
    let mut before = (u64::MAX, i64::MIN);
    let complete = log.offered.iter().map(|&(account, id)| {
        let first_ms = arrived.first_ms.get(&(account, id));
        let first_ms = first_ms.copied().unwrap_or(i64::MAX);
        let latest_ms = if before.0 == account {
            before.1
        } else {
            i64::MIN
        };
        before = (account, latest_ms.max(first_ms));
        ((account, id), before.1)
    });
    complete.collect()
}

fn shares(responses: &[Response]) -> BTreeMap<String, usize> {
    let mut workers = BTreeMap::new();
    for response in responses {
        *workers.entry(response.worker.clone()).or_default() += 1;
    }
    workers
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn options() -> Options {
        Options::parse_from([
            "check_demo",
            "--log=l",
            "--topic=t",
            "--brokers=b",
            "--workers=1",
        ])
    }

    fn compared(log: &ChannelLog, records: &[Record]) -> Verdict {
        compare(&options(), log, records, Counted::default())
    }

    fn poll(time_ms: i64, since_id: u64, ids: &[u64]) -> Response {
        Response {
            number: 0,
            time_ms,
            account: 7,
            worker: "a".to_owned(),
            since_id,
            min_id: Some(since_id),
            limit: 20,
            status: 200,
            ids: ids.to_vec(),
            remaining: 9,
        }
    }

    /// Posts 1, 2 and 3, polled twice.
    fn log() -> ChannelLog {
        let all = BTreeSet::from([(7, 1), (7, 2), (7, 3)]);
        ChannelLog {
            responses: vec![poll(1_000, 0, &[2, 1]), poll(11_000, 2, &[3])],
            offered: all.clone(),
            posted: all,
        }
    }

    fn records(ids_and_times: &[(u64, i64)]) -> Vec<Record> {
        let record = |(offset, &(id, appended_ms)): (usize, &(u64, i64))| Record {
            partition: 0,
            offset: offset as i64,
            appended_ms: Some(appended_ms),
            key: "7".to_owned(),
            event_id: format!("mastodon|posts|7|{id}"),
        };
        ids_and_times.iter().enumerate().map(record).collect()
    }

    const GOOD: [(u64, i64); 3] = [(1, 1_100), (2, 1_100), (3, 11_100)];

    #[test]
    fn what_is_there_once_or_more_is_exact() {
        let verdict = compared(&log(), &records(&GOOD));
        assert!(verdict.passed(), "{verdict:?}");
        let twice = [GOOD, GOOD].concat();
        let verdict = compared(&log(), &records(&twice));
        assert!(verdict.passed() && verdict.repeats == 3, "{verdict:?}");
    }

    #[test]
    fn a_missing_event_is_told() {
        let verdict = compared(&log(), &records(&GOOD[..2]));
        assert!(!verdict.passed() && verdict.missing == 1, "{verdict:?}");
    }

    #[test]
    fn an_event_that_was_never_offered_is_told() {
        let mut more = records(&[&GOOD[..], &[(4, 11_200)]].concat());
        let verdict = compared(&log(), &more);
        assert!(!verdict.passed() && verdict.extra == 1, "{verdict:?}");
        more[3].event_id = "mastodon|posts|8|3".to_owned();
        let verdict = compared(&log(), &more);
        assert!(!verdict.passed() && verdict.extra == 1, "{verdict:?}");
    }

    #[test]
    fn a_status_that_no_response_held_is_told() {
        let mut log = log();
        log.posted.insert((7, 4));
        let verdict = compared(&log, &records(&GOOD));
        assert!(
            !verdict.passed() && verdict.never_offered == 1,
            "{verdict:?}"
        );
    }

    #[test]
    fn a_completion_before_the_delivery_is_told() {
        let late = [(1, 12_000), (2, 1_100), (3, 11_100)];
        let verdict = compared(&log(), &records(&late));
        assert!(!verdict.passed(), "{verdict:?}");
        assert_eq!((verdict.resumed_polls, verdict.completed_early), (1, 1));
    }

    #[test]
    fn first_occurrences_out_of_order_are_told() {
        let swapped = [(2, 1_100), (1, 1_100), (3, 11_100)];
        let verdict = compared(&log(), &records(&swapped));
        assert!(
            !verdict.passed() && verdict.out_of_order == 1,
            "{verdict:?}"
        );
    }

    #[test]
    fn gaps_beyond_the_bound_are_told() {
        let mut log = log();
        log.responses[1].time_ms = 13_001;
        let verdict = compared(&log, &records(&GOOD));
        assert!(!verdict.passed() && !verdict.punctual(), "{verdict:?}");
    }
}
