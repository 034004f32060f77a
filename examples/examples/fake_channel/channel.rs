//! The channel's state: who posted what by now, what was answered, what was offered.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    Options,
    answer::{Errors, Mode, Query},
    log::{self, Line, Log, Response},
    schedule::{Post, Schedule},
    windows::{Counted, Rate, Windows},
};

/// Statuses of a page if the caller names no number: Mastodon's own default.
const DEFAULT_PAGE: usize = 20;

/// The `Retry-After` of a 429 that was drawn or demanded, not caused by a window.
const RETRY_AFTER_MS: i64 = 2_000;

pub(crate) struct Channel {
    schedule: Schedule,
    windows: Windows,
    log: Log,
    seed: u64,
    errors: Errors,
    page_limit: usize,
    posting: Posting,
    /// What every call is answered with.
    pub(crate) mode: Mode,
    tally: Tally,
    offered: BTreeSet<u64>,
}

/// Whether accounts post.
#[derive(Debug, Clone, Copy)]
enum Posting {
    NotYet,
    Since(i64),
    Stopped { since_ms: i64, until_ms: i64 },
}

/// What was answered so far.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Tally {
    responses: u64,
    errors: u64,
    workers: BTreeMap<String, u64>,
}

/// How far the channel is, for who watches it.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// Statuses of the whole schedule.
    planned: usize,
    /// Those posted by now.
    posted: usize,
    /// Those that were in a response.
    offered: usize,
    mode: Mode,
    #[serde(flatten)]
    tally: Tally,
}

/// One response, decided and logged.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) posts: Vec<Post>,
    /// When posting began, to date the posts by.
    pub(crate) since_ms: i64,
    pub(crate) rate: Rate,
    pub(crate) retry_after_ms: Option<i64>,
}

impl Channel {
    pub(crate) fn new(options: &Options, schedule: Schedule, log: Log) -> Self {
        Self {
            schedule,
            windows: Windows::new(options.accounts, options.rate_limit, options.rate_window_s),
            log,
            seed: options.seed,
            errors: options.errors,
            page_limit: options.page_limit,
            posting: Posting::NotYet,
            mode: Mode::Normal,
            tally: Tally::default(),
            offered: BTreeSet::new(),
        }
    }

    /// Starts the schedule; once it has started, nothing.
    pub(crate) fn start_posting(&mut self, now_ms: i64) {
        if matches!(self.posting, Posting::NotYet) {
            self.posting = Posting::Since(now_ms);
        }
    }

    /// From now on nobody posts. What each account has posted is written to the log, so that what
    /// was never offered can be told too.
    pub(crate) fn stop_posting(&mut self, now_ms: i64) -> anyhow::Result<()> {
        let Posting::Since(since_ms) = self.posting else {
            return Ok(());
        };
        let until_ms = now_ms;
        self.posting = Posting::Stopped { since_ms, until_ms };
        let accounts: Vec<u32> = self.schedule.accounts().collect();
        for account in accounts {
            let ids = log::ids(self.visible(account, now_ms));
            self.log.append(&Line::Posted {
                time_ms: now_ms,
                account,
                ids,
            })?;
        }
        Ok(())
    }

    /// Answers one call of `worker` for an account's statuses. `None` if there is no such account.
    pub(crate) fn answer(
        &mut self,
        account: u32,
        query: &Query,
        worker: &str,
        now_ms: i64,
    ) -> anyhow::Result<Option<Answer>> {
        let Some(call) = self.windows.count(account, now_ms) else {
            return Ok(None);
        };
        let (rate, mode) = (call.rate, self.mode_of(account, &call));
        let limit = query
            .limit
            .unwrap_or(DEFAULT_PAGE)
            .clamp(1, self.page_limit);
        let (status, posts, retry_after_ms) = match mode {
            Mode::Normal => {
                let page = query.page(self.visible(account, now_ms), limit);
                (200, page, None)
            }
            Mode::Unavailable => (503, Vec::new(), None),
            Mode::Unauthorized => (401, Vec::new(), None),
            Mode::RateLimited if rate.remaining == 0 => {
                (429, Vec::new(), Some(rate.reset_ms - now_ms))
            }
            Mode::RateLimited => (429, Vec::new(), Some(RETRY_AFTER_MS)),
        };
        self.count(status, &posts, worker);
        let number = self.tally.responses;
        self.log.append(&Line::Response(Response {
            number,
            time_ms: now_ms,
            account,
            worker,
            since_id: query.since_id,
            min_id: query.min_id,
            limit,
            status,
            ids: log::ids(&posts),
            remaining: rate.remaining,
        }))?;
        Ok(Some(Answer {
            status,
            posts,
            since_ms: self.since_ms(),
            rate,
            retry_after_ms,
        }))
    }

