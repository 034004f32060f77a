//! Which shard has a job.

use crate::stable_hash::stable_hash;

/// Another hash than those that choose slots: each shard's slots are filled evenly too.
const SALT: u64 = 0;

/// The number of the shard, of so many, that has the job with this id.
///
/// A 64-bit hash of the id (FNV-1a, mixed by the finalizer of `SplitMix64`), times the number of
/// shards, divided by 2⁶⁴. It is part of the data's layout, and never changes.
///
/// ```
/// use scheduler_lib::store::shard_of;
/// assert_eq!(shard_of("posts:42", 3), 0);
/// ```
///
/// # Panics
///
/// Without any shard.
#[must_use]
pub fn shard_of(id: &str, shards: usize) -> usize {
    assert!(shards > 0, "a job is in one of the shards: there are none");
    ((u128::from(stable_hash(id, SALT)) * shards as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_has_an_equal_share() {
        for shards in [1, 2, 3, 6, 12, 60] {
            let mut jobs = vec![0u32; shards];
            for account in 0..100_000 {
                jobs[shard_of(&format!("posts:{account}"), shards)] += 1;
            }
            let mean = 100_000.0 / shards as f64;
            for (shard, &count) in jobs.iter().enumerate() {
                // Five standard deviations of a fair lot.
                let apart = (f64::from(count) - mean).abs();
                assert!(apart < 5.0 * mean.sqrt(), "{count} in {shard} of {shards}");
            }
        }
    }
}
