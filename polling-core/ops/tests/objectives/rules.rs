//! What the rules say, and which objectives have some.

use std::time::Duration;

use polling_ops::objectives::{Measure, Objective, rules};

use super::{lateness, objective, staleness};

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}

#[test]
fn thresholds_are_those_of_the_workbook_times_the_budget() {
    let yaml = rules(&[staleness()]);
    let ratio = |window: &str, threshold: &str| {
        format!(
            "channel_level:polling_staleness_missed:ratio_rate{window}{{channel=\"mastodon\",level=\"gold\"}} > {threshold}"
        )
    };
    for (long, short, threshold) in [
        ("1h", "5m", "0.144"),
        ("6h", "30m", "0.06"),
        ("1d", "2h", "0.03"),
        ("3d", "6h", "0.01"),
    ] {
        let burning = format!(
            "({} and {})",
            ratio(long, threshold),
            ratio(short, threshold)
        );
        assert!(yaml.contains(&burning), "{burning}\n{yaml}");
    }
}

#[test]
fn factors_follow_the_period() {
    let objective = Objective {
        period: days(60),
        share: 0.999,
        ..lateness()
    };
    let yaml = rules(&[objective]);
    assert!(
        yaml.contains("ratio_rate1h{channel=\"mastodon\"} > 0.0288 and"),
        "{yaml}"
    );
    assert!(yaml.contains("[60d]"), "{yaml}");
    assert!(
        yaml.contains("burns 28.8 times as fast over 1h, or 12 times as fast over 6h"),
        "{yaml}"
    );
}

#[test]
fn the_shares_of_misses_are_recorded_once_for_all_objectives_of_a_measure() {
    let silver = objective(
        Measure::Staleness {
            level: "silver".parse().unwrap(),
        },
        900,
    );
    let yaml = rules(&[staleness(), silver, lateness()]);
    let count = |text: &str| yaml.matches(text).count();
    assert_eq!(
        count("record: channel_level:polling_staleness_missed:ratio_rate1h"),
        1
    );
    assert_eq!(
        count("record: channel:polling_lateness_missed:ratio_rate1h"),
        1
    );
    assert_eq!(count("severity: page"), 3);
    assert_eq!(count("severity: ticket"), 3);
}

#[test]
fn an_objective_is_told_in_words() {
    assert_eq!(
        staleness().to_string(),
        "mastodon gold: 99% of the events published within 5m, over 30d"
    );
    let late = Objective {
        share: 0.999,
        within: Duration::from_millis(1_500),
        ..lateness()
    };
    assert_eq!(
        late.to_string(),
        "mastodon: 99.9% of the jobs sent within 1500ms, over 30d"
    );
}

#[test]
fn an_objective_whose_alert_could_never_fire_is_refused() {
    let refused = |objective: Objective| objective.validate().unwrap_err().field;
    assert_eq!(staleness().validate(), Ok(()));
    assert_eq!(
        Objective {
            share: 0.931,
            ..staleness()
        }
        .validate(),
        Ok(())
    );
    for share in [0.93, 1.0, 1.5, 0.0, -1.0, f64::NAN] {
        assert_eq!(
            refused(Objective {
                share,
                ..staleness()
            }),
            "share",
            "{share}"
        );
    }
    // What burns 43 times as fast would be more than all.
    assert_eq!(
        refused(Objective {
            share: 0.97,
            period: days(90),
            ..staleness()
        }),
        "share"
    );
    assert_eq!(
        refused(Objective {
            period: days(7),
            ..staleness()
        }),
        "period"
    );
    assert_eq!(
        refused(Objective {
            within: Duration::ZERO,
            ..staleness()
        }),
        "within"
    );
}
