//! What is kept though nobody chose it.

use polling_model::{TraceRatio, trace::Ending};

use crate::support::{Process, config, delivery, job, trace};

/// The generations of the jobs that are exported.
async fn kept(process: Process) -> Vec<String> {
    let spans = process.stop().await.spans();
    let jobs = spans.into_iter().filter(|span| span.name == "job");
    let generation = |span: opentelemetry_sdk::trace::SpanData| {
        let mut said = span.attributes.into_iter();
        let said = said.find(|one| one.key.as_str() == "polling.generation");
        said.unwrap().value.to_string()
    };
    jobs.map(generation).collect()
}

#[tokio::test(start_paused = true)]
async fn with_a_ratio_of_0_only_failures_and_slow_ones_are_exported() {
    let process = Process::start(config(0.0));
    delivery(1, Ending::Succeeded, 10);
    delivery(2, Ending::Failed, 10);
    delivery(3, Ending::Bug, 10);
    delivery(4, Ending::PutOff, 10);
    delivery(5, Ending::Succeeded, 60_000);
    drop(job(6));
    assert_eq!(kept(process).await, ["2", "3", "5"]);
}

#[tokio::test(start_paused = true)]
async fn a_ratio_chooses_by_the_trace_alone() {
    let ratio = TraceRatio::new(0.1).unwrap();
    let process = Process::start(config(0.1));
    (0..300).for_each(|generation| delivery(generation, Ending::Succeeded, 0));
    let chosen = (0..300).filter(|generation| ratio.keeps(trace(*generation).trace_id()));
    let chosen: Vec<_> = chosen.map(|generation| generation.to_string()).collect();
    assert!(!chosen.is_empty());
    assert_eq!(kept(process).await, chosen);
}

#[tokio::test(start_paused = true)]
async fn the_mark_that_the_message_carried_goes_before_the_ratio() {
    let process = Process::start(config(1.0));
    job(1).record("sampled", false);
    job(2).record("sampled", true);
    drop(job(3));
    assert_eq!(kept(process).await, ["2", "3"]);
    let process = Process::start(config(0.0));
    job(1).record("sampled", true);
    assert_eq!(kept(process).await, ["1"]);
}
