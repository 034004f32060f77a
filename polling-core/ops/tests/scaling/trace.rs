//! Real load: the backlog's age and what it costs.

use super::cases::{self, TRACES};

#[test]
fn the_backlog_is_young_for_little_more_than_a_clairvoyant_pays() {
    for trace in TRACES {
        let outcome = cases::world().run(&cases::load(trace));
        let (age_s, ratio) = (outcome.p99_age_s(), outcome.over_clairvoyant());
        assert!(
            age_s <= 60,
            "{trace}: the backlog's age at p99 is {age_s} s"
        );
        let wait_s = outcome.p99_wait_s();
        assert!(
            wait_s <= 60,
            "{trace}: 99 of 100 jobs wait up to {wait_s} s"
        );
        assert!(
            ratio <= 1.2,
            "{trace}: {ratio} times the clairvoyant's worker-minutes"
        );
    }
}

#[test]
fn the_objective_is_met_whatever_the_scaler_is_wrong_about() {
    for (case, world) in cases::cases() {
        let outcome = world.run(&cases::load(TRACES[0]));
        let (age_s, ratio) = (outcome.p99_age_s(), outcome.over_clairvoyant());
        assert!(age_s <= 60, "{case}: the backlog's age at p99 is {age_s} s");
        assert!(
            ratio <= 1.3,
            "{case}: {ratio} times the clairvoyant's worker-minutes"
        );
    }
}
