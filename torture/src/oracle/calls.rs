//! What the fake channel was asked, and when: gaps between polls, and how many there were.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use serde::Deserialize;

use crate::faults::Window;

/// A line of the channel's log, as far as it is read.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Response(Call),
    Posted {},
}

/// A call, at the time of its answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// UTC milliseconds.
    pub time_ms: i64,
    /// Whose posts.
    pub account: u32,
    /// Who asked.
    pub worker: String,
    /// The cursor of the poll.
    pub since_id: u64,
    /// The cursor of the page.
    pub min_id: Option<u64>,
    /// The most a page holds.
    pub limit: usize,
    /// The HTTP status.
    pub status: u16,
    /// What was given.
    pub ids: Vec<u64>,
}

impl Call {
    /// Further pages keep the poll's cursor and move their own.
    #[must_use]
    pub fn starts_poll(&self) -> bool {
        self.min_id.is_none_or(|min_id| min_id == self.since_id)
    }

    /// Whether the next poll comes at its usual time.
    fn is_plain(&self) -> bool {
        self.status == 200 && self.ids.len() < self.limit
    }
}

/// All calls in their order.
///
/// # Errors
///
/// When the log is missing, or has a line that is none of such a log.
pub fn read(path: &Path) -> anyhow::Result<Vec<Call>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the channel's log {}", path.display()))?;
    // A last line without its end is still being written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut calls = Vec::new();
    for line in whole.lines() {
        let line =
            serde_json::from_str(line).with_context(|| format!("no line of such a log: {line}"))?;
        if let Line::Response(call) = line {
            calls.push(call);
        }
    }
    Ok(calls)
}

/// When each account was polled, with whether that poll was plain.
#[must_use]
pub fn polls(calls: &[Call]) -> BTreeMap<u32, Vec<(i64, bool)>> {
    let mut polls: BTreeMap<u32, Vec<(i64, bool)>> = BTreeMap::new();
    for call in calls {
        let of_account = polls.entry(call.account).or_default();
        if call.starts_poll() {
            of_account.push((call.time_ms, call.is_plain()));
        } else if let Some((_, plain)) = of_account.last_mut() {
            *plain &= call.is_plain();
        }
    }
    polls
}

/// Times between two polls of an account, milliseconds, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Outside of faults and their recovery.
    pub calm_ms: Vec<i64>,
    /// Those that touch one.
    pub faulty_ms: Vec<i64>,
}

impl Gaps {
    /// Takes those of another time.
    pub fn join(&mut self, other: Self) {
        self.calm_ms.extend(other.calm_ms);
        self.faulty_ms.extend(other.faulty_ms);
        self.calm_ms.sort_unstable();
        self.faulty_ms.sort_unstable();
    }
}

/// Gaps of the first `accounts`, from `from_ms` to `to_ms`. A fault's time goes on for
/// `recovery_ms` after its end. Gaps after an error, a full page or a used-up limit are nobody's
/// promise.
#[must_use]
pub fn gaps(
    calls: &[Call],
    accounts: u32,
    (from_ms, to_ms): (i64, i64),
    faults: &[Window],
    recovery_ms: i64,
) -> Gaps {
    let mut gaps = Gaps::default();
    let polls = polls(calls);
    for (_, polls) in polls.range(..accounts) {
        for pair in polls.windows(2) {
            let [(earlier_ms, plain), (later_ms, _)] = [pair[0], pair[1]];
            if earlier_ms < from_ms || later_ms > to_ms || !plain {
                continue;
            }
            let touches = |fault: &Window| fault.touches(earlier_ms, later_ms, recovery_ms);
            match faults.iter().any(touches) {
                true => gaps.faulty_ms.push(later_ms - earlier_ms),
                false => gaps.calm_ms.push(later_ms - earlier_ms),
            }
        }
    }
    gaps.calm_ms.sort_unstable();
    gaps.faulty_ms.sort_unstable();
    gaps
}

/// The value that `percent` of all do not exceed; 0 of none.
#[must_use]
pub fn percentile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(time_ms: i64, status: u16, since_id: u64, min_id: u64) -> Call {
        Call {
            time_ms,
            account: 0,
            worker: "w".to_owned(),
            since_id,
            min_id: Some(min_id),
            limit: 2,
            status,
            ids: Vec::new(),
        }
    }

    #[test]
    fn gaps_are_told_apart_by_faults_and_errors_are_left_out() {
        let calls = [
            call(1_000, 200, 1, 1),
            call(1_100, 200, 1, 2),
            call(9_000, 200, 1, 1),
            call(20_000, 503, 1, 1),
            call(21_000, 200, 1, 1),
            call(29_000, 200, 1, 1),
        ];
        let fault = Window {
            fault: "kill".to_owned(),
            from_ms: 10_000,
            to_ms: Some(10_001),
        };
        let gaps = gaps(&calls, 1, (0, 99_000), &[fault], 5_000);
        assert_eq!(gaps.calm_ms, [8_000, 8_000]);
        assert_eq!(gaps.faulty_ms, [11_000]);
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<i64> = (1..=100).collect();
        assert_eq!(percentile(&values, 99), 99);
        assert_eq!(percentile(&values[..1], 50), 1);
        assert_eq!(percentile(&[], 50), 0);
    }
}
