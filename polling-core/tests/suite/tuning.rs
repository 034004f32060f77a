use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use polling_core::{
    Polled, Poller, Worker, WorkerConfig, poller_fn,
    rate_limit::{Quota, Scope},
    transport::memory::MemoryQueue,
    worker::{Pace, Tuner, Tuning},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::support::{Rig, polled, topic};

const SECOND: Duration = Duration::from_secs(1);

/// How many polls are under way, and the most that were since somebody looked.
#[derive(Debug, Clone, Default)]
struct Running(Arc<(AtomicUsize, AtomicUsize)>);

impl Running {
    /// A poll that takes `long`.
    fn poller(&self, long: Duration) -> impl Poller + use<> {
        let running = self.clone();
        poller_fn(move |_| {
            let running = running.clone();
            async move {
                let (now, most) = &*running.0;
                most.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
                sleep(long).await;
                now.fetch_sub(1, Relaxed);
                Ok(polled(0))
            }
        })
    }

    fn now(&self) -> usize {
        self.0.0.load(Relaxed)
    }

    fn most_since(&self) -> usize {
        self.0.1.swap(self.now(), Relaxed)
    }
}

fn config(concurrency: usize) -> WorkerConfig {
    WorkerConfig {
        concurrency,
        receive_wait: SECOND,
        ..WorkerConfig::default()
    }
}

fn concurrency(tuner: &Tuner, concurrency: usize) {
    let tuning = Tuning {
        concurrency,
        ..tuner.tuning()
    };
    tuner.set(tuning).unwrap();
}

#[tokio::test(start_paused = true)]
async fn more_jobs_run_at_once_and_fewer_as_those_under_way_end() {
    let (rig, running) = (Rig::new(), Running::default());
    rig.send(0..400).await;
    let worker = rig.worker().poller(running.poller(5 * SECOND));
    let worker = worker.config(config(2)).build().unwrap();
    let tuner = worker.tuner();
    let tuning = async {
        sleep(12 * SECOND).await;
        assert_eq!(running.most_since(), 2);
        concurrency(&tuner, 20);
        // A receive that found its permits before the change asks with those; the next with more.
        sleep(6 * SECOND).await;
        assert_eq!(running.now(), 20);
        concurrency(&tuner, 3);
        sleep(Duration::from_millis(100)).await;
        assert_eq!(running.now(), 20, "none is interrupted");
        sleep(11 * SECOND).await;
        running.most_since();
        sleep(60 * SECOND).await;
        assert_eq!(running.most_since(), 3, "and no more than there may be");
        concurrency(&tuner, 64);
        sleep(60 * SECOND).await;
    };
    let report = worker.run(tuning).await;
    assert_eq!((report.received, report.polled), (400, 400), "none is lost");
    assert_eq!((report.bugs, report.given_back), (0, 0));
    assert_eq!(rig.completions().len(), 400);
    assert_eq!(rig.work.inner.messages(), []);
}

#[tokio::test(start_paused = true)]
async fn a_worker_with_two_queues_keeps_its_bound_as_it_comes_down() {
    let (rig, running) = (Rig::new(), Running::default());
    let idle = MemoryQueue::builder("idle", rig.clock.clone()).build();
    rig.send(0..200).await;
    let worker = rig.worker().work(idle).poller(running.poller(SECOND));
    let worker = worker.config(config(30)).build().unwrap();
    let tuner = worker.tuner();
    let tuning = async {
        sleep(2 * SECOND).await;
        concurrency(&tuner, 4);
        sleep(3 * SECOND).await;
        running.most_since();
        sleep(20 * SECOND).await;
        // The idle queue's receive has one of them.
        assert!((2..=4).contains(&running.most_since()));
        concurrency(&tuner, 100);
        sleep(20 * SECOND).await;
    };
    let report = worker.run(tuning).await;
    assert_eq!((report.polled, report.given_back), (200, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pace_changes_from_the_next_call_on() {
    let rig = Rig::new();
    rig.send(0..100).await;
    let one = Quota::per_second(NonZeroU32::MIN);
    let worker = rig
        .worker()
        .pace(Scope::app(), one)
        .config(WorkerConfig {
            rate_limit_wait: 2 * SECOND,
            ..config(1)
        })
        .poller(poller_fn(|_| async { Ok(polled(0)) }))
        .build()
        .unwrap();
    let tuner = worker.tuner();
    let tuning = async {
        sleep(10 * SECOND).await;
        let before = rig.completions().len();
        assert!((9..=11).contains(&before), "{before} at one a second");
        let pace = Pace {
            rate_per_s: 5.0,
            burst: NonZeroU32::MIN,
        };
        let paces = BTreeMap::from([("app".to_owned(), pace)]);
        let tuning = Tuning {
            paces,
            ..tuner.tuning()
        };
        tuner.set(tuning.clone()).unwrap();
        assert_eq!(tuner.tuning(), tuning);
        sleep(10 * SECOND).await;
        let after = rig.completions().len() - before;
        assert!((45..=51).contains(&after), "{after} at five a second");
    };
    let report = worker.run(tuning).await;
    assert_eq!(report.errors, 0);
}

#[tokio::test(start_paused = true)]
async fn the_rate_of_publishing_changes() {
    let rig = Rig::new();
    rig.send(0..40).await;
    let config = WorkerConfig {
        publish_rate: 1,
        publish_burst: 1,
        ..config(1)
    };
    let poller = poller_fn(|_| async { Ok(polled(1)) });
    let worker = rig.worker().poller(poller).config(config).build().unwrap();
    let tuner = worker.tuner();
    let tuning = async {
        sleep(10 * SECOND).await;
        let slow = rig.bus.take(&topic()).len();
        assert!((9..=11).contains(&slow), "{slow}");
        let publish_rate = 10;
        let tuning = Tuning {
            publish_rate,
            ..tuner.tuning()
        };
        tuner.set(tuning).unwrap();
        sleep(2 * SECOND).await;
        let fast = rig.bus.take(&topic()).len();
        assert!((18..=22).contains(&fast), "{fast}");
    };
    worker.run(tuning).await;
}

fn worker(rig: &Rig) -> Worker {
    let quota = |calls| Quota::per_second(NonZeroU32::new(calls).unwrap());
    let idle = MemoryQueue::builder("idle", rig.clock.clone()).build();
    rig.worker()
        .work(idle)
        .pace(Scope::account(), quota(1))
        .pace(Scope::account(), quota(4))
        .pace(Scope::app(), quota(2))
        .poller(poller_fn(|_| async { Ok(Polled::default()) }))
        .build()
        .unwrap()
}

#[tokio::test]
async fn what_was_built_is_what_can_be_tuned() {
    let tuning = worker(&Rig::new()).tuner().tuning();
    assert_eq!((tuning.concurrency, tuning.replicas), (64, 1));
    assert_eq!(tuning.publish_rate, 10_000);
    let paces: Vec<_> = tuning
        .paces
        .iter()
        .map(|(name, pace)| (&**name, pace.rate_per_s))
        .collect();
    assert_eq!(paces, [("account", 1.0), ("account-2", 4.0), ("app", 2.0)]);
    let text = serde_json::to_string(&tuning).unwrap();
    assert_eq!(serde_json::from_str::<Tuning>(&text).unwrap(), tuning);
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_and_changes_nothing() {
    let tuner = worker(&Rig::new()).tuner();
    let before = tuner.tuning();
    let refused = |change: &dyn Fn(&mut Tuning)| {
        let mut tuning = before.clone();
        change(&mut tuning);
        let error = tuner.set(tuning).unwrap_err();
        assert_eq!(tuner.tuning(), before);
        error.to_string()
    };
    let pace = |name: &'static str, rate_per_s| {
        move |tuning: &mut Tuning| {
            let burst = NonZeroU32::MIN;
            tuning
                .paces
                .insert(name.to_owned(), Pace { rate_per_s, burst });
        }
    };
    for (told, expected) in [
        (
            refused(&|tuning| tuning.concurrency = 0),
            "concurrency is 0: it needs 1 to 10000",
        ),
        (
            refused(&|tuning| tuning.concurrency = 1),
            "concurrency is 1: it needs 2 at least, one for each work queue",
        ),
        (
            refused(&|tuning| tuning.replicas = 0),
            "replicas is 0: it needs 1 to 10000",
        ),
        (
            refused(&|tuning| tuning.publish_rate = 0),
            "publish_rate is 0: it needs 1 to 10000000",
        ),
        (
            refused(&pace("app", f64::NAN)),
            "paces.app.rate_per_s is NaN: it needs 0.000001 to 1000000",
        ),
        (
            refused(&pace("tenant", 1.0)),
            "paces.tenant is no pace of this worker: it needs one that it was built with (account, account-2, app)",
        ),
    ] {
        assert_eq!(told, format!("worker configuration: {expected}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_follows_what_is_watched_and_keeps_what_it_had_where_that_is_wrong() {
    let tuner = worker(&Rig::new()).tuner();
    let (sender, values) = watch::channel(8);
    let started = tuner.tuning();
    let read = move |concurrency: &usize| Tuning {
        concurrency: *concurrency,
        ..started.clone()
    };
    let following = tokio::spawn(tuner.clone().follow(values, read));
    let begin = Instant::now();
    let is = async |concurrency| {
        sleep(Duration::from_millis(1)).await;
        assert_eq!(tuner.tuning().concurrency, concurrency);
    };
    is(8).await;
    sender.send_replace(16);
    is(16).await;
    sender.send_replace(0);
    is(16).await;
    sender.send_replace(5);
    is(5).await;
    assert!(begin.elapsed() < SECOND);
    drop(sender);
    following.await.unwrap();
}
