//! Objectives as rules of Prometheus.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use super::{
    Measure, Objective, Unit,
    burn::{BURNS, Burn},
    rounded,
};

/// The names of a measure's metrics and alerts.
struct Names {
    /// The labels that tell objectives of it apart.
    labels: &'static [&'static str],
    all: &'static str,
    missed: &'static str,
    alert: &'static str,
    /// What is counted, and what a missed one is.
    what: (&'static str, &'static str),
}

const STALENESS: Names = Names {
    labels: &["channel", "level"],
    all: "polling_staleness_objective_events_total",
    missed: "polling_staleness_missed_events_total",
    alert: "PollingStalenessBudgetBurns",
    what: ("events", "published later than {} after their creation"),
};

const LATENESS: Names = Names {
    labels: &["channel"],
    all: "polling_lateness_objective_jobs_total",
    missed: "polling_lateness_missed_jobs_total",
    alert: "PollingLatenessBudgetBurns",
    what: ("jobs", "sent later than {} after they were due"),
};

impl Measure {
    const fn names(&self) -> &'static Names {
        match self {
            Self::Staleness { .. } => &STALENESS,
            Self::Lateness => &LATENESS,
        }
    }
}

/// Recording and alerting rules for these objectives, as a file of rules that Prometheus reads (YAML).
///
/// Recorded are the share of misses over each window, `…:polling_staleness_missed:ratio_rate1h`, and what is left of the
/// budget, `…:polling_staleness_budget_left:ratio`: 1 at first, below 0 where an objective is missed. An alert has the
/// severity `page` where a large part of the budget burns within hours, and `ticket` where it does within days.
#[must_use]
pub fn rules(objectives: &[Objective]) -> String {
    let mut yaml = "# Written by `scheduler objectives --rules`: change the objectives, not this file.\ngroups:\n".to_owned();
    let measures: BTreeMap<_, _> = objectives
        .iter()
        .map(|objective| (objective.measure.as_str(), objective))
        .collect();
    for (name, objective) in measures {
        ratios(&mut yaml, name, objective.measure.names());
    }
    for objective in objectives {
        alerts(&mut yaml, objective);
    }
    yaml
}

/// A string takes whatever is written.
macro_rules! line {
    ($yaml:expr, $($written:tt)*) => {{
        let _ = writeln!($yaml, $($written)*);
    }};
}

fn ratios(yaml: &mut String, measure: &str, names: &Names) {
    line!(yaml, "  - name: polling_{measure}_ratios");
    line!(yaml, "    rules:");
    let windows: BTreeSet<_> = BURNS
        .iter()
        .flat_map(|burn| [burn.short, burn.long])
        .collect();
    for window in windows {
        let by = names.labels.join(", ");
        let sum = |metric: &str| format!("sum by ({by}) (rate({metric}[{}]))", Unit(window));
        line!(yaml, "      - record: {}", recorded(measure, names, window));
        line!(
            yaml,
            "        expr: '{} / {}'",
            sum(names.missed),
            sum(names.all)
        );
    }
}

fn recorded(measure: &str, names: &Names, window: Duration) -> String {
    format!(
        "{}:polling_{measure}_missed:ratio_rate{}",
        names.labels.join("_"),
        Unit(window)
    )
}

fn alerts(yaml: &mut String, objective: &Objective) {
    let (measure, names) = (objective.measure.as_str(), objective.measure.names());
    let (channel, level) = (&objective.channel, objective.measure.level());
    let group = level.map_or_else(String::new, |level| format!("_{level}"));
    line!(yaml, "  - name: polling_{measure}_{channel}{group}");
    line!(yaml, "    rules:");
    line!(
        yaml,
        "      - record: {}:polling_{measure}_budget_left:ratio",
        names.labels.join("_")
    );
    line!(yaml, "        expr: '{}'", budget_left(objective));
    let [fastest, fast, slow, slowest] = &BURNS;
    for (speed, severity, burns) in [
        ("Fast", "page", [fastest, fast]),
        ("Slowly", "ticket", [slow, slowest]),
    ] {
        let burning = burns.map(|burn| burning(objective, burn));
        line!(yaml, "      - alert: {}{speed}", names.alert);
        line!(yaml, "        expr: '{}'", burning.join(" or "));
        line!(yaml, "        labels: {{ severity: {severity} }}");
        line!(yaml, "        annotations:");
        line!(yaml, "          summary: '{}'", summary(objective));
        line!(
            yaml,
            "          description: '{}'",
            description(objective, burns)
        );
    }
}

/// `{channel="mastodon",level="gold"}`
fn selector(objective: &Objective) -> String {
    let level = objective.measure.level();
    let level = level.map_or_else(String::new, |level| format!(",level=\"{level}\""));
    format!("{{channel=\"{}\"{level}}}", objective.channel)
}

fn burning(objective: &Objective, burn: &Burn) -> String {
    let (names, selector) = (objective.measure.names(), selector(objective));
    let threshold = rounded(burn.threshold(objective));
    let [long, short] = [burn.long, burn.short].map(|window| {
        let ratio = recorded(objective.measure.as_str(), names, window);
        format!("{ratio}{selector} > {threshold}")
    });
    format!("({long} and {short})")
}

fn budget_left(objective: &Objective) -> String {
    let (names, selector) = (objective.measure.names(), selector(objective));
    let by = names.labels.join(", ");
    let sum = |metric: &str| {
        format!(
            "sum by ({by}) (increase({metric}{selector}[{}]))",
            Unit(objective.period)
        )
    };
    let budget = rounded(objective.budget());
    format!(
        "1 - ({} / {}) / {budget}",
        sum(names.missed),
        sum(names.all)
    )
}

fn summary(objective: &Objective) -> String {
    let (what, missed) = objective.measure.names().what;
    let level = objective.measure.level();
    let level = level.map_or_else(String::new, |level| format!(" {level}"));
    let missed = missed.replace("{}", &Unit(objective.within).to_string());
    format!(
        "{}{level}: {{{{ $value | humanizePercentage }}}} of the {what} are {missed}",
        objective.channel
    )
}

fn description(objective: &Objective, burns: [&Burn; 2]) -> String {
    let (what, _) = objective.measure.names().what;
    let [sooner, later] = burns.map(|burn| {
        format!(
            "{} times as fast over {}",
            rounded(burn.factor(objective)),
            Unit(burn.long)
        )
    });
    format!(
        "At most {}% of the {what} may be, over {}. That budget burns {sooner}, or {later}, and still does.",
        rounded(objective.budget() * 100.0),
        Unit(objective.period),
    )
}
