//! Everything put together: the adapters, what watches them, and the processes.

use std::{
    future::Future,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use polling_core::{
    Worker,
    rate_limit::{Quota, Scope},
};
use polling_model::{ChannelId, Generator, SharedClock, SlotRing, caps};
use polling_transport::{TokioClock, memory::MemoryQueue};
use scheduler_lib::{Channel, MemoryStore, Registry, Scheduler, ledger::MemoryLedger};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    channel::{self, SimPoller},
    faults::{Fault, Faults},
    faulty::Faulty,
    oracle::{Oracle, Spans, Terms},
    process::Process,
    property::Property,
    scenario::{Role, Scenario},
    trace::Trace,
    watched::{Carries, WatchedBus, WatchedQueue, WatchedStore},
};

/// How far the clock of a worker may be off, milliseconds.
pub(crate) const MAX_WORKER_SKEW_MS: i64 = 10_000;

/// All of a run but its tasks.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) scenario: Scenario,
    pub(crate) clock: TokioClock,
    pub(crate) trace: Arc<Trace>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) channel: Arc<channel::Channel>,
    pub(crate) store: Arc<WatchedStore>,
    ledger: Arc<MemoryLedger>,
    pub(crate) work: Arc<WatchedQueue>,
    pub(crate) completed: Arc<WatchedQueue>,
    pub(crate) dead_letter: Arc<WatchedQueue>,
    bus: Arc<WatchedBus>,
    /// The processes that live now, by their place in the cast.
    cast: Mutex<Vec<Live>>,
    /// Edits by hand, whatever became of them.
    edits: AtomicU64,
}

/// A process that lives now.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) role: Role,
    pub(crate) process: Arc<Process>,
    /// Cancelled, it shuts down in good order.
    pub(crate) shutdown: CancellationToken,
}

impl Stage {
    /// Call it within the run's runtime.
    pub(crate) fn new(scenario: Scenario, traced: bool) -> Arc<Self> {
        let clock = TokioClock::starting_at(scenario.start_ms);
        let trace = Arc::new(Trace::new(clock.clone(), traced));
        let seed = scenario.seed;
        // Another sequence than the one from which the scenario is drawn.
        let generator = Generator::from_seed(seed ^ 0x5eed);
        let faults = Arc::new(Faults::new(scenario.rates.clone(), generator));
        let oracle = Arc::new(Oracle::new(Arc::clone(&trace), terms(&scenario)));
        let shared: SharedClock = Arc::new(clock.clone());
        let dead_letter = MemoryQueue::builder("dead-letter", shared.clone()).build();
        let redriven = |name: &str, visibility: Duration, max_size_bytes: usize| {
            MemoryQueue::builder(name, shared.clone())
                .visibility_timeout(visibility)
                .max_receive_batch(10)
                .max_message_size_bytes(max_size_bytes)
                .dead_letter(Arc::clone(&dead_letter), scenario.limits.max_receives)
                .build()
        };
        let worker = scenario.worker();
        let reserve = worker.rate_limit_wait + worker.poll_timeout + worker.complete_timeout;
        let reserve_ms = reserve.as_millis() as i64 + MAX_WORKER_SKEW_MS;
        let watch =
            |queue, carries| WatchedQueue::new(queue, Arc::clone(&oracle), carries, clock.clone());
        let work = redriven(
            "work",
            scenario.visibility_timeout,
            scenario.max_message_size_bytes,
        );
        let largest = caps::MAX_MESSAGE_SIZE_BYTES;
        let completed = redriven("completed", Duration::from_secs(30), largest);
        let store = MemoryStore::new(SlotRing::MINUTES, scenario.start_ms)
            .generator(Generator::from_seed(seed ^ 0xed17));
        Arc::new(Self {
            channel: channel::Channel::new(
                &scenario,
                clock.clone(),
                Arc::clone(&faults),
                Arc::clone(&oracle),
            ),
            store: WatchedStore::new(Arc::new(store), Arc::clone(&oracle)),
            ledger: Arc::new(MemoryLedger::new()),
            work: watch(work, Carries::Work { reserve_ms }),
            completed: watch(completed, Carries::Completions),
            dead_letter: watch(dead_letter, Carries::DeadLetters),
            bus: Arc::new(WatchedBus::new(Arc::clone(&oracle))),
            cast: Mutex::default(),
            edits: AtomicU64::new(0),
            scenario,
            clock,
            trace,
            faults,
            oracle,
        })
    }

