//! The posts of the simulated accounts: mostly quiet, with bursts, as people post.

use polling_core::Generator;

/// One post. Ids of an account count from 1 without a gap, so that a lost one shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) created_ms: i64,
}

/// An account that posts as time goes by.
#[derive(Debug)]
pub(crate) struct Account {
    generator: Generator,
    mean_gap_ms: f64,
    next_ms: f64,
    burst_left: u64,
    posts: Vec<Post>,
}

/// Posts of a burst follow each other as fast as this.
const BURST_GAP_MS: f64 = 40.0;

/// How likely a post starts a burst.
const BURST_CHANCE: f64 = 0.02;

/// Longest burst: more than one page.
const LONGEST_BURST: u64 = 90;

impl Account {
    pub(crate) fn new(seed: u64, now_ms: i64) -> Self {
        let generator = Generator::from_seed(seed);
        // From one post in two seconds to one in a hundred: activity is never even.
        let mean_gap_ms = 2_000.0 * 50f64.powf(generator.fraction());
        let mut account = Self {
            generator,
            mean_gap_ms,
            next_ms: now_ms as f64,
            burst_left: 0,
            posts: Vec::new(),
        };
        account.schedule_next();
        account
    }

    /// Posts newer than `since_id`, oldest first, at most `limit`, and whether there are more.
    pub(crate) fn since(&mut self, since_id: i64, limit: usize, now_ms: i64) -> (Vec<Post>, bool) {
        self.advance(now_ms);
        let newer = &self.posts[self.posts.len().min(since_id.max(0) as usize)..];
        (
            newer.iter().take(limit).copied().collect(),
            newer.len() > limit,
        )
    }

    fn advance(&mut self, now_ms: i64) {
        while self.next_ms <= now_ms as f64 {
            self.posts.push(Post {
                id: self.posts.len() as i64 + 1,
                created_ms: self.next_ms as i64,
            });
            self.schedule_next();
        }
    }

    fn schedule_next(&mut self) {
        if self.burst_left > 0 {
            self.burst_left -= 1;
            self.next_ms += BURST_GAP_MS;
            return;
        }
        // Exponential gaps: a Poisson process.
        self.next_ms += -(1.0 - self.generator.fraction()).ln() * self.mean_gap_ms;
        if self.generator.fraction() < BURST_CHANCE {
            self.burst_left = 1 + self.generator.below(LONGEST_BURST);
        }
    }
}
