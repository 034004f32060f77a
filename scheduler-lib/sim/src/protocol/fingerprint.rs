//! Sixty-four bits that stand for a state, the same on every machine and with every compiler.

use std::hash::{BuildHasherDefault, Hash, Hasher};

/// The fingerprint of a state.
pub(super) fn fingerprint(state: &impl Hash) -> u64 {
    let mut mixer = Mixer::default();
    state.hash(&mut mixer);
    mixer.finish()
}

/// Folds eight bytes at a time.
#[derive(Default)]
struct Mixer {
    mixed: u64,
    word: u64,
    bytes: u32,
}

impl Mixer {
    fn push(&mut self, byte: u8) {
        self.word = self.word << 8 | u64::from(byte);
        self.bytes += 1;
        if self.bytes == 8 {
            self.mixed = mix(self.mixed ^ self.word);
            (self.word, self.bytes) = (0, 0);
        }
    }
}

/// A bijection whose output bits depend on all input bits (the finalizer of `SplitMix64`).
const fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(*byte);
        }
    }

    // Which variant of an enum: few enough for a byte.
    fn write_isize(&mut self, discriminant: isize) {
        self.push(discriminant as u8);
    }

    // Lengths of arrays, always the same.
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        mix(self.mixed ^ self.word ^ u64::from(self.bytes) << 56)
    }
}

/// For maps whose keys are fingerprints.
pub(super) type AsIs = BuildHasherDefault<Same>;

#[derive(Default)]
pub(super) struct Same(u64);

impl Hasher for Same {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
