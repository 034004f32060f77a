//! Us and a ceiling in turns: a machine that is faster or slower meanwhile is so for both.

use crate::figure::Figure;

/// What one round brought.
#[derive(Debug, Clone)]
pub struct Round {
    /// What we reached.
    pub ours: Figure,
    /// What the server gives at most.
    pub ceiling: Figure,
}

impl Round {
    fn share(&self) -> f64 {
        self.ours.value / self.ceiling.value
    }
}

/// The round whose share is in the middle, the shares of all as a detail, percent. `None` without a
/// round.
#[must_use]
pub fn middle(rounds: Vec<Round>) -> Option<Round> {
    let percent = |round: &Round| (1000.0 * round.share()).round() / 10.0;
    let shares: Vec<f64> = rounds.iter().map(percent).collect();
    let mut rounds = rounds;
    rounds.sort_by(|one, other| one.share().total_cmp(&other.share()));
    let middle = rounds.len().checked_sub(1)? / 2;
    let Round { ours, ceiling } = rounds.swap_remove(middle);
    let ours = ours.with("shares_percent", shares);
    Some(Round { ours, ceiling })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_share_counts_with_both_its_figures() {
        let round = |ours, ceiling| Round {
            ours: Figure::new("store/redis", ours, "jobs/s"),
            ceiling: Figure::new("ceiling/redis", ceiling, "jobs/s"),
        };
        let rounds = vec![round(90.0, 100.0), round(10.0, 100.0), round(40.0, 50.0)];
        let middle = middle(rounds).unwrap();
        assert_eq!([middle.ours.value, middle.ceiling.value], [40.0, 50.0]);
        let shares = &middle.ours.details["shares_percent"];
        assert_eq!(shares, &serde_json::json!([90.0, 10.0, 80.0]));
        assert!(super::middle(Vec::new()).is_none());
    }
}
