//! Which shard has a job.

/// The number of the shard, of so many, that has the job with this id.
///
/// 64-bit FNV-1a over the bytes of the id, mixed by the finalizer of MurmurHash3 (so that ids that
/// differ in their last byte spread too), times the number of shards, divided by 2⁶⁴. It is part of
/// the data's layout, and never changes.
///
/// ```
/// use scheduler_lib::store::shard_of;
/// assert_eq!(shard_of("posts:42", 3), 1);
/// ```
///
/// # Panics
///
/// Without any shard.
#[must_use]
pub fn shard_of(id: &str, shards: usize) -> usize {
    assert!(shards > 0, "a job is in one of the shards: there are none");
    ((u128::from(hash(id)) * shards as u128) >> 64) as usize
}

fn hash(id: &str) -> u64 {
    let fnv = id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mix = |hash: u64, by: u64| (hash ^ hash >> 33).wrapping_mul(by);
    let mixed = mix(mix(fnv, 0xff51_afd7_ed55_8ccd), 0xc4ce_b9fe_1a85_ec53);
    mixed ^ mixed >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These are in users' stores.
    #[test]
    fn the_hash_of_an_id_never_changes() {
        let known = [
            ("", 0xefd0_1f60_ba99_2926),
            ("a", 0x82a2_a958_a9be_ce5b),
            ("posts:42", 0x56a3_ff89_9fca_3bca),
            (
                "posts:account/with.a-long~name@example.org",
                0x1806_1a4d_0d74_5621,
            ),
        ];
        for (id, expected) in known {
            assert_eq!(hash(id), expected, "{id}: {:#x}", hash(id));
        }
    }

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
