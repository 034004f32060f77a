//! Pauses between attempts.

use std::time::Duration;

use crate::Generator;

/// Exponential backoff with full jitter: pause `n` is anywhere between zero and the lesser of
/// `first` × 2ⁿ and `longest`, so that workers that failed together do not return together.
#[derive(Debug)]
pub(crate) struct Backoff {
    generator: Generator,
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) fn new(generator: Generator, (first, longest): (Duration, Duration)) -> Self {
        Self {
            generator,
            first,
            longest,
            failures: 0,
        }
    }

    /// The pause after one more failure.
    pub(crate) fn next(&mut self) -> Duration {
        // Beyond 2³¹ no pause grows: `longest` has long been reached.
        let factor = 1u32 << self.failures.min(31);
        self.failures = self.failures.saturating_add(1);
        let ceiling = self.first.saturating_mul(factor).min(self.longest);
        ceiling.mul_f64(self.generator.fraction())
    }

    /// After a success the next pause is a short one again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_start_over() {
        let bounds = (Duration::from_millis(200), Duration::from_secs(30));
        let mut backoff = Backoff::new(Generator::from_seed(1), bounds);
        let pauses: Vec<_> = (0..100).map(|_| backoff.next()).collect();
        assert!(pauses[0] <= bounds.0);
        assert!(pauses.iter().all(|pause| *pause <= bounds.1));
        assert!(pauses[20..].iter().any(|pause| *pause > bounds.1 / 2));
        backoff.reset();
        assert!(backoff.next() <= bounds.0);
    }
}
