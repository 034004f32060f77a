//! Playing a scenario: a stage, a calm beginning, faults, healing, and the judgement.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::time::{Instant, sleep};

use crate::{
    admin::Admin,
    board::Board,
    clock::now_ms,
    faults::FaultLog,
    load::Load,
    oracle::{
        queues::Queues,
        watch::{Sightings, Watch},
    },
    report::Report,
    scenario::{Allow, Scenario},
    servers::{Server, Servers},
    stage::{Programs, Setting, Stage},
};

mod judge;

/// Before the first fault: registrations, first polls, and gaps of a system at rest.
const BEGINNING: Duration = Duration::from_secs(12);

/// How long everything offered may take until it is in Kafka, after healing.
const EVENTS: Duration = Duration::from_secs(30);

/// How long registrations may take at the start.
const REGISTER: Duration = Duration::from_secs(60);

/// What all scenarios of a run share.
#[derive(Debug, Clone)]
pub struct House {
    /// What stages start.
    pub programs: Programs,
    /// What they use.
    pub servers: Servers,
    /// Logs of all.
    pub folder: PathBuf,
    /// What everything is drawn from.
    pub seed: u64,
    /// How long faults are injected, instead of each scenario's own length.
    pub length: Option<Duration>,
    /// Kills at each kill point.
    pub kills: u32,
    /// What a person sees.
    pub board: Board,
}

/// A stage at play.
#[derive(Debug)]
pub struct Run {
    /// What it is called on the board and in the folder.
    pub tag: String,
    /// Channel, schedulers, workers, servers.
    pub stage: Stage,
    /// What was done, and when.
    pub faults: FaultLog,
    /// What faults are drawn from.
    pub random: StdRng,
    /// What the oracles see.
    pub watch: Sightings,
    /// How much waits in the queues.
    pub queues: Queues,
    /// What clients ask.
    pub admin: Admin,
    /// What the scenario found out by itself while it ran; the report takes it over.
    pub found: Report,
    board: Board,
    _watching: Watch,
    load: Option<Load>,
    until: Instant,
    /// When the first job was registered, UTC milliseconds.
    pub began_ms: i64,
    /// When everything ran again, UTC milliseconds.
    pub healed_ms: i64,
    /// When posting was stopped, UTC milliseconds.
    pub ended_ms: i64,
    started: Instant,
    unclean: Vec<String>,
    settled_again: Settled,
    load_ended: Option<Result<BTreeSet<String>, String>>,
}

/// Whether a completion of every job was accepted after healing.
#[derive(Debug)]
enum Settled {
    After(Duration),
    /// Those of which none was, when the time for it was over.
    Not(Vec<String>),
}

/// Names must differ from those of all runs before, whose queues and keys may still be there.
static STAGES: AtomicU32 = AtomicU32::new(0);

/// Plays a scenario.
///
/// # Errors
///
/// When it cannot be played to its end.
pub async fn play(house: &House, scenario: &dyn Scenario) -> anyhow::Result<Report> {
    if let Some(played) = scenario.play(house).await {
        return played;
    }
    let mut run = Run::begin(house, scenario.name(), scenario.setting()).await?;
    let length = house.length.unwrap_or_else(|| scenario.length());
    run.until = Instant::now() + length;
    run.phase("faults");
    scenario.inject(&mut run).await?;
    let allow = scenario.allow();
    let mut report = run.finish(&allow).await?;
    scenario.judge(&run, &mut report)?;
    report.conclude();
    Ok(report)
}

