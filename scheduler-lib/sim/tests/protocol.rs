//! The right protocol holds, each mistake fails in its known way, and the page tells both.

use cycle_sim::protocol::{Bounds, Property, Report, Search, Variant, liveness, page};

fn search(variant: Variant, bounds: Bounds) -> Report {
    Search {
        variant,
        bounds,
        max_states: u64::MAX,
        threads: 2,
    }
    .run(|_| ())
}

fn assert_holds(bounds: Bounds, at_least_states: u64) {
    let report = search(Variant::Right, bounds);
    if let Some(failure) = report.counter_examples.first() {
        panic!("the right protocol fails:\n{failure}");
    }
    assert!(report.whole);
    assert!(
        report.reached.states >= at_least_states,
        "only {} states: has a step gone?",
        report.reached.states
    );
}

#[test]
fn the_right_protocol_holds_through_a_rollback() {
    let bounds = Bounds {
        edits: 0,
        ..Bounds::of_one_job()
    };
    assert_holds(bounds, 890_000);
}

#[test]
fn the_right_protocol_holds_through_an_edit() {
    let bounds = Bounds {
        rollbacks: 0,
        ..Bounds::of_one_job()
    };
    assert_holds(bounds, 600_000);
}

#[test]
fn the_right_protocol_holds_through_three_dispatches() {
    let bounds = Bounds {
        dispatches: 3,
        rollbacks: 0,
        edits: 0,
        ..Bounds::of_one_job()
    };
    assert_holds(bounds, 1_500_000);
}

#[test]
fn the_right_protocol_holds_for_two_jobs_in_every_order() {
    let bounds = Bounds {
        jobs: 2,
        dispatches: 1,
        schedulers: 1,
        edits: 0,
        every_order: true,
        ..Bounds::of_one_job()
    };
    assert_holds(bounds, 10_000);
}

/// Sparing orders of a worker's steps hides no failure: with all of them, or with few, the right
/// protocol holds and each mistake is found.
#[test]
fn a_worker_that_does_all_at_once_hides_nothing() {
    for variant in Variant::ALL {
        for every_order in [false, true] {
            let bounds = Bounds {
                every_order,
                schedulers: 1,
                ..page::bounds_of(variant)
            };
            let report = search(variant, bounds);
            assert!(report.is_as_expected(), "{variant}, {every_order}");
        }
    }
}

#[test]
fn each_mistake_fails_in_its_shortest_way() {
    let found = |variant: &Variant| {
        let failures = page::shortest(*variant).into_iter();
        let lengths = failures.map(|failure| (failure.property, failure.steps.len()));
        (*variant, lengths.collect::<Vec<_>>())
    };
    let found: Vec<_> = Variant::ALL[1..].iter().map(found).collect();
    assert_eq!(
        found,
        [
            (
                Variant::PopThenSend,
                vec![(Property::NeverLost, 2), (Property::NeverForked, 9)]
            ),
            (Variant::LeaseWithoutToken, vec![(Property::NeverForked, 9)]),
            (Variant::GenerationOnly, vec![(Property::NeverForked, 10)]),
            (
                Variant::RescheduleFromMessage,
                vec![(Property::NeverLost, 8), (Property::EditsKept, 8)]
            ),
            (Variant::WithoutRevision, vec![(Property::EditsKept, 8)]),
            (Variant::AckFirst, vec![(Property::NeverEarlyAcked, 4)]),
        ]
    );
}

/// Without a rollback a generation is as good as a nonce.
#[test]
fn only_a_rollback_needs_the_nonce() {
    let bounds = Bounds {
        rollbacks: 0,
        ..page::bounds_of(Variant::GenerationOnly)
    };
    let report = search(Variant::GenerationOnly, bounds);
    assert!(report.whole);
    assert!(report.counter_examples.is_empty());
}

#[test]
fn threads_change_neither_the_space_nor_a_trace() {
    for variant in [Variant::Right, Variant::GenerationOnly] {
        let run = |threads| {
            let search = Search {
                variant,
                bounds: Bounds {
                    schedulers: 1,
                    ..Bounds::of_one_job()
                },
                max_states: u64::MAX,
                threads,
            };
            let report = search.run(|_| ());
            (report.reached, report.counter_examples)
        };
        assert_eq!(run(1), run(3));
    }
}

#[test]
fn a_search_stops_at_its_limit_and_says_so() {
    let search = Search {
        variant: Variant::Right,
        bounds: Bounds::default(),
        max_states: 10_000,
        threads: 1,
    };
    let report = search.run(|_| ());
    assert!(!report.whole);
    assert!(report.reached.states >= 10_000);
}

#[test]
fn the_page_shows_what_the_model_prints() {
    const PAGE: &str = include_str!("../../../docs/protocol.md");
    let (_, rest) = PAGE
        .split_once("<!-- cargo run -p cycle-sim --bin protocol -- --page -->\n")
        .expect("the page says where the traces begin");
    let (shown, _) = rest
        .split_once("<!-- end -->")
        .expect("the page says where they end");
    assert_eq!(
        shown.trim(),
        page::traces().trim(),
        "paste into docs/protocol.md what `cargo run -p cycle-sim --bin protocol -- --page` prints"
    );
}

/// With dead letters, strikes and quarantine, through a rollback and an edit.
#[test]
fn the_right_protocol_holds_through_strikes() {
    for (rollbacks, edits) in [(1, 0), (0, 1)] {
        let bounds = Bounds {
            schedulers: 1,
            strikes: 2,
            rollbacks,
            edits,
            ..Bounds::of_one_job()
        };
        assert_holds(bounds, 50_000);
    }
}

#[test]
fn from_every_state_the_right_protocol_can_settle_without_luck() {
    let bounds = Bounds {
        schedulers: 1,
        strikes: 2,
        edits: 0,
        ..Bounds::of_one_job()
    };
    let liveness = liveness(Variant::Right, bounds);
    assert!(liveness.states > 50_000, "{liveness:?}");
    assert_eq!(liveness.stuck, 0, "{liveness:?}");
}

#[test]
fn a_job_that_was_popped_and_lost_never_settles() {
    let bounds = Bounds {
        rollbacks: 0,
        edits: 0,
        ..Bounds::of_one_job()
    };
    let liveness = liveness(Variant::PopThenSend, bounds);
    assert!(liveness.stuck > 0, "{liveness:?}");
}
