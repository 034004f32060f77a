//! How the channel answers one call: with what, or with which error.

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::schedule::Post;

/// Shares of the calls that fail for no reason of their own.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Errors {
    /// Share of calls answered with 503, from 0 to 1.
    #[arg(long = "unavailable", default_value_t = 0.002)]
    unavailable: f64,
    /// Share of calls answered with 429.
    #[arg(long = "rate-limited", default_value_t = 0.001)]
    rate_limited: f64,
    /// Share of calls answered with 401.
    #[arg(long = "unauthorized", default_value_t = 0.001)]
    unauthorized: f64,
}

/// The answer to every call, on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// As the schedule and the shares of errors have it.
    #[default]
    Normal,
    /// 503.
    Unavailable,
    /// 429.
    RateLimited,
    /// 401.
    Unauthorized,
}

impl Errors {
    /// The error of an account's `ordinal`th call: the same in every run of a seed, whatever the
    /// other accounts' calls do.
    pub(crate) fn draw(&self, seed: u64, account: u32, ordinal: u64) -> Mode {
        let mut left = share(mix(mix(seed, u64::from(account)), ordinal));
        for (mode, share) in [
            (Mode::Unavailable, self.unavailable),
            (Mode::RateLimited, self.rate_limited),
            (Mode::Unauthorized, self.unauthorized),
        ] {
            if left < share {
                return mode;
            }
            left -= share;
        }
        Mode::Normal
    }
}

/// SplitMix64's finalizer (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators,
/// 2014).
fn mix(seed: u64, value: u64) -> u64 {
    let mut mixed = seed.wrapping_add((value + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// In `[0, 1)`.
fn share(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// What a call asks for, in the names of Mastodon's API.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Query {
    /// Only statuses newer than this. Without `min_id` the newest of them: what does not fit into
    /// the page is skipped, so that a poller which must not lose any asks with `min_id`.
    #[serde(default)]
    pub(crate) since_id: u64,
    /// Only statuses newer than this, and of these the oldest: the page directly above.
    pub(crate) min_id: Option<u64>,
    /// Statuses wanted at most.
    pub(crate) limit: Option<usize>,
}

impl Query {
    /// A page of `visible`, which is oldest first; the page is newest first, as Mastodon's is.
    pub(crate) fn page(&self, visible: &[Post], limit: usize) -> Vec<Post> {
        let after = self.since_id.max(self.min_id.unwrap_or(0));
        let newer = &visible[visible.partition_point(|post| post.id <= after)..];
        let len = newer.len().min(limit);
        let page = match self.min_id {
            Some(_) => &newer[..len],
            None => &newer[newer.len() - len..],
        };
        page.iter().rev().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(since_id: u64, min_id: Option<u64>) -> Vec<u64> {
        let visible: Vec<Post> = (1..=9).map(|id| Post { id, offset_ms: id }).collect();
        let query = Query {
            since_id,
            min_id,
            limit: None,
        };
        let page = query.page(&visible, 3);
        page.iter().map(|post| post.id).collect()
    }

    #[test]
    fn since_id_gives_the_newest_and_skips_what_does_not_fit() {
        assert_eq!(ids(0, None), [9, 8, 7]);
        assert_eq!(ids(8, None), [9]);
        assert_eq!(ids(9, None), [0; 0]);
    }

    #[test]
    fn min_id_gives_the_page_directly_above() {
        assert_eq!(ids(0, Some(0)), [3, 2, 1]);
        assert_eq!(ids(0, Some(3)), [6, 5, 4]);
        assert_eq!(ids(0, Some(8)), [9]);
    }

    #[test]
    fn errors_follow_their_shares_and_their_seed() {
        let errors = Errors {
            unavailable: 0.1,
            rate_limited: 0.2,
            unauthorized: 0.0,
        };
        let draw = |seed, ordinal| errors.draw(seed, 7, ordinal);
        let count = |mode| (0..10_000).filter(|n| draw(1, *n) == mode).count();
        assert!((900..1_100).contains(&count(Mode::Unavailable)));
        assert!((1_850..2_150).contains(&count(Mode::RateLimited)));
        assert_eq!(count(Mode::Unauthorized), 0);
        assert!((0..100).all(|n| draw(5, n) == draw(5, n)));
        assert!((0..100).any(|n| draw(5, n) != draw(6, n)));
    }
}
