//! The plan against itself, and against the simulation.

use scheduler_lib::store::MAX_SHARDS;

use super::{
    Demand, Measured, Plan, Prices, Transport, bill_of_a_million, bounds, break_even_jobs_per_s,
    breaks_first,
    simulation::{Course, Outage, Seen, simulate},
};
use crate::{figure::Figure, report::Figures};

/// Jobs every two minutes: as many as fit into a short test.
pub(super) fn demand() -> Demand {
    Demand {
        interval_s: 120.0,
        context_bytes: 200.0,
        poll_ms: 200.0,
        poll_spread: 1.0,
        events: 0.1,
        event_bytes: 1_000.0,
        transport: Transport::Sqs,
        head_room: 0.3,
        round_trip_ms: 0.5,
        sqs_call_ms: 10.0,
    }
}

/// Of no machine: round numbers.
fn measured() -> Measured {
    Measured {
        drain_us: 10.0,
        load_us: 5.0,
        settle_us: 10.0,
        queue_us: 20.0,
        scheduler_sqs_us: 40.0,
        scheduler_redis_us: 10.0,
        worker_sqs_us: 40.0,
        worker_redis_us: 10.0,
        job_bytes: 180.0,
        sqs_requests: 0.6,
    }
}

fn prices() -> Prices {
    Prices {
        sqs_per_million: 0.4,
        sqs_per_million_from_100_billion: 0.3,
        sqs_per_million_from_200_billion: 0.24,
        redis_node_per_h: 0.2,
        redis_copies: 2.0,
        core_per_h: 0.05,
        broker_per_h: 0.2,
    }
}

fn seen(plan: &Plan, demand: &Demand, seed: u64, outage: Outage) -> Seen {
    let course = Course {
        seed,
        seconds: 120.0,
        outage,
    };
    simulate(plan, demand, &measured(), course)
}

#[test]
fn a_plan_is_what_arithmetic_says() {
    let plan = Plan::of(100_000.0, &demand(), &measured());
    // 2.5 masters' time, of which seven tenths may be used.
    assert_eq!(plan.masters, 4.0);
    assert_eq!(plan.shards, 12.0);
    assert!((plan.master_use - 0.625).abs() < 1e-9);
    assert_eq!(plan.schedulers, 3.0);
    assert_eq!(plan.permits, 28_572.0);
    assert!((plan.sqs_per_s - 60_000.0).abs() < 1e-6);
    assert!((plan.in_flight - 21_000.0).abs() < 1e-6);
    assert_eq!(plan.work_queues, 1.0);
}

#[test]
fn no_channel_has_more_shards_or_messages_in_flight_than_it_may() {
    for transport in [Transport::Sqs, Transport::Redis] {
        let demand = Demand {
            transport,
            ..demand()
        };
        for exponent in 3..8 {
            let plan = Plan::of(10f64.powi(exponent), &demand, &measured());
            assert!(plan.shards / plan.channels <= MAX_SHARDS as f64, "{plan:?}");
            assert!(plan.shards >= plan.masters, "{plan:?}");
            assert!(
                plan.in_flight / plan.work_queues <= 120_000.0 || transport == Transport::Redis
            );
            assert!(
                plan.master_use <= 0.7 && plan.scheduler_use <= 0.7,
                "{plan:?}"
            );
        }
    }
}

#[test]
fn the_plan_for_a_million_jobs_a_second_is_in_time_and_used_as_it_says() {
    let demand = demand();
    let plan = Plan::of(1e6, &demand, &measured());
    let seen = seen(&plan, &demand, 1, Outage::None);
    assert!(seen.lateness_p99_s <= 1.0, "{seen:?}");
    assert!((seen.jobs_per_s / 1e6 - 1.0).abs() < 0.02, "{seen:?}");
    let with_spare = plan.schedulers / (plan.schedulers + plan.spare_schedulers);
    let workers = 40.0 / plan.worker_cores;
    for (found, planned) in [
        (seen.master_use, plan.master_use),
        (seen.scheduler_use, plan.scheduler_use * with_spare),
        (seen.worker_use, workers),
        (seen.permit_use, 200_000.0 / plan.permits),
    ] {
        assert!(
            (found - planned).abs() < 0.03,
            "{found} of {planned}: {seen:?}"
        );
    }
    assert!(seen.fullest_slot < 1.03, "{seen:?}");
}

#[test]
fn with_a_tenth_less_of_anything_and_no_head_room_jobs_are_late() {
    let demand = Demand {
        head_room: 0.0,
        ..demand()
    };
    let enough = Plan {
        spare_schedulers: 0.0,
        ..Plan::of(200_000.0, &demand, &measured())
    };
    let less = |part: f64| (part * 0.9).floor();
    let shorter = [
        Plan {
            masters: less(enough.masters),
            ..enough.clone()
        },
        Plan {
            schedulers: less(enough.schedulers),
            ..enough.clone()
        },
        Plan {
            worker_cores: less(enough.worker_cores),
            ..enough.clone()
        },
        Plan {
            permits: less(enough.permits),
            ..enough
        },
    ];
    for plan in shorter {
        let seen = seen(&plan, &demand, 2, Outage::None);
        assert!(seen.lateness_p99_s > 1.0, "{plan:?} {seen:?}");
    }
}