    /// The processes that live now.
    pub(crate) fn cast(&self) -> MutexGuard<'_, Vec<Live>> {
        self.cast.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts every scheduler and worker, each again and again as it dies.
    pub(crate) fn start(self: &Arc<Self>) {
        let of = |role, count| (0..count).map(move |number| (role, number));
        let schedulers = of(Role::Scheduler, self.scenario.schedulers);
        let all: Vec<_> = schedulers
            .chain(of(Role::Worker, self.scenario.workers))
            .collect();
        for (place, (role, number)) in all.into_iter().enumerate() {
            let live = self.be_born(role, number, 0);
            self.cast().push(live.clone());
            tokio::spawn(Arc::clone(self).keep_alive(place, number, live));
        }
    }

    fn be_born(&self, role: Role, number: u64, life: u64) -> Live {
        let name = format!("{role:?} {number}.{life}").to_lowercase();
        let process = Arc::new(Process::new(name, self.clock.clone()));
        Live {
            role,
            process,
            shutdown: CancellationToken::new(),
        }
    }

    /// One place in the cast: a process lives there until it dies, then the next.
    async fn keep_alive(self: Arc<Self>, place: usize, number: u64, mut live: Live) {
        for life in 1u64.. {
            self.trace.line(|| format!("{}: starts", live.process.name));
            let mut running = self.run(&live);
            tokio::select! {
                biased;
                () = live.process.dead() => {}
                _ = &mut running => {
                    if !live.shutdown.is_cancelled() {
                        let detail = format!("{} ended by itself", live.process.name);
                        self.oracle.violated(Property::KeepsRunning, None, detail);
                    }
                    live.process.die();
                }
            }
            running.abort();
            self.trace
                .line(|| format!("{}: is dead", live.process.name));
            self.stay_down(live.role).await;
            self.renewed(live.role);
            live = self.be_born(live.role, number, life);
            self.cast()[place] = live.clone();
        }
    }

    async fn stay_down(&self, role: Role) {
        let outage = self.outage_left(role);
        if !outage.is_zero() {
            return sleep(outage).await;
        }
        let downtime = self.downtime();
        tokio::select! {
            biased;
            () = self.faults.healed.cancelled() => {}
            () = sleep(downtime) => {}
        }
    }

    /// How long the processes of a role have to stay away.
    fn outage_left(&self, role: Role) -> Duration {
        let outage = self.scenario.outage.filter(|it| it.roles.contains(&role));
        let elapsed = Duration::from_millis(self.trace.elapsed_ms().unsigned_abs());
        outage
            .filter(|outage| elapsed >= outage.from)
            .map_or(Duration::ZERO, |outage| {
                (outage.from + outage.lasting).saturating_sub(elapsed)
            })
    }

    /// A process begins anew, or its clock jumps: it has new allowances of its own.
    pub(crate) fn renewed(&self, role: Role) {
        match role {
            Role::Scheduler => self.oracle.scheduler_renewed(),
            Role::Worker => self.channel.worker_renewed(),
        }
    }

    /// Mostly seconds, at times longer than anything waits for.
    fn downtime(&self) -> Duration {
        let generator = self.faults.generator();
        let most_ms = match generator.below(10) {
            0 => 1_800_000,
            1 | 2 => 180_000,
            _ => 10_000,
        };
        Duration::from_millis(100 + generator.below(most_ms))
    }