impl Run {
    /// Starts a stage, registers its jobs, starts posts and clients, and waits until the system is
    /// at its regular work.
    ///
    /// # Errors
    ///
    /// When something does not start.
    pub async fn begin(house: &House, tag: &str, setting: Setting) -> anyhow::Result<Self> {
        let started = Instant::now();
        house.servers.ensure_sqs(setting.sqs_persistent).await?;
        let number = STAGES.fetch_add(1, Relaxed);
        let name = format!("t{}x{}x{number}", now_ms() / 1_000, std::process::id());
        let folder = house.folder.join(tag);
        let mut random = StdRng::seed_from_u64(house.seed ^ hash(tag));
        let prefix = format!("polling:{{{name}:0}}:");
        let watching = Watch::start(house.servers.address(Server::Redis), &prefix)?;
        let (watch, faults) = (watching.sightings(), FaultLog::default());
        house.board.add(tag, faults.clone(), watch.clone());
        let (programs, servers) = (house.programs.clone(), house.servers.clone());
        let stage = Stage::start(name, folder, setting, programs, servers, &mut random)
            .await
            .with_context(|| format!("the stage of {tag} does not start"))?;
        let mut run = Self {
            tag: tag.to_owned(),
            admin: Admin::new(stage.admin_urls())?,
            queues: Queues::new(house.servers.address(Server::Sqs))?,
            stage,
            faults,
            random,
            watch,
            found: Report::default(),
            board: house.board.clone(),
            _watching: watching,
            load: None,
            until: started,
            began_ms: now_ms(),
            healed_ms: 0,
            ended_ms: 0,
            started,
            unclean: Vec::new(),
            settled_again: Settled::Not(Vec::new()),
            load_ended: None,
        };
        run.open().await?;
        Ok(run)
    }

    async fn open(&mut self) -> anyhow::Result<()> {
        let accounts = 0..self.stage.setting.accounts;
        self.admin.register_all(accounts.clone(), REGISTER).await?;
        let ids = accounts.map(|account| format!("posts:{account}"));
        self.watch.expect_permanent(ids);
        self.began_ms = now_ms();
        self.stage.control("{\"posting\":\"start\"}").await?;
        let seed = self.random.random();
        self.load = Some(Load::start(&self.admin, &self.stage.setting, seed));
        self.phase("warming up");
        self.calm(BEGINNING).await;
        self.stage.ensure_all_run()
    }

    /// What is left of the time for faults.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Faults go on for so long from now, though less was asked for.
    pub fn at_least(&mut self, duration: Duration) {
        self.until = self.until.max(Instant::now() + duration);
    }

    /// Lets the system run.
    pub async fn calm(&self, duration: Duration) {
        sleep(duration).await;
    }

    /// Lets the system run for some time between the two, milliseconds, but not beyond the end.
    pub async fn calm_between(&mut self, least_ms: u64, most_ms: u64) {
        let pause = Duration::from_millis(self.random.random_range(least_ms..=most_ms));
        self.calm(pause.min(self.left())).await;
    }

    /// Tells what the run is at.
    pub fn phase(&self, phase: &str) {
        self.board.phase(&self.tag, phase);
    }

    /// Heals everything, waits until all is back to normal, ends the stage and judges.
    ///
    /// # Errors
    ///
    /// When it cannot be healed, or what it left cannot be read.
    pub async fn finish(&mut self, allow: &Allow) -> anyhow::Result<Report> {
        self.phase("healing");
        self.heal().await?;
        self.healed_ms = now_ms();
        self.phase("recovering");
        self.await_all_settled(allow).await;
        // Calm time to measure the gaps of.
        self.calm(self.stage.setting.interval * 2).await;
        if let Some(load) = self.load.take() {
            let ended = load.stop().await;
            self.load_ended = Some(ended.map_err(|error| format!("{error:#}")));
        }
        self.ended_ms = now_ms();
        self.stage.control("{\"posting\":\"stop\"}").await?;
        self.phase("collecting events");
        let mut report = judge::judge(self, allow).await?;
        self.phase("ending");
        self.unclean = self.stage.stop().await?;
        judge::judge_end(self, &mut report);
        judge::measures(self, allow, &mut report)?;
        report.checks.append(&mut self.found.checks);
        report.figures.append(&mut self.found.figures);
        self.board.remove(&self.tag);
        Ok(report)
    }

    /// Whatever was done to servers and processes: all run and answer afterwards.
    ///
    /// # Errors
    ///
    /// When one does not.
    pub async fn heal(&mut self) -> anyhow::Result<()> {
        self.stage.servers.heal().await?;
        self.stage.heal().await
    }

    /// Waits until a completion of each job was accepted since the healing.
    async fn await_all_settled(&mut self, allow: &Allow) {
        let begin = Instant::now();
        loop {
            let waiting = self.watch.waiting_since(self.healed_ms);
            if waiting.is_empty() {
                self.settled_again = Settled::After(begin.elapsed());
                return;
            }
            if begin.elapsed() >= allow.healed_within {
                self.settled_again = Settled::Not(waiting);
                return;
            }
            self.calm(Duration::from_millis(200)).await;
        }
    }
}

/// FNV-1a: the same in every build.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
