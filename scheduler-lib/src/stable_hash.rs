//! A hash that stays the same for ever: what it decides is kept in stores.

/// FNV-1a over the bytes of the id, then the finalizer of `SplitMix64`, which mends FNV's weak low
/// bits. Each salt gives a hash of its own.
pub(crate) fn stable_hash(id: &str, salt: u64) -> u64 {
    let fnv = id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut mixed = fnv.wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These are in users' stores: the shard of each job, and its slots.
    #[test]
    fn the_hash_of_an_id_never_changes() {
        let known = [
            ("", 0, 0xf52a_15e9_a9b5_e89b),
            ("a", 0, 0x02c0_bdbf_4814_20f8),
            ("a", 1, 0x5f29_c2aa_dd9b_8527),
            ("posts:42", 0, 0x4b30_34e0_dec1_aa6d),
            (
                "posts:account/with.a-long~name@example.org",
                1,
                0xf587_8770_a91b_10cd,
            ),
        ];
        for (id, salt, expected) in known {
            let found = stable_hash(id, salt);
            assert_eq!(found, expected, "{id}, {salt}: {found:#x}");
        }
    }
}
