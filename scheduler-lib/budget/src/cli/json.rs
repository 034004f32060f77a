//! The run as one JSON object.

use budget::{TIERS, TierReport, Window};
use serde_json::{Value, json};

use super::Run;

pub(super) fn of(run: &Run) -> Value {
    let (scenario, report) = (&run.scenario, &run.report);
    let holds = report.holds();
    let (below_cushion, in_flight) = report.deepest();
    json!({
        "seed": scenario.seed,
        "jobs": scenario.jobs,
        "limit": scenario.limit,
        "window_s": scenario.window_ms / 1_000,
        "cushion": scenario.cushion,
        "interval_s": scenario.interval().as_secs(),
        "refused_share": rounded(report.refused_share()),
        "below_cushion": below_cushion,
        "below_cushion_in_flight": in_flight,
        "used_share": rounded(report.used_share()),
        "tiers": report.tiers.iter().map(tier).collect::<Vec<_>>(),
        "windows": report.windows.iter().map(|one| window(run, one)).collect::<Vec<_>>(),
        "holds": {
            "refused": holds.refused,
            "cushion": holds.cushion,
            "used": holds.used,
            "tiers": holds.tiers,
        },
        "took_s": rounded(run.took_s),
    })
}

fn tier(one: &TierReport) -> Value {
    json!({
        "level": one.tier.name,
        "weight": one.tier.weight,
        "accounts": one.accounts,
        "unpolled": one.unpolled,
        "polls_per_account": rounded(one.polls_per_account),
        "between_s": rounded(one.between_s),
        "longest_s": rounded(one.longest_s),
    })
}

fn window(run: &Run, one: &Window) -> Value {
    let calls = &one.calls;
    let ours = TIERS.iter().zip(calls.ours);
    json!({
        "ours": ours.map(|(tier, calls)| (tier.name, calls)).collect::<std::collections::BTreeMap<_, _>>(),
        "other": calls.other,
        "refused": calls.refused,
        "other_refused": calls.other_refused,
        "left": one.left,
        "below_cushion": one.below_cushion,
        "in_flight": one.in_flight,
        "used_share": rounded(run.report.used_share_of(std::slice::from_ref(one))),
    })
}

fn rounded(number: f64) -> f64 {
    (number * 1e5).round() / 1e5
}
