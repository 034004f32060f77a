//! Worlds that workers are scaled in, over real traces.

use std::{path::PathBuf, time::Duration};

use polling_ops::scaling::ScalingRules;

use super::{load::Load, world::World};

/// The traces.
pub(crate) const TRACES: [&str; 2] = ["a-fold28-x10", "b-fold28-x10"];

/// Each account stands for so many.
const COPIES: usize = 10;

/// What a trace makes a scheduler dispatch.
pub(crate) fn load(trace: &str) -> Load {
    let folder = "../../scheduler-lib/replay/traces";
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    Load::of_trace(&file.join(format!("{trace}.csv.gz")), COPIES)
}

/// Workers that take 30 s to start, with two jobs of 4 s at once; the backlog is to be no older than 60 s.
pub(crate) fn world() -> World {
    World {
        rules: ScalingRules {
            max: 100,
            objective: Duration::from_secs(60),
            start: Duration::from_secs(30),
            rate_per_s: 0.5,
            concurrency: 2,
            ..ScalingRules::default()
        },
        start_s: 30,
        job_s: 4,
        every_s: 10,
        looks_ahead: true,
        foreseen_percent: 100,
        tells_age: true,
    }
}

/// By name: what the scaler knows, and what it is wrong about.
pub(crate) fn cases() -> [(&'static str, World); 7] {
    let usual = world();
    let with = |change: fn(&mut World)| {
        let mut world = usual.clone();
        change(&mut world);
        world
    };
    [
        ("as it is meant", usual.clone()),
        (
            "one job of four comes unforeseen",
            with(|world| world.foreseen_percent = 75),
        ),
        (
            "the same, and the queue tells no age (SQS)",
            with(|world| {
                world.foreseen_percent = 75;
                world.tells_age = false;
            }),
        ),
        (
            "workers do half of what is believed",
            with(|world| world.rules.rate_per_s = 1.0),
        ),
        (
            "workers do twice what is believed",
            with(|world| world.rules.rate_per_s = 0.25),
        ),
        (
            "workers take 45 s to start",
            with(|world| world.start_s = 45),
        ),
        (
            "no look-ahead, arrivals counted",
            with(|world| world.looks_ahead = false),
        ),
    ]
}
