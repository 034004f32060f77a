//! One run: faults for some time, then healing, then the questions of liveness.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use polling_model::{Clock, JobId};
use scheduler_lib::{
    SlotStore,
    store::{Hold, JobRecord, Place},
};
use tokio::time::sleep;

use super::{
    channel, cost,
    faults::FaultCounts,
    measures::Measures,
    nemesis,
    operator::{self, Operator},
    property::{Property, Violation},
    scenario::Scenario,
    stage::Stage,
    watched::since,
};

/// What came of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Simulated minutes, healing included.
    pub minutes: u64,
    /// Faults by kind.
    pub faults: FaultCounts,
    /// What it amounted to.
    pub measures: Measures,
    /// The first promise that was not kept.
    pub violation: Option<Violation>,
    /// What happened, line by line; empty unless asked for.
    pub trace: String,
}

/// Runs a scenario on a runtime of its own, whose time is simulated.
///
/// # Panics
///
/// When the operating system cannot give what a runtime needs.
#[must_use]
pub fn run(scenario: Scenario, traced: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without threads and sockets needs nothing");
    runtime.block_on(async {
        let stage = Stage::new(scenario, traced);
        tokio::select! {
            biased;
            () = stage.oracle.stopped.cancelled() => {}
            () = all_acts(&stage) => {}
        }
        outcome(&stage)
    })
}

fn outcome(stage: &Stage) -> Outcome {
    Outcome {
        minutes: stage.trace.elapsed_ms().unsigned_abs().div_ceil(60_000),
        faults: stage.faults.counts(),
        measures: stage.oracle.measures(),
        violation: stage.oracle.violation(),
        trace: stage.trace.take(),
    }
}

async fn all_acts(stage: &Arc<Stage>) {
    let scenario = &stage.scenario;
    stage.start();
    nemesis::start(stage);
    let operator = Operator::new(stage);
    let operating = async {
        operator.register_all().await;
        operator.edit_until_healed().await;
    };
    tokio::select! {
        biased;
        () = operating => {}
        () = sleep(Duration::from_secs(scenario.minutes * 60)) => {}
    }
    let left_ms = (scenario.minutes * 60_000) as i64 - stage.trace.elapsed_ms();
    sleep(Duration::from_millis(left_ms.max(0).unsigned_abs())).await;
    let healed = heal(stage).await;
    sleep(scenario.healing()).await;
    judge(stage, healed).await;
}

/// What the world was like when the faults stopped.
struct Healed {
    at_ms: i64,
    /// The jobs registered, with the posts that their accounts had.
    jobs: BTreeMap<JobId, u64>,
}

async fn heal(stage: &Stage) -> Healed {
    stage.trace.line(|| "the faults stop".to_owned());
    stage.faults.healed.cancel();
    for live in stage.cast().iter() {
        live.process.set_skew_ms(0);
        live.process.stall(Duration::ZERO);
    }
    operator::resume_all(stage, &stage.registry()).await;
    let mut jobs = BTreeMap::new();
    for_each_job(stage, |job| {
        let posts = stage.channel.posts(&job.state.account);
        jobs.insert(job.id, posts);
    })
    .await;
    Healed {
        at_ms: stage.clock.now_ms(),
        jobs,
    }
}

async fn for_each_job(stage: &Stage, mut each: impl FnMut(JobRecord)) {
    let mut from = None;
    while let Ok(page) = stage.store.list(from.as_ref(), 1_000).await {
        page.records.into_iter().for_each(&mut each);
        from = page.next;
        if from.is_none() {
            return;
        }
    }
}

async fn judge(stage: &Stage, mut healed: Healed) {
    stage.trace.line(|| "the judgement".to_owned());
    let mut jobs = std::mem::take(&mut healed.jobs);
    for_each_job(stage, |job| {
        if let Some(posts) = jobs.remove(&job.id) {
            judge_job(stage, &healed, &job, posts);
        }
    })
    .await;
    for gone in jobs.keys() {
        let detail = "its record is gone though nobody removed it".to_owned();
        stage
            .oracle
            .violated(Property::Conserved, Some(gone), detail);
    }
    judge_queues(stage, &healed).await;
    judge_cost(stage).await;
}

fn judge_job(stage: &Stage, healed: &Healed, job: &JobRecord, posts: u64) {
    match job.state.place {
        // Strikes of before may hold a job once more.
        Place::Held(Hold::Quarantined) => {
            stage.oracle.measure(|measures| measures.quarantined += 1);
            return;
        }
        // So may a context that grew before; any other hold is nobody's doing.
        Place::Held(Hold::Refused) if grown(job) => return,
        _ => {}
    }
    if job.state.settled_ms <= healed.at_ms {
        let detail = format!(
            "not settled for {} minutes after the faults stopped; its record is {:?}",
            (stage.clock.now_ms() - healed.at_ms) / 60_000,
            job.state
        );
        stage
            .oracle
            .violated(Property::PolledAgain, Some(&job.id), detail);
    }
    let account = channel::account_of(&job.id);
    let through = stage.oracle.delivered_through(&account);
    let needed = posts.max(since(&job.context));
    if through < needed {
        let detail = format!("its events are on the bus up to {through}, there were {needed}");
        stage
            .oracle
            .violated(Property::NothingSkipped, Some(&job.id), detail);
    }
}

/// Whether its work queue is right to refuse it.
fn grown(job: &JobRecord) -> bool {
    job.context.size_bytes() > channel::SMALL_MESSAGE_SIZE_BYTES
}

async fn judge_queues(stage: &Stage, healed: &Healed) {
    for queue in [&stage.work, &stage.completed, &stage.dead_letter] {
        for message in queue.inner.messages() {
            if message.sent_ms < healed.at_ms {
                let detail = format!("queue holds {message:?} from before");
                stage.oracle.violated(Property::Emptied, None, detail);
            }
        }
    }
    if let Ok(counts) = stage.store.counts().await
        && counts.open_notes > 0
    {
        let detail = format!("{} notes are open", counts.open_notes);
        stage.oracle.violated(Property::Emptied, None, detail);
    }
}

/// Polls that are under way, or wait to be settled, are not wasted yet.
async fn judge_cost(stage: &Stage) {
    let Ok(counts) = stage.store.counts().await else {
        return;
    };
    let wasted = stage.oracle.measures().wasted;
    let allowed = cost::allowed(&stage.faults.counts(), stage.edits(), &stage.scenario);
    if wasted > allowed + counts.in_flight {
        let detail = format!("{wasted} polls were wasted, the faults explain {allowed}");
        stage.oracle.violated(Property::Economical, None, detail);
    }
}
