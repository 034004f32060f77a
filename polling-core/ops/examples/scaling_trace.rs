//! Scales workers over real load, and prints what it costs beside a clairvoyant.
//!
//! `cargo run --release -p polling-ops --features scaling --example scaling_trace`

#[path = "../tests/scaling/cases.rs"]
mod cases;
#[path = "../tests/scaling/load.rs"]
#[allow(dead_code)]
mod load;
#[path = "../tests/scaling/world.rs"]
#[allow(dead_code)]
mod world;

#[allow(clippy::print_stdout)]
fn main() {
    println!(
        "| trace | case | jobs | backlog's age p99, s | wait p99, s | worker-min | over the clairvoyant | workers | changes an hour |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---|---:|");
    for trace in cases::TRACES {
        let load = cases::load(trace);
        for (case, world) in cases::cases() {
            let outcome = world.run(&load);
            let decided = outcome.decided.iter().skip(60);
            let hours = load.seconds() as f64 / 3600.0;
            println!(
                "| {trace} | {case} | {} | {} | {} | {} | {:.2} | {} to {} | {:.1} |",
                load.jobs(),
                outcome.p99_age_s(),
                outcome.p99_wait_s(),
                outcome.worker_s / 60,
                outcome.over_clairvoyant(),
                decided.clone().min().unwrap_or(&0),
                decided.max().unwrap_or(&0),
                outcome.changes_after(0) as f64 / hours,
            );
        }
    }
}
