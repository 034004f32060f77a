//! Pollers over a channel in memory, each of them broken in one way.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use polling_core::{
    Context, Event, Job, PollError, Polled, Poller, Topic, test_util::START_MS,
    test_util::contract::Subject,
};

const PAGE: u64 = 10;

/// How a poller is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Of a burst only the newest page is published, and the cursor moves past the rest.
    SkipsBursts,
    /// Ids are drawn at every poll.
    RandomIds,
    /// At the end the cursor moves to what is the channel's newest item by then.
    MarksNewestLast,
    /// What it gave once it leaves out, be it published or not.
    OwnSeen,
    /// A refusal is told as any other error.
    LimitHidden,
    /// The same once a page was read.
    StopHidden,
    /// A refusal is taken for an empty page.
    LimitSwallowed,
    /// A refusal does not tell when to come back.
    NoReset,
    /// A refusal in mid-paging loses the pages before it.
    LosesPages,
    /// A refusal in mid-paging leaves the cursor where it was.
    LosesPlace,
    /// A full page is an error.
    FailsOnBursts,
    /// The cursor is in the poller, not in the context.
    OwnCursor,
    /// A poll that is dropped leaves it busy for ever.
    StaysBusy,
    /// There is always more.
    AlwaysSaturated,
    /// It panics now and then.
    Panics,
}

#[derive(Debug, Default)]
pub(crate) struct Channel {
    items: u64,
    calls_left: Option<u64>,
}

pub(crate) struct Items {
    channel: Arc<Mutex<Channel>>,
    fault: Fault,
    cursor: AtomicU64,
    draws: AtomicU64,
    seen: Mutex<BTreeSet<u64>>,
    is_busy: AtomicBool,
}

impl Items {
    /// The page directly above `after`, oldest first.
    async fn page(&self, after: u64) -> Result<Vec<u64>, PollError> {
        // Answers take some time.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let mut channel = self.channel.lock().unwrap();
        if channel.calls_left == Some(0) {
            return Err(self.refusal());
        }
        channel.calls_left = channel.calls_left.map(|left| left - 1);
        let newest = channel.items;
        let skipped = if self.fault == Fault::SkipsBursts {
            newest.saturating_sub(PAGE)
        } else {
            0
        };
        Ok((after.max(skipped) + 1..=newest)
            .take(PAGE as usize)
            .collect())
    }

    fn refusal(&self) -> PollError {
        match self.fault {
            Fault::LimitHidden => PollError::transient("429"),
            Fault::NoReset => PollError::rate_limited("429"),
            _ => PollError::rate_limited("429").with_retry_after(Duration::from_secs(60)),
        }
    }

    fn stop(&self, refusal: PollError) -> PollError {
        match self.fault {
            Fault::StopHidden => PollError::transient("429"),
            _ => refusal,
        }
    }

    fn event(&self, id: u64) -> Event {
        let topic = Topic::new("items").unwrap();
        let key = match self.fault {
            Fault::RandomIds => format!("{id}-{}", self.draws.fetch_add(1, Ordering::Relaxed)),
            _ => id.to_string(),
        };
        Event::new(topic, key, "", START_MS)
    }

    fn since(&self, job: &Job) -> u64 {
        match self.fault {
            Fault::OwnCursor => self.cursor.load(Ordering::Relaxed),
            _ => job
                .context
                .get("since")
                .and_then(|since| since.as_u64())
                .unwrap_or(0),
        }
    }
}

impl Poller for Items {
    async fn poll(&self, job: Job) -> Result<Polled, PollError> {
        if self.fault != Fault::StaysBusy {
            return self.read(&job).await;
        }
        if self.is_busy.swap(true, Ordering::Relaxed) {
            return Ok(Polled::new(job.context.clone()));
        }
        let polled = self.read(&job).await;
        self.is_busy.store(false, Ordering::Relaxed);
        polled
    }
}

impl Items {
    async fn read(&self, job: &Job) -> Result<Polled, PollError> {
        let begin = self.since(job);
        let mut since = begin;
        let mut polled = Polled::default().with_saturated(true);
        for _ in 0..5 {
            let mut ids = match self.page(since).await {
                Ok(ids) => ids,
                Err(_) if self.fault == Fault::LimitSwallowed => Vec::new(),
                Err(error) if polled.events.is_empty() || self.fault == Fault::LosesPages => {
                    return Err(error);
                }
                Err(error) => {
                    polled = polled.with_stopped(self.stop(error));
                    break;
                }
            };
            assert!(self.fault != Fault::Panics || since < 50, "as it is told");
            let is_full = ids.len() == PAGE as usize;
            if is_full && self.fault == Fault::FailsOnBursts {
                return Err(PollError::invalid("as it is told"));
            }
            since = ids.last().copied().unwrap_or(since);
            if self.fault == Fault::OwnSeen {
                ids.retain(|id| self.seen.lock().unwrap().insert(*id));
            }
            polled.events.extend(ids.iter().map(|id| self.event(*id)));
            self.cursor.store(since, Ordering::Relaxed);
            if !is_full {
                polled.saturated = self.fault == Fault::AlwaysSaturated;
                break;
            }
        }
        if self.fault == Fault::MarksNewestLast && !polled.saturated {
            tokio::task::yield_now().await;
            since = self.channel.lock().unwrap().items;
        }
        if self.fault == Fault::LosesPlace && polled.stopped.is_some() {
            since = begin;
        }
        polled.context = Context::from_iter([("since", since.into())]);
        Ok(polled)
    }
}

/// The subject: a channel, and the fault of its poller.
pub(crate) struct Case(pub(crate) Arc<Mutex<Channel>>, pub(crate) Fault);

impl Case {
    pub(crate) fn new(fault: Fault) -> Self {
        Self(Arc::default(), fault)
    }
}

impl Subject for Case {
    type Poller = Items;

    fn poller(&self) -> Items {
        Items {
            channel: self.0.clone(),
            fault: self.1,
            cursor: AtomicU64::new(0),
            draws: AtomicU64::new(0),
            seen: Mutex::default(),
            is_busy: AtomicBool::new(false),
        }
    }

    fn add(&self, items: usize) -> Vec<String> {
        let mut channel = self.0.lock().unwrap();
        let first = channel.items + 1;
        channel.items += items as u64;
        (first..=channel.items).map(|id| id.to_string()).collect()
    }

    fn limit(&self, calls: Option<u64>) {
        self.0.lock().unwrap().calls_left = calls;
    }
}