    pub(crate) fn status(&self, now_ms: i64) -> Status {
        let accounts = self.schedule.accounts();
        Status {
            planned: self.schedule.len(),
            posted: accounts
                .map(|account| self.visible(account, now_ms).len())
                .sum(),
            offered: self.offered.len(),
            mode: self.mode,
            tally: self.tally.clone(),
        }
    }

    /// How a call that was counted is to be answered.
    fn mode_of(&self, account: u32, call: &Counted) -> Mode {
        match self.mode {
            _ if call.over => Mode::RateLimited,
            Mode::Normal => self.errors.draw(self.seed, account, call.ordinal),
            demanded => demanded,
        }
    }

    fn count(&mut self, status: u16, posts: &[Post], worker: &str) {
        self.tally.responses += 1;
        self.tally.errors += u64::from(status != 200);
        *self.tally.workers.entry(worker.to_owned()).or_default() += 1;
        self.offered.extend(posts.iter().map(|post| post.id));
    }

    /// What `account` has posted, oldest first.
    fn visible(&self, account: u32, now_ms: i64) -> &[Post] {
        let elapsed_ms = match self.posting {
            Posting::NotYet => return &[],
            Posting::Since(since_ms) => now_ms - since_ms,
            Posting::Stopped { since_ms, until_ms } => until_ms - since_ms,
        };
        let posts = self.schedule.of(account);
        let elapsed_ms = elapsed_ms.max(0).unsigned_abs();
        &posts[..posts.partition_point(|post| post.offset_ms <= elapsed_ms)]
    }

    fn since_ms(&self) -> i64 {
        match self.posting {
            Posting::NotYet => 0,
            Posting::Since(since_ms) | Posting::Stopped { since_ms, .. } => since_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser as _;

    use super::*;

    const NOBODY: [&str; 3] = ["--unavailable=0", "--rate-limited=0", "--unauthorized=0"];

    /// A channel of one account that posts 100 statuses within 10 s, and its log.
    fn channel(name: &str) -> (Channel, PathBuf) {
        let path = std::env::temp_dir().join(format!("{name}-{}.jsonl", std::process::id()));
        let command = [
            "fake_channel",
            "--accounts=1",
            "--rate-limit=3",
            "--log=unused",
        ];
        let options = Options::parse_from(command.into_iter().chain(NOBODY));
        let schedule = Schedule::generate(1, 100, 1, 10);
        let log = Log::create(&path).unwrap();
        (Channel::new(&options, schedule, log), path)
    }

    fn ask(channel: &mut Channel, now_ms: i64) -> Answer {
        let query = Query {
            min_id: Some(0),
            ..Query::default()
        };
        channel.answer(0, &query, "test", now_ms).unwrap().unwrap()
    }

    #[test]
    fn a_window_that_is_used_up_is_answered_with_429_until_it_ends() {
        let (mut channel, path) = channel("windows");
        let statuses: Vec<_> = (0..4).map(|n| ask(&mut channel, n).status).collect();
        assert_eq!(statuses, [200, 200, 200, 429]);
        let refused = ask(&mut channel, 299_000);
        assert_eq!(
            (refused.rate.remaining, refused.retry_after_ms),
            (0, Some(1_000))
        );
        assert_eq!(ask(&mut channel, 300_000).status, 200);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn posts_appear_in_their_time_and_none_after_the_stop() {
        let (mut channel, path) = channel("posting");
        assert_eq!(ask(&mut channel, 1_000).posts, []);
        channel.start_posting(1_000);
        let status = channel.status(6_000);
        assert!((10..90).contains(&status.posted), "{status:?}");
        channel.stop_posting(6_000).unwrap();
        assert_eq!(channel.status(99_000).posted, status.posted);
        let log = std::fs::read_to_string(&path).unwrap();
        let kinds = ["\"kind\":\"response\"", "\"kind\":\"posted\""];
        assert!(
            log.lines()
                .zip(kinds)
                .all(|(line, kind)| line.contains(kind))
        );
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_error_on_demand_holds_for_every_call() {
        let (mut channel, path) = channel("demand");
        channel.mode = Mode::Unauthorized;
        assert_eq!(ask(&mut channel, 0).status, 401);
        channel.mode = Mode::Normal;
        assert_eq!(ask(&mut channel, 0).status, 200);
        assert!(
            channel
                .answer(7, &Query::default(), "test", 0)
                .unwrap()
                .is_none()
        );
        std::fs::remove_file(path).unwrap();
    }
}
