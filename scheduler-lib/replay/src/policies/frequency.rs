//! Fixed frequencies: the one that waits longest, by its frequency, is next.

use super::{Settings, largest};
use crate::Policy;

#[derive(Debug)]
pub(super) struct Frequencies {
    frequencies: Vec<f64>,
    last_min: Vec<f64>,
}

impl Frequencies {
    pub(super) fn uniform(settings: &Settings<'_>) -> Self {
        Self::new(settings, settings.weights.iter().map(|_| 1.0))
    }

    pub(super) fn tiered(settings: &Settings<'_>) -> Self {
        let tiers = settings.trace.tiers.iter();
        Self::new(
            settings,
            tiers.map(|tier| settings.frequencies[*tier as usize]),
        )
    }

    /// As √(w r): what is best when rates do not change.
    pub(super) fn clairvoyant(settings: &Settings<'_>) -> Self {
        let items = settings.trace.accounts.iter().map(Vec::len);
        let weighted = items.zip(&settings.weights);
        Self::new(
            settings,
            weighted.map(|(items, weight)| (weight * items as f64).sqrt()),
        )
    }

    fn new(settings: &Settings<'_>, frequencies: impl Iterator<Item = f64>) -> Self {
        Self {
            frequencies: frequencies.collect(),
            last_min: settings.last_polls_min().collect(),
        }
    }
}

impl Policy for Frequencies {
    fn choose(&mut self, minute: i64, calls: usize) -> Vec<usize> {
        let waits = self.last_min.iter().map(|last| minute as f64 - last);
        let turns = waits.zip(&self.frequencies);
        largest(turns.map(|(wait, frequency)| wait * frequency), calls)
    }

    fn polled(&mut self, minute: i64, account: usize, _items_ms: &[i64]) {
        self.last_min[account] = minute as f64;
    }
}