    fn run(&self, live: &Live) -> JoinHandle<()> {
        let process = Arc::clone(&live.process);
        let shutdown = live.shutdown.clone().cancelled_owned();
        match live.role {
            Role::Scheduler => tokio::spawn(self.scheduler(process).run(shutdown)),
            Role::Worker => {
                let worker = self.worker(process);
                tokio::spawn(async move {
                    worker.run(shutdown).await;
                })
            }
        }
    }

    fn faulty<T>(&self, inner: &Arc<T>, process: &Arc<Process>) -> Arc<Faulty<T>> {
        let (inner, process) = (Arc::clone(inner), Arc::clone(process));
        Faulty::new(
            inner,
            process,
            Arc::clone(&self.faults),
            Arc::clone(&self.trace),
        )
    }

    /// A generator of a process's own.
    fn generator(&self) -> Generator {
        Generator::from_seed(self.faults.generator().next_u64())
    }

    fn scheduler(&self, process: Arc<Process>) -> Scheduler {
        let job_type = "posts".parse().expect("posts is a valid job type");
        let channel = Channel::builder(channel_id(), self.faulty(&self.store, &process))
            .job_type(
                job_type,
                self.scenario.rules(),
                self.faulty(&self.work, &process),
            )
            .completed(self.faulty(&self.completed, &process))
            .dead_letter(self.faulty(&self.dead_letter, &process))
            .ledger(self.faulty(&self.ledger, &process))
            .limits(self.scenario.limits.clone())
            .build()
            .expect("every scenario is within the bounds of a channel");
        Scheduler::builder()
            .channel(channel)
            .clock(process)
            .generator(self.generator())
            .build()
    }

    fn worker(&self, process: Arc<Process>) -> Worker {
        let mut builder = Worker::builder();
        if let Some(per_s) = self.scenario.paced_per_s {
            builder = builder.pace(Scope::app(), Quota::per_second(per_s));
        }
        builder
            .work(self.faulty(&self.work, &process))
            .completed(self.faulty(&self.completed, &process))
            .bus(self.faulty(&self.bus, &process))
            .config(self.scenario.worker())
            .generator(self.generator())
            .clock(process.clone())
            .poller(SimPoller {
                channel: Arc::clone(&self.channel),
                process,
            })
            .build()
            .expect("every scenario is within the bounds of a worker")
    }

    /// The registry as an operator sees it, whose calls fail as others do.
    pub(crate) fn registry(&self) -> Registry {
        let process = Process::new("operator".to_owned(), self.clock.clone());
        self.scheduler(Arc::new(process))
            .registry(&channel_id())
            .expect("the scheduler has the channel")
    }

    /// A call of the operator's, who gives up at a deadline: it may never be answered.
    pub(crate) async fn attempt<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Option<T> {
        timeout(Duration::from_secs(60), call).await.ok()?.ok()
    }

    /// Somebody edits by hand.
    pub(crate) fn edited(&self) {
        self.edits.fetch_add(1, Relaxed);
    }

    pub(crate) fn edits(&self) -> u64 {
        self.edits.load(Relaxed)
    }

    pub(crate) fn count(&self, fault: Fault, what: impl FnOnce() -> String) {
        self.faults.count(fault);
        self.trace.line(|| format!("fault {fault}: {}", what()));
    }
}

fn terms(scenario: &Scenario) -> Terms {
    let at_ms = |since: Duration| scenario.start_ms + since.as_millis() as i64;
    let outage = scenario.outage.map(|it| it.from..it.from + it.lasting);
    let span = |range: Range<Duration>| at_ms(range.start)..at_ms(range.end);
    Terms {
        dispatch_per_s: scenario.limits.dispatch_per_s,
        schedulers: scenario.schedulers,
        spans: Spans {
            outage: span(outage.unwrap_or_default()),
            counted: span(scenario.counted.clone()),
        },
    }
}

fn channel_id() -> ChannelId {
    ChannelId::new("simulated").expect("simulated is a valid channel")
}
