//! Randomness as a value.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::Nonce;

/// A generator of random numbers that tasks share; clones draw from the same sequence.
///
/// Cryptographically strong, so that nonces cannot be guessed. Seeded from the operating system
/// in production and from a number in tests and simulations.
#[derive(Clone)]
pub struct Generator(Arc<Mutex<StdRng>>);

impl Generator {
    /// Seeded by the operating system.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give; nothing safe can run then.
    #[must_use]
    pub fn from_os() -> Self {
        let rng = StdRng::try_from_rng(&mut rand::rngs::SysRng)
            .expect("the operating system gives randomness");
        Self(Arc::new(Mutex::new(rng)))
    }

    /// The same seed gives the same sequence.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Any 64-bit number.
    #[must_use]
    pub fn next_u64(&self) -> u64 {
        // A panic elsewhere cannot leave the generator in a bad state.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next_u64()
    }

    /// A fresh nonce.
    #[must_use]
    pub fn nonce(&self) -> Nonce {
        Nonce(self.next_u64())
    }

    /// A number in `[0, 1)`, evenly spread.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        // The 53 high bits are as many as an f64 holds.
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number in `0..bound`, or 0 when `bound` is 0. The bias is below `bound` / 2⁶⁴.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generator")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let draw = |seed| {
            let generator = Generator::from_seed(seed);
            (0..8).map(|_| generator.next_u64()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let generator = Generator::from_os();
        for _ in 0..1000 {
            assert!((0.0..1.0).contains(&generator.fraction()));
            assert!(generator.below(3) < 3);
        }
        assert_eq!(generator.below(0), 0);
    }
}