#[test]
fn a_master_that_was_away_for_a_minute_catches_up_as_its_head_room_lets_it() {
    let demand = demand();
    let plan = Plan::of(100_000.0, &demand, &measured());
    let outage = Outage::Master {
        at_s: 30.0,
        for_s: 60.0,
    };
    let course = Course {
        seed: 3,
        seconds: 300.0,
        outage,
    };
    let seen = simulate(&plan, &demand, &measured(), course);
    // What was missed is done beside what comes.
    let expected = 60.0 * plan.master_use / (1.0 - plan.master_use);
    assert!(
        (0.8..1.3).contains(&(seen.catch_up_s / expected)),
        "{expected} {seen:?}"
    );
    assert!(seen.lateness_max_s > 59.0, "{seen:?}");
}

#[test]
fn a_scheduler_that_fails_leaves_only_its_last_chunks_late() {
    let demand = demand();
    let plan = Plan::of(100_000.0, &demand, &measured());
    let outage = Outage::Scheduler {
        at_s: 30.0,
        for_s: 60.0,
    };
    let seen = seen(&plan, &demand, 4, outage);
    assert!(seen.lateness_p99_s <= 1.0, "{seen:?}");
    assert!((29.0..32.0).contains(&seen.lateness_max_s), "{seen:?}");
    assert_eq!(seen.catch_up_s, 0.0, "{seen:?}");
}

#[test]
fn one_seed_is_one_run() {
    let demand = demand();
    let plan = Plan::of(10_000.0, &demand, &measured());
    let run = |seed| seen(&plan, &demand, seed, Outage::None);
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn what_breaks_first_comes_first() {
    let bounds = bounds(&demand(), &measured());
    assert!(bounds.is_sorted_by(|one, other| one.jobs_per_s <= other.jobs_per_s));
    assert_eq!(bounds[0].jobs_per_s, 5_000.0);
    let master = bounds
        .iter()
        .find(|bound| bound.what.contains("master's thread"));
    assert_eq!(master.map(|bound| bound.jobs_per_s), Some(40_000.0));
}

#[test]
fn what_a_plan_has_least_of_breaks_first_and_not_before_its_head_room_is_used() {
    let (demand, measured) = (demand(), measured());
    let plan = Plan::of(100_000.0, &demand, &measured);
    let (_, jobs_per_s) = breaks_first(&plan, &demand, &measured);
    assert!((142_000.0..143_000.0).contains(&jobs_per_s), "{jobs_per_s}");
    let few = Plan {
        permits: 22_000.0,
        ..plan
    };
    assert_eq!(
        breaks_first(&few, &demand, &measured),
        ("permits", 110_000.0)
    );
}

#[test]
fn a_million_jobs_a_minute_pay_for_the_requests_they_make() {
    let demand = Demand {
        interval_s: 60.0,
        ..demand()
    };
    let full = bill_of_a_million(&demand, 10.0, &measured(), &prices());
    // 16,667 a second, 0.6 requests each, 2,628,000 seconds, 40 cents a million.
    assert!((full.sqs - 10_512.0).abs() < 1.0, "{full:?}");
    let single = bill_of_a_million(&demand, 1.0, &measured(), &prices());
    // 262.8 billion: those beyond 100 and 200 billion cost less.
    assert!(
        (single.sqs - 40_000.0 - 30_000.0 - 15_072.0).abs() < 1.0,
        "{single:?}"
    );
}

#[test]
fn a_redis_for_queues_costs_as_much_as_sqs_where_it_says() {
    let rate = break_even_jobs_per_s(10.0, &prices());
    let requests = rate * 0.6 * 730.0 * 3600.0;
    assert!((prices().sqs(requests) - prices().redis_master()).abs() < 1e-6);
}

#[test]
fn a_figure_that_is_missing_is_named_with_what_measures_it() {
    let error = Measured::from_figures(&Figures::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`store/redis` was not measured: dev/bench redis"
    );
}

#[test]
fn costs_come_from_the_figures() {
    let figure = |name: &str, value| Figure::new(name, value, "");
    let mut figures = Figures::default();
    figures.extend([
        figure("store/redis", 50_000.0)
            .with("drain_per_s", 100_000.0)
            .with("load_per_s", 200_000.0)
            .with("settle_per_s", 100_000.0),
        figure("cycle/streams", 20_000.0).with("cpu_us_per_job", 30.0),
        figure("cycle/servers", 5_000.0).with("cpu_us_per_job", 100.0),
        figure("memory/redis", 170.0),
        figure("sqs/requests-per-job", 0.62),
    ]);
    let measured = Measured::from_figures(&figures).unwrap();
    assert!((measured.store_us() - 25.0).abs() < 1e-9);
    assert!((measured.queue_us - 25.0).abs() < 1e-9);
    assert_eq!(measured.scheduler_us(Transport::Redis), 15.0);
    assert_eq!(measured.worker_us(Transport::Sqs), 50.0);
}
