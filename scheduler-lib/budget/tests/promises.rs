//! What is promised for a limit that is shared, at full size: ten thousand jobs for two hours. Only
//! in optimised builds, where a run takes some seconds.
#![cfg(not(debug_assertions))]

use budget::{Report, Scenario, simulate};

#[test]
fn a_shared_limit_is_used_up_to_the_cushion_by_weight_and_hardly_a_call_is_refused() {
    for seed in [1, 2, 3] {
        let scenario = Scenario {
            seed,
            ..Scenario::default()
        };
        let meter = simulate(&scenario, |_slot| {});
        let report = Report::new(&scenario, &meter);
        let holds = report.holds();
        assert!(holds.refused, "seed {seed}: {}", report.refused_share());
        assert!(holds.cushion, "seed {seed}: {:?}", report.windows);
        assert!(holds.used, "seed {seed}: {}", report.used_share());
        assert!(holds.tiers, "seed {seed}: {:?}", report.tiers);
        let unpolled: u64 = report.tiers.iter().map(|tier| tier.unpolled).sum();
        assert_eq!(unpolled, 0, "seed {seed}: {:?}", report.tiers);
    }
}
