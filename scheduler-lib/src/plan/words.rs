//! What is to be told in words.

use super::{Break, Breaking, LevelPlan, PlanInput, ScopePlan, WindowPlan};
use crate::duration;

/// What does not hold as it is, and what to do.
pub(super) fn alarms(levels: &[LevelPlan], scopes: &[ScopePlan], breaks: &[Break]) -> Vec<String> {
    let mut alarms = Vec::new();
    for scope in scopes {
        if let Some(window) = exhausted(scope) {
            alarms.push(format!(
                "scope {}: of {} calls per {} others take {:.0} and {:.0} are the cushion, so that no call is left: nobody is polled",
                scope.scope,
                window.limit,
                duration::text(window.window),
                window.others,
                window.cushion,
            ));
        }
    }
    let promises = breaks.iter().filter(|found| {
        let of = |scope: &&ScopePlan| scope.scope == found.scope && scope.level == found.level;
        let scope = scopes.iter().find(of);
        found.what == Breaking::Promises && !found.holds() && scope.and_then(exhausted).is_none()
    });
    alarms.extend(promises.map(broken));
    // Accounts of several levels may have the same to tell.
    alarms.dedup();
    for level in levels {
        let Some(kept) = level.promise_kept.filter(|kept| *kept < 1.0 - 1e-9) else {
            continue;
        };
        alarms.push(format!(
            "{}.{}: only {:.0} % of the polls that its max_age promises can be made",
            level.job_type,
            level.level,
            100.0 * kept
        ));
    }
    alarms
}

/// The window of which no call is left.
fn exhausted(scope: &ScopePlan) -> Option<&WindowPlan> {
    scope.windows.iter().find(|window| window.available <= 0.0)
}

fn broken(found: &Break) -> String {
    let (job_type, level) = &found.first;
    let what_to_do = if found.least_limit.is_finite() {
        format!(
            "it would need {:.0}: raise max_age, or have fewer accounts",
            found.least_calls()
        )
    } else {
        "no limit would do, since others and the cushion take all of it".to_owned()
    };
    format!(
        "the promises of max_age do not fit scope {}, {} calls per {}; {what_to_do}. {job_type}.{level} gives way first",
        found.scope,
        found.limit,
        duration::text(found.window),
    )
}

/// What was taken for granted.
pub(super) fn notes(input: &PlanInput, scopes: &[ScopePlan]) -> Vec<String> {
    let unlimited = scopes.iter().filter(|scope| scope.windows.is_empty());
    let mut unlimited: Vec<_> = unlimited.map(|scope| scope.scope.as_str()).collect();
    unlimited.dedup();
    let mut notes: Vec<_> = unlimited
        .iter()
        .map(|scope| {
            format!(
                "scope {scope} has no limit in its rules, and none was given: it holds nobody back"
            )
        })
        .collect();
    for group in &input.groups {
        let refused = group.rates.refused();
        if refused > 0 {
            notes.push(format!(
                "{}.{}: {refused} rates were left out that are not 0 to {} items per day",
                group.job_type,
                group.level,
                super::MAX_RATE,
            ));
        }
    }
    if scopes.is_empty() {
        notes.push("no scope is named: nothing holds anybody back".to_owned());
    }
    for (scope, _) in &input.others {
        let text = scope.to_string();
        let limited = |plan: &&ScopePlan| !plan.windows.is_empty();
        let known = scopes.iter().filter(limited).any(|plan| plan.scope == text);
        let template = text.contains("{level}") || text.contains("{job_type}");
        if !known && !template {
            notes.push(format!(
                "others take a share of scope {text}, which has no limit: it makes no difference"
            ));
        }
    }
    notes
}
