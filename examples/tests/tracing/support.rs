//! A scheduler and a worker that tell a collector in memory.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use polling_core::{
    Context, Event, EventEnvelope, Job, PollError, Polled, SharedClock, TokioClock, Worker,
    WorkerConfig,
    model::{Generator, SlotRing, TraceContext, TraceRatio, trace::TraceId},
    poller_fn,
    transport::memory::{MemoryBus, MemoryQueue},
};
use polling_ops::{
    logs::Json,
    traces::{FILTER, Traces, TracesConfig},
};
use scheduler_lib::{Channel, Limits, MemoryStore, Registration, Scheduler, policy::JobTypeRules};
use tokio::{sync::watch, time::sleep};
use tracing::Instrument as _;
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

const NOW_MS: i64 = 1_700_000_040_000;

/// In every context; what no span and no line may show.
pub(crate) const SECRET: &str = "hunter2-hunter2";

#[derive(Debug, Clone, Default)]
struct Collector(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was told of a run.
pub(crate) struct Told {
    pub(crate) spans: Vec<SpanData>,
    pub(crate) log: String,
    /// The trace of each poll, in their order.
    pub(crate) polls: Vec<TraceId>,
    bus: MemoryBus,
}

impl Told {
    pub(crate) fn traces(&self) -> BTreeMap<[u8; 16], Vec<&SpanData>> {
        let mut traces: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for span in &self.spans {
            let trace_id = span.span_context.trace_id().to_bytes();
            traces.entry(trace_id).or_default().push(span);
        }
        traces
    }

    pub(crate) fn events(&self) -> Vec<EventEnvelope> {
        self.bus.events(&"posts".parse().unwrap())
    }
}

/// The one span of that name.
pub(crate) fn named<'a>(spans: &[&'a SpanData], name: &str) -> &'a SpanData {
    let named: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(named.len(), 1, "{name} in {spans:#?}");
    named[0]
}

pub(crate) fn outcome(span: &SpanData) -> String {
    let mut said = span.attributes.iter();
    let said = said.find(|said| said.key.as_str() == "polling.outcome");
    said.unwrap().value.to_string()
}

pub(crate) fn found(events: usize) -> Polled {
    let event = |n: usize| Event::new("posts".parse().unwrap(), n.to_string(), "x", NOW_MS);
    Polled::new(context()).with_events((0..events).map(event))
}

fn context() -> Context {
    Context::from_iter([("cursor", SECRET.into())])
}

/// Polls `jobs` for some time, by `poll` after 200 ms.
pub(crate) async fn run(
    ratio: f64,
    jobs: usize,
    time: Duration,
    poll: impl Fn(&Job) -> Result<Polled, PollError> + Clone + Send + Sync + 'static,
) -> Told {
    let ratio = TraceRatio::new(ratio).unwrap();
    let clock: SharedClock = Arc::new(TokioClock::starting_at(NOW_MS));
    let (collector, log) = (Collector::default(), Log::default());
    let config = TracesConfig::new("test").ratio(ratio);
    let config = config.sources(Arc::clone(&clock), Generator::from_seed(1));
    let (layer, traces) = Traces::over(collector.clone(), config);
    let writer = log.clone();
    let lines = fmt::layer().fmt_fields(Json).event_format(Json);
    let lines = lines.with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry()
        .with(layer.with_filter(EnvFilter::new(FILTER)))
        .with(lines.with_filter(EnvFilter::new("trace")));
    let _listening = tracing::subscriber::set_default(subscriber);
    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };

    let polls = Arc::new(Mutex::new(Vec::new()));
    let bus = MemoryBus::new();
    let (scheduler, worker) = cycle(&clock, ratio, &bus, poller(&polls, poll));
    let registry = scheduler.registry(&"fake".parse().unwrap()).unwrap();
    for account in 0..jobs {
        let account = account.to_string().parse().unwrap();
        let mut registration = Registration::new("posts".parse().unwrap(), account);
        registration.context = context();
        registry.register(registration).await.unwrap();
    }
    let working = tokio::spawn(worker.run(until(stopped.clone())));
    let scheduling = tokio::spawn(scheduler.run(until(stopped)));
    let (end, ended) = watch::channel(false);
    let exporting = tokio::spawn(traces.run(until(ended)));
    sleep(time).await;
    stop.send_replace(true);
    working.await.unwrap();
    scheduling.await.unwrap();
    end.send_replace(true);
    exporting.await.unwrap();
    let spans = collector.0.lock().unwrap().clone();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let polls = polls.lock().unwrap().clone();
    Told {
        spans,
        log,
        polls,
        bus,
    }
}

fn poller(
    polls: &Arc<Mutex<Vec<TraceId>>>,
    poll: impl Fn(&Job) -> Result<Polled, PollError> + Clone + Send + Sync + 'static,
) -> impl polling_core::Poller {
    let polls = Arc::clone(polls);
    poller_fn(move |job: Job| {
        let (poll, polls) = (poll.clone(), Arc::clone(&polls));
        async move {
            let trace = TraceContext::of(&job.id, &job.token);
            polls.lock().unwrap().push(trace.trace_id());
            let request = tracing::info_span!("request");
            sleep(Duration::from_millis(200)).instrument(request).await;
            poll(&job)
        }
    })
}

fn cycle(
    clock: &SharedClock,
    ratio: TraceRatio,
    bus: &MemoryBus,
    poller: impl polling_core::Poller,
) -> (Scheduler, Worker) {
    let dead = MemoryQueue::builder("dead", Arc::clone(clock)).build();
    let queue = |name: &str| {
        let queue = MemoryQueue::builder(name, Arc::clone(clock));
        queue.dead_letter(dead.clone(), 3).build()
    };
    let (work, completed) = (queue("work"), queue("completed"));
    let store = Arc::new(MemoryStore::new(SlotRing::SECONDS, NOW_MS));
    let rules = JobTypeRules::every(Duration::from_secs(600));
    let channel = Channel::builder("fake".parse().unwrap(), store)
        .job_type("posts".parse().unwrap(), rules, work.clone())
        .completed(completed.clone())
        .dead_letter(dead.clone())
        .limits(Limits::of_seconds())
        .build()
        .unwrap();
    let scheduler = Scheduler::builder()
        .channel(channel)
        .clock(Arc::clone(clock))
        .generator(Generator::from_seed(2))
        .traces(ratio)
        .build();
    let worker = Worker::builder()
        .work(work)
        .completed(completed)
        .bus(Arc::new(bus.clone()))
        .clock(Arc::clone(clock))
        .config(WorkerConfig {
            name: "traced".to_owned(),
            poll_timeout: Duration::from_secs(5),
            publish_timeout: Duration::from_secs(5),
            complete_timeout: Duration::from_secs(2),
            ..WorkerConfig::default()
        })
        .poller(poller)
        .build()
        .unwrap();
    (scheduler, worker)
}
