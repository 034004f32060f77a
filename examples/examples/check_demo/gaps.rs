//! The time between two polls of the same account.

use std::{collections::BTreeMap, str::FromStr};

use anyhow::Context as _;
use serde::Serialize;

use crate::channel_log::Response;

/// A stretch of time, UTC milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    from_ms: i64,
    to_ms: i64,
}

impl FromStr for Window {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parse = || {
            let (from, to) = text.split_once('-')?;
            let (from_ms, to_ms) = (from.parse().ok()?, to.parse().ok()?);
            (from_ms <= to_ms).then_some(Self { from_ms, to_ms })
        };
        parse().context("a window is FROM-TO, in UTC milliseconds")
    }
}

/// Gaps between consecutive polls of the same account, milliseconds.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Gaps {
    pub(crate) count: usize,
    pub(crate) p50_ms: i64,
    pub(crate) p99_ms: i64,
    pub(crate) max_ms: i64,
    /// Left out: after a page that was full, where the next poll follows at once.
    pub(crate) saturated: usize,
    /// Left out: at an error or a used-up limit.
    pub(crate) errors: usize,
    /// Left out: in a fault's time.
    pub(crate) faults: usize,
}

/// How a gap counts.
enum Kind {
    Plain,
    Saturated,
    Error,
    Fault,
}

impl Gaps {
    /// Of responses in the order of their numbers.
    pub(crate) fn of(responses: &[Response], cushion: u32, faults: &[Window]) -> Self {
        let mut gaps = Self::default();
        let mut plain = Vec::new();
        for calls in by_account(responses).values() {
            for (gap_ms, kind) in between_polls(calls, cushion, faults) {
                match kind {
                    Kind::Plain => plain.push(gap_ms),
                    Kind::Saturated => gaps.saturated += 1,
                    Kind::Error => gaps.errors += 1,
                    Kind::Fault => gaps.faults += 1,
                }
            }
        }
        plain.sort_unstable();
        gaps.count = plain.len();
        gaps.p50_ms = percentile(&plain, 50);
        gaps.p99_ms = percentile(&plain, 99);
        gaps.max_ms = plain.last().copied().unwrap_or(0);
        gaps
    }
}

fn by_account(responses: &[Response]) -> BTreeMap<u64, Vec<&Response>> {
    let mut accounts: BTreeMap<u64, Vec<&Response>> = BTreeMap::new();
    for response in responses {
        accounts.entry(response.account).or_default().push(response);
    }
    accounts
}

fn between_polls<'a>(
    calls: &'a [&'a Response],
    cushion: u32,
    faults: &'a [Window],
) -> impl Iterator<Item = (i64, Kind)> + 'a {
    let starts: Vec<usize> = (0..calls.len())
        .filter(|index| calls[*index].starts_poll())
        .collect();
    let pairs: Vec<_> = starts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().map(move |(from, to)| {
        let gap_ms = calls[to].time_ms - calls[from].time_ms;
        (gap_ms, kind(&calls[from..=to], cushion, faults))
    })
}

/// `calls` are those of one poll, and the first of the next.
fn kind(calls: &[&Response], cushion: u32, faults: &[Window]) -> Kind {
    let (from, to) = (calls[0], calls[calls.len() - 1]);
    let last = calls[calls.len() - 2];
    let touches = |window: &Window| window.from_ms <= to.time_ms && from.time_ms <= window.to_ms;
    if faults.iter().any(touches) {
        Kind::Fault
    } else if calls.iter().any(|call| !call.ok()) || last.remaining <= cushion {
        Kind::Error
    } else if last.full() {
        Kind::Saturated
    } else {
        Kind::Plain
    }
}

/// The nearest rank.
fn percentile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(time_ms: i64, status: u16, ids: &[u64]) -> Response {
        Response {
            number: 0,
            time_ms,
            account: 7,
            worker: "a".to_owned(),
            since_id: 0,
            min_id: Some(0),
            limit: 2,
            status,
            ids: ids.to_vec(),
            remaining: 100,
        }
    }

    #[test]
    fn errors_full_pages_and_faults_are_left_out() {
        let responses = [
            call(0, 200, &[]),
            call(1_000, 200, &[2, 1]), // plain before it
            call(1_200, 200, &[]),     // follows a full page
            call(2_200, 503, &[]),     // error
            call(5_000, 200, &[]),     // error
            call(9_000, 200, &[]),     // plain
            call(12_000, 200, &[]),    // fault
        ];
        let fault = "11000-11500".parse().unwrap();
        let gaps = Gaps::of(&responses, 0, &[fault]);
        assert_eq!((gaps.count, gaps.p50_ms, gaps.max_ms), (2, 1_000, 4_000));
        assert_eq!((gaps.saturated, gaps.errors, gaps.faults), (1, 2, 1));
    }

    #[test]
    fn further_pages_belong_to_their_poll() {
        let second_page = Response {
            min_id: Some(2),
            ..call(1_050, 200, &[3])
        };
        let responses = [
            call(1_000, 200, &[2, 1]),
            second_page,
            call(2_000, 200, &[]),
        ];
        let gaps = Gaps::of(&responses, 0, &[]);
        assert_eq!((gaps.count, gaps.max_ms, gaps.saturated), (1, 1_000, 0));
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<i64> = (1..=100).collect();
        assert_eq!(percentile(&values, 50), 50);
        assert_eq!(percentile(&values, 99), 99);
        assert_eq!(percentile(&values[..1], 99), 1);
        assert_eq!(percentile(&[], 99), 0);
    }
}
