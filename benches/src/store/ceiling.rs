//! The ceiling of the store on Redis: its very commands, sent by a client that does nothing else.

use std::{pin::pin, time::Duration};

use anyhow::Context as _;
use futures_util::future::{Either, select};
use scheduler_lib::store::MAX_CHUNK;
use tokio::time::sleep;

use super::{
    Phases, Plan, benchmark,
    redis::{SEED, Times, open},
};
use crate::{
    jobs,
    redis_server::{Commands, Recorder, RedisServer, Replay},
};

/// Commands at once, or connections of Redis's benchmark.
const WINDOW: usize = 4;

/// How often it is looked whether all commands are taken down.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// On an empty server, which is full afterwards.
pub(super) async fn measure(server: &mut RedisServer, plan: &Plan) -> anyhow::Result<Times> {
    let recorder = Recorder::start(server.host_port()?).await?;
    let store = open(&recorder.url(), plan, jobs::channel()).await?;
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

/// The commands of one cycle of all jobs, to be sent beside other work. What they are about is on
/// the server.
#[derive(Debug)]
pub struct Prepared {
    drained: Commands,
    sent: Commands,
    loaded: Commands,
    settled: Commands,
}

impl Prepared {
    /// Fills an empty server with two stores: one whose jobs are due, and one where they are
    /// drained.
    ///
    /// # Errors
    ///
    /// The server's.
    pub async fn new(server: &RedisServer, plan: &Plan) -> anyhow::Result<Self> {
        load_scripts(server, plan).await?;
        let recorder = Recorder::start(server.host_port()?).await?;
        let store = open(&recorder.url(), plan, jobs::channel()).await?;
        let mut phases = Phases::new(plan.clone(), store, SEED);
        phases.register().await?;
        phases.drain(1).await?;
        let chunks = phases.chunk_count();
        phases.set_tasks(chunks);
        drop(recorder.take());
        let sent = take_down(&recorder, chunks, phases.sent()).await?;
        let loaded = take_down(&recorder, chunks, phases.load()).await?;
        let settled = take_down(&recorder, chunks, phases.settle(1)).await?;
        // Nobody answers on the recorder's connections any more.
        let recorder = Recorder::start(server.host_port()?).await?;
        let store = open(&recorder.url(), plan, "other".parse()?).await?;
        let mut due = Phases::new(plan.clone(), store, SEED + 1);
        due.register().await?;
        due.set_tasks(chunks);
        drop(recorder.take());
        let drained = take_down(&recorder, chunks, due.drain(1)).await?;
        Ok(Self {
            drained,
            sent,
            loaded,
            settled,
        })
    }

    /// How many chunks of jobs.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.sent.len()
    }

    /// The commands of one of them.
    #[must_use]
    pub fn of_chunk(&self, number: usize) -> Vec<&[u8]> {
        let all = [&self.drained, &self.sent, &self.loaded, &self.settled];
        all.iter()
            .filter_map(|commands| commands.get(number))
            .collect()
    }
}

/// How often one command is sent to compare two clients.
const REPEATS: usize = 20_000;

/// One command over and over, by our raw client and by Redis's own benchmark: what is quoted as the
/// ceiling must not be below what that reaches. On an empty server, which is full afterwards.
///
/// # Errors
///
/// The server's, and that `redis-benchmark` is not there.
pub(super) async fn beside_benchmark(
    server: &RedisServer,
    start_ms: i64,
) -> anyhow::Result<[f64; 2]> {
    let plan = Plan::all(MAX_CHUNK, 1, start_ms);
    load_scripts(server, &plan).await?;
    let recorder = Recorder::start(server.host_port()?).await?;
    let store = open(&recorder.url(), &plan, jobs::channel()).await?;
    let phases = Phases::new(plan.clone(), store, SEED);
    phases.register().await?;
    phases.drain(1).await?;
    drop(recorder.take());
    phases.load().await?;
    let loaded = recorder.take();
    let command = loaded.get(0).context("nothing was loaded")?;
    let address = server.host_port()?;
    let mut replay = Replay::connect(&address, WINDOW).await?;
    let raw_s = replay.run(&loaded.repeated(REPEATS)).await?.as_secs_f64();
    let theirs = benchmark::commands_per_s(&address, command, WINDOW, REPEATS).await?;
    Ok([REPEATS as f64 / raw_s, theirs])
}

/// A server knows a script from the first time that it runs.
async fn load_scripts(server: &RedisServer, plan: &Plan) -> anyhow::Result<()> {
    let plan = Plan::all(1, 1, plan.start_ms);
    let store = open(server.url(), &plan, "first".parse()?).await?;
    let phases = Phases::new(plan, store, SEED);
    phases.register().await?;
    phases.drain(1).await?;
    phases.sent().await?;
    phases.load().await?;
    phases.settle(1).await
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
