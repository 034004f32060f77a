//! The random numbers of the reference simulator, so that both start in the same phase.

/// What `numpy.random.default_rng(seed).random(n)` gives, for the two seeds that it uses: PCG64
/// (O'Neill: PCG, a family of simple fast space-efficient statistically good algorithms, 2014),
/// from the state to which numpy expands the seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numpy {
    state: u128,
    increment: u128,
}

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

impl Numpy {
    /// Draws the tiers.
    pub(crate) const SEED_1: Self = Self {
        state: 207_833_532_711_051_698_738_587_646_355_624_148_094,
        increment: 194_290_289_479_364_712_180_083_596_243_593_368_443,
    };

    /// Draws when each account was last polled before the trace began.
    pub(crate) const SEED_7: Self = Self {
        state: 208_745_520_555_909_116_978_795_849_195_383_758_904,
        increment: 261_136_684_632_268_670_825_940_853_076_396_136_793,
    };
}

impl Iterator for Numpy {
    type Item = f64;

    /// In `[0, 1)`; there is always another.
    fn next(&mut self) -> Option<f64> {
        self.state = self
            .state
            .wrapping_mul(MULTIPLIER)
            .wrapping_add(self.increment);
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        let random = folded.rotate_right((self.state >> 122) as u32);
        Some((random >> 11) as f64 / (1u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_draws_what_numpy_draws() {
        for (rng, expected) in [
            (Numpy::SEED_1, [0.51182162, 0.9504637, 0.14415961]),
            (Numpy::SEED_7, [0.62509547, 0.8972138, 0.77568569]),
        ] {
            for (drawn, expected) in rng.zip(expected) {
                assert!((drawn - expected).abs() < 1e-8, "{drawn} {expected}");
            }
        }
    }
}
