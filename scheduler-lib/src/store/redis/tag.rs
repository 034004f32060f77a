//! Which hash slot of a cluster a shard is in.

use polling_model::ChannelId;

/// Hash slots of a Redis Cluster.
const HASH_SLOTS: usize = 16_384;

/// The hash tag of a shard of so many: `channel:shard`, for two and more shards followed by the
/// least `:k` that puts it into its place in the cluster.
///
/// The hash slots are cut into as many equal ranges as there are shards, one each; the tag falls
/// into the middle half of its own, since where a range ends is rounded in several ways. So masters
/// with equal, contiguous ranges have equal shares where their number divides that of the shards.
pub(super) fn tag(channel: &ChannelId, shard: usize, shards: usize) -> String {
    let plain = format!("{channel}:{shard}");
    if shards == 1 {
        return plain;
    }
    let quarter = |number: usize| number * HASH_SLOTS / (4 * shards);
    let (first, last) = (quarter(4 * shard + 1), quarter(4 * shard + 3));
    let mut tags = (0u32..).map(|k| format!("{plain}:{k}"));
    tags.find(|tag| (first..last).contains(&hash_slot(tag)))
        .expect("each range of hash slots has some of the tags")
}

fn hash_slot(tag: &str) -> usize {
    usize::from(crc16(tag.as_bytes())) % HASH_SLOTS
}

/// CRC-16/XMODEM, as the cluster's specification has it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc: u16, _| {
            (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::store::MAX_SHARDS;

    use super::*;

    fn channel() -> ChannelId {
        "mastodon".parse().unwrap()
    }

    #[test]
    fn the_hash_is_that_of_the_clusters_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        // CLUSTER KEYSLOT somekey
        assert_eq!(hash_slot("somekey"), 11_058);
    }

    /// These are in users' stores.
    #[test]
    fn tags_never_change() {
        assert_eq!(tag(&channel(), 0, 1), "mastodon:0");
        let three: Vec<_> = (0..3).map(|shard| tag(&channel(), shard, 3)).collect();
        assert_eq!(three, ["mastodon:0:3", "mastodon:1:13", "mastodon:2:2"]);
    }

    #[test]
    fn masters_with_equal_ranges_have_equal_shares() {
        for (masters, shards) in [(1, 2), (3, 3), (3, 6), (4, 12), (6, 12), (5, 60)] {
            let mut shares = vec![0; masters];
            for shard in 0..shards {
                let slot = hash_slot(&tag(&channel(), shard, shards));
                shares[slot * masters / HASH_SLOTS] += 1;
            }
            assert_eq!(shares, vec![shards / masters; masters]);
        }
    }

    #[test]
    fn there_is_a_tag_for_every_shard() {
        for shards in [2, 3, 5, 12, 60, MAX_SHARDS] {
            let tags: std::collections::BTreeSet<_> = (0..shards)
                .map(|shard| tag(&channel(), shard, shards))
                .collect();
            assert_eq!(tags.len(), shards);
        }
    }
}
