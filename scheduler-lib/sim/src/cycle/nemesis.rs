//! The faults that strike by the clock, not by the call.

use std::{ops::Range, sync::Arc, time::Duration};

use polling_transport::Queue;
use tokio::time::sleep;

use super::{
    faults::Fault,
    operator::{account, exponential},
    scenario::{Outage, Role},
    stage::{Live, MAX_WORKER_SKEW_MS, Stage},
};

/// Kinds whose rate is per hour.
const TIMED: [Fault; 7] = [
    Fault::Kill,
    Fault::Restart,
    Fault::Stall,
    Fault::ClockJump,
    Fault::Rollback,
    Fault::Poison,
    Fault::Garbage,
];

/// Strikes until the faults stop, each kind at its rate.
pub(crate) fn start(stage: &Arc<Stage>) {
    if let Some(outage) = stage.scenario.outage {
        tokio::spawn(strike_all(Arc::clone(stage), outage));
    }
    for fault in TIMED {
        let per_h = stage.faults.rates().of(fault);
        if per_h > 0.0 {
            tokio::spawn(strike_again(Arc::clone(stage), fault, per_h));
        }
    }
}

async fn strike_all(stage: Arc<Stage>, outage: Outage) {
    sleep(outage.from).await;
    let down = format!("{:?} are gone for {:?}", outage.roles, outage.lasting);
    stage.trace.line(|| format!("fault outage: {down}"));
    let struck = |live: &&Live| outage.roles.contains(&live.role);
    for live in stage.cast().iter().filter(struck) {
        live.process.die();
    }
}

async fn strike_again(stage: Arc<Stage>, fault: Fault, per_h: f64) {
    loop {
        sleep(exponential(stage.faults.generator(), per_h)).await;
        if stage.faults.healed.is_cancelled() {
            return;
        }
        strike(&stage, fault).await;
    }
}

async fn strike(stage: &Arc<Stage>, fault: Fault) {
    let generator = stage.faults.generator();
    let live = any(stage);
    let name = &live.process.name;
    match fault {
        Fault::Kill => {
            stage.count(fault, || name.clone());
            live.process.die();
        }
        Fault::Restart => {
            stage.count(fault, || name.clone());
            live.shutdown.cancel();
        }
        Fault::Stall => {
            let Range { start, end } = stage.scenario.stall_ms;
            let lasting = Duration::from_millis(start + generator.below(end - start));
            stage.count(fault, || format!("{name} for {lasting:?}"));
            live.process.stall(lasting);
        }
        Fault::ClockJump => jump(stage, &live).await,
        Fault::Rollback => roll_back(stage).await,
        Fault::Poison => {
            let account = account(generator.below(stage.scenario.jobs));
            let kills = stage.faults.toss();
            let lasting_ms = 60_000 + generator.below(1_800_000) as i64;
            stage
                .trace
                .line(|| format!("fault poison: {account} for {lasting_ms} ms, kills: {kills}"));
            stage.channel.poison(account, lasting_ms, kills);
        }
        _ => garbage(stage).await,
    }
}

fn any(stage: &Stage) -> Live {
    let cast = stage.cast();
    let at = stage.faults.generator().below(cast.len() as u64);
    cast[at as usize].clone()
}

/// Off by some seconds, or by hours where the store refuses such clocks; after some minutes right
/// again.
async fn jump(stage: &Stage, live: &Live) {
    let generator = stage.faults.generator();
    let most_ms = match live.role {
        Role::Worker => MAX_WORKER_SKEW_MS,
        Role::Scheduler if stage.faults.toss() => 1_900,
        Role::Scheduler => 7_200_000,
    };
    let skew_ms = generator.below(2 * most_ms as u64) as i64 - most_ms;
    stage.count(Fault::ClockJump, || {
        format!("{} by {skew_ms} ms", live.process.name)
    });
    live.process.set_skew_ms(skew_ms);
    stage.renewed(live.role);
    let lasting = Duration::from_millis(generator.below(600_000));
    tokio::select! {
        biased;
        () = stage.faults.healed.cancelled() => {}
        () = sleep(lasting) => {}
    }
    live.process.set_skew_ms(0);
    stage.renewed(live.role);
}

/// The store, and the oracle's view of its history, as they were up to a minute ago.
async fn roll_back(stage: &Stage) {
    let (snapshot, history) = (stage.store.inner.snapshot(), stage.oracle.history());
    let lost = Duration::from_millis(stage.faults.generator().below(60_000));
    sleep(lost).await;
    if stage.faults.healed.is_cancelled() {
        return;
    }
    stage.count(Fault::Rollback, || format!("by {lost:?}"));
    stage.store.inner.restore(&snapshot);
    stage.oracle.rolled_back(history);
}

/// Past the oracle: these bytes are nobody's message.
async fn garbage(stage: &Stage) {
    let queue = if stage.faults.toss() {
        &stage.work
    } else {
        &stage.completed
    };
    let body = match stage.faults.generator().below(3) {
        0 => "{\"v\":2,\"id\":\"of a later version\"}",
        1 => "[[[[[[",
        _ => "no job",
    };
    stage.count(Fault::Garbage, || format!("{body} on {}", queue.name()));
    queue.inner.send(vec![body.to_owned()]).await;
}
