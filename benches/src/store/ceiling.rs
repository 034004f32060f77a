//! The ceiling of the store on Redis: its very commands, sent by a client that does nothing else.

use std::{pin::pin, time::Duration};

use anyhow::Context as _;
use futures_util::future::{Either, select};
use tokio::time::sleep;

use super::{
    Phases, Plan,
    redis::{SEED, Times, open},
};
use crate::{
    jobs,
    redis_server::{Commands, Recorder, RedisServer, Replay},
};

/// How often it is looked whether all commands are taken down.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// On an empty server, which is full afterwards.
pub(super) async fn measure(server: &mut RedisServer, plan: &Plan) -> anyhow::Result<Times> {
    let recorder = Recorder::start(server.host_port()?).await?;
    let store = open(&recorder.url(), plan).await?;
    let mut phases = Phases::new(plan.clone(), store, SEED);
    let opened = recorder.take();
    phases.register().await?;
    let registered = recorder.take();
    phases.drain(1).await?;
    let drained = recorder.take();

    // The same store once more: its identity was among the commands.
    server.empty().await?;
    let address = server.host_port()?;
    Replay::connect(&address, 1).await?.run(&opened).await?;
    let mut registering = Replay::connect(&address, jobs::REGISTERING).await?;
    let register_s = registering.run(&registered).await?.as_secs_f64();
    let mut replay = Replay::connect(&address, plan.tasks).await?;
    let drain_s = replay.run(&drained).await?.as_secs_f64();
    // Which jobs came together is Redis's choice, and what follows names them.
    phases.find_drained(1).await?;
    drop(recorder.take());
    phases.set_tasks(phases.chunk_count());
    let sent = take_down(&recorder, phases.chunk_count(), phases.sent()).await?;
    let settled = take_down(&recorder, phases.chunk_count(), phases.settle(1)).await?;
    let sent_s = replay.run(&sent).await?.as_secs_f64();
    let settle_s = replay.run(&settled).await?.as_secs_f64();
    Ok(Times {
        register_s,
        drain_s: drain_s + sent_s,
        settle_s,
        load_s: 0.0,
    })
}

/// What `step` would send: so many commands, none of which is answered.
async fn take_down(
    recorder: &Recorder,
    commands: usize,
    step: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<Commands> {
    recorder.hold(true);
    let complete = async {
        while recorder.len() < commands {
            sleep(LOOK_EVERY).await;
        }
    };
    let ended = match select(pin!(step), pin!(complete)).await {
        Either::Left((ended, _)) => ended.context("while commands were taken down"),
        Either::Right(((), _)) => Ok(()),
    };
    recorder.hold(false);
    ended.map(|()| recorder.take())
}
