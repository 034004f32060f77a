//! Every named scenario in its small size, and what the command line makes of them. The full sizes:
//! `cargo run --release -p cycle-sim -- --scenario all`.
#![allow(clippy::unwrap_used)]

use std::{num::NonZeroUsize, process::Command};

use cycle_sim::cycle::{
    named::{ALL, Named},
    shrink,
};

fn assert_met(name: &str) {
    let named = Named::find(name).unwrap();
    let campaign = named.campaign(named.small, 5, NonZeroUsize::MIN);
    let report = named.run(campaign, |_| ());
    if let Some(failed) = report.totals.failed.first() {
        panic!("{}", shrink(&report.campaign, failed));
    }
    let figures: Vec<_> = report.figures.iter().map(ToString::to_string).collect();
    assert!(report.is_met(), "{name}: {}", figures.join("; "));
}

macro_rules! scenarios {
    ($($test:ident: $name:literal;)*) => {
        $(
            #[test]
            fn $test() {
                assert_met($name);
            }
        )*

        #[test]
        fn each_scenario_has_a_test() {
            let listed: Vec<_> = ALL.iter().map(|named| named.name).collect();
            assert_eq!(listed, [$($name),*]);
        }
    };
}

scenarios! {
    schedulers_gone_for_a_minute_catch_up_once: "scheduler-down-1m";
    schedulers_gone_for_an_hour_catch_up_once: "scheduler-down-1h";
    schedulers_gone_for_longer_than_the_ring_catch_up_once: "scheduler-down-25h";
    schedulers_gone_for_eight_days_catch_up_once: "scheduler-down-8d";
    an_outage_of_six_hours_costs_one_poll_each: "outage-6h-million";
    workers_off_for_three_leases_cost_no_second_poll: "workers-off-three-leases";
    a_throttle_punishes_and_starves_no_job: "throttle-10000";
    midnight_changes_no_count: "midnight";
    an_interval_as_long_as_the_ring_is_kept: "interval-24h";
    an_interval_as_short_as_a_slot_is_kept: "interval-one-slot";
    a_leap_day_changes_no_count: "leap-day";
    a_full_slot_is_drained_under_its_cap: "million-in-one-slot";
    five_schedulers_share_the_work: "five-schedulers";
    a_stall_longer_than_the_lease_loses_nothing: "stall-longer-than-lease";
    duplicates_change_nothing: "duplicates";
    stale_receipts_change_nothing: "stale-receipts";
    partial_batches_lose_nothing: "partial-batches";
    delivery_after_delete_changes_nothing: "delivery-after-delete";
    reordering_changes_nothing: "reordering";
    a_rollback_of_the_store_loses_nothing: "rollback";
    skewed_clocks_lose_nothing: "skewed-clocks";
    edits_in_between_lose_nothing: "registrations-concurrent";
    contexts_that_grow_too_large_lose_nothing: "oversize-context";
}

fn cycle_sim(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cycle-sim"))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), text)
}

#[test]
fn the_list_has_a_line_for_each() {
    let (success, text) = cycle_sim(&["--list"]);
    assert!(success);
    assert_eq!(text.lines().count(), ALL.len());
}

#[test]
fn a_report_is_one_object() {
    let arguments = ["--scenario", "reordering", "--scenario", "midnight"];
    let (success, text) = cycle_sim(&[&arguments[..], &["--small", "--json"]].concat());
    assert!(success, "{text}");
    let report: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(report["met"], true);
    let names: Vec<_> = report["scenarios"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["midnight", "reordering"]);
}

#[test]
fn a_run_ends_with_its_counts() {
    let (success, text) = cycle_sim(&["--minutes", "30", "--jobs", "10", "--json"]);
    assert!(success, "{text}");
    assert!(text.starts_with("seeds "), "{text}");
    let counts: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    for key in [
        "minutes",
        "faults",
        "lost",
        "forked",
        "repairs",
        "times_real_time",
    ] {
        assert!(!counts[key].is_null(), "no {key} in {text}");
    }
}
