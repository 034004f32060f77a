//! Who posts when.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, bail};
use rand::{RngExt as _, SeedableRng, rngs::StdRng};

/// A post to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Post {
    /// Grows with time over all accounts, as Mastodon's does. From 1.
    pub(crate) id: u64,
    /// Milliseconds from the start of posting.
    pub(crate) offset_ms: u64,
}

/// The posts of each account, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Schedule(BTreeMap<u32, Vec<Post>>);

impl Schedule {
    /// Posts after a trace, its whole length pressed into `replay_s`. Accounts beyond the last are
    /// left out.
    pub(crate) fn of_trace(path: &Path, accounts: u32, replay_s: u32) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the trace {}", path.display()))?;
        let mut moments = Vec::new();
        for (number, line) in text.lines().enumerate().skip(1) {
            let (account, at_s) = parse_line(line).with_context(|| {
                let (path, number) = (path.display(), number + 1);
                format!("{path}, line {number}: `{line}` is not `account,unix_seconds`")
            })?;
            if account < accounts {
                moments.push((at_s, account));
            }
        }
        let bounds = (moments.iter().min().copied()).zip(moments.iter().max().copied());
        let Some(((first_s, _), (last_s, _))) = bounds else {
            bail!("the trace {} has no posts", path.display());
        };
        let length_s = (last_s - first_s).max(1) as f64;
        let offset_ms =
            |at_s: u64| ((at_s - first_s) as f64 / length_s * replay_ms(replay_s)) as u64;
        Ok(Self::of_moments(
            moments.iter().map(|&(at_s, who)| (offset_ms(at_s), who)),
        ))
    }

    /// Bursts of posts at random times: few accounts post much, as people do.
    pub(crate) fn generate(seed: u64, posts: usize, accounts: u32, replay_s: u32) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut moments = Vec::with_capacity(posts);
        while moments.len() < posts {
            // The square leans to the low numbers.
            let account = (random.random::<f64>().powi(2) * f64::from(accounts)) as u32;
            let begin = random.random::<f64>();
            let burst = random.random_range(1..=8).min(posts - moments.len());
            for _ in 0..burst {
                let at = (begin + random.random::<f64>() * 0.02).min(1.0);
                moments.push(((at * replay_ms(replay_s)) as u64, account));
            }
        }
        Self::of_moments(moments.into_iter())
    }

    fn of_moments(moments: impl Iterator<Item = (u64, u32)>) -> Self {
        let mut moments: Vec<_> = moments.collect();
        moments.sort_unstable();
        let mut schedule = Self::default();
        for (id, (offset_ms, account)) in (1..).zip(moments) {
            let posts = schedule.0.entry(account).or_default();
            posts.push(Post { id, offset_ms });
        }
        schedule
    }

    /// The posts of `account`, oldest first.
    pub(crate) fn of(&self, account: u32) -> &[Post] {
        self.0.get(&account).map_or(&[], Vec::as_slice)
    }

    /// All posts.
    pub(crate) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// The accounts that post at all.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }
}

fn replay_ms(replay_s: u32) -> f64 {
    f64::from(replay_s) * 1_000.0
}

fn parse_line(line: &str) -> Option<(u32, u64)> {
    let (account, at_s) = line.split_once(',')?;
    Some((account.trim().parse().ok()?, at_s.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_posts() {
        let posts = |seed| format!("{:?}", Schedule::generate(seed, 500, 100, 60));
        assert_eq!(posts(1), posts(1));
        assert_ne!(posts(1), posts(2));
    }

    #[test]
    fn ids_grow_with_time_and_none_is_used_twice() {
        let schedule = Schedule::generate(3, 1_000, 50, 60);
        let mut all: Vec<Post> = (0..50).flat_map(|who| schedule.of(who).to_vec()).collect();
        all.sort_unstable_by_key(|post| post.id);
        assert!(all.iter().map(|post| post.id).eq(1..=1_000));
        assert!(all.is_sorted_by_key(|post| post.offset_ms));
        assert!(all.iter().all(|post| post.offset_ms <= 60_000));
    }

    #[test]
    fn a_line_that_is_no_post_is_named() {
        let path = std::env::temp_dir().join(format!("trace-{}.csv", std::process::id()));
        fs::write(&path, "account,unix_seconds\n0,100\nzero,101\n").unwrap();
        let error = Schedule::of_trace(&path, 10, 60).unwrap_err().to_string();
        fs::remove_file(&path).unwrap();
        assert!(error.contains("line 3: `zero,101`"), "{error}");
    }
}
