//! What is to be done at a time, unless it is called off before.

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use slab::Slab;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

/// Alarms of one kind. Hardly one in a thousand rings, so they share one task and one timer: a task
/// for each would cost more than the rest of a short job.
///
/// Clones share the alarms.
pub(crate) struct Alarms<T, R>(Arc<Shared<T, R>>);

struct Shared<T, R> {
    /// Called under the lock, so that no alarm is called off while it rings.
    ring: Box<dyn Fn(T) -> R + Send + Sync>,
    state: Mutex<State<T, R>>,
    /// Told of an alarm before the one that the task waits for.
    earlier: Arc<Notify>,
}

struct State<T, R> {
    /// In no order: they are looked through only when the task looks, once in the time after which
    /// alarms ring.
    alarms: Slab<Entry<T, R>>,
    /// When the task looks next; it may have been called off what it looks for.
    looks_at: Option<Instant>,
    task: Option<AbortOnDropHandle<()>>,
}

struct Entry<T, R> {
    at: Instant,
    /// Until it rings.
    what: Option<T>,
    /// By its ringing.
    made: Option<R>,
}

/// An alarm that is set, or has rung. Dropped, it is called off, and what its ringing made is
/// dropped.
pub(crate) struct Alarm<T, R> {
    shared: Arc<Shared<T, R>>,
    key: usize,
    /// The task has yet to begin to wait for it: nothing was to ring so early.
    pub(crate) is_news: bool,
}

impl<T: Send + 'static, R: Send + 'static> Alarms<T, R> {
    /// Alarms that ring so. `ring` must be quick.
    pub(crate) fn new(ring: impl Fn(T) -> R + Send + Sync + 'static) -> Self {
        let state = State {
            alarms: Slab::new(),
            looks_at: None,
            task: None,
        };
        Self(Arc::new(Shared {
            ring: Box::new(ring),
            state: Mutex::new(state),
            earlier: Arc::default(),
        }))
    }

    /// Rings for `what` at a time. Call it within a Tokio runtime.
    pub(crate) fn set(&self, at: Instant, what: T) -> Alarm<T, R> {
        let shared = Arc::clone(&self.0);
        let mut state = shared.lock();
        let key = state.alarms.insert(Entry {
            at,
            what: Some(what),
            made: None,
        });
        let is_news = state.looks_at.is_none_or(|looks_at| at < looks_at);
        if is_news {
            state.looks_at = Some(at);
            self.0.earlier.notify_one();
        }
        // The one before may have ended with its runtime.
        let is_watched = (state.task.as_ref()).is_some_and(|task| !task.is_finished());
        if !is_watched {
            let watching = watch(Arc::downgrade(&self.0), Arc::clone(&self.0.earlier));
            state.task = Some(AbortOnDropHandle::new(tokio::spawn(watching)));
        }
        drop(state);
        Alarm {
            shared,
            key,
            is_news: is_news || !is_watched,
        }
    }
}

async fn watch<T, R>(shared: Weak<Shared<T, R>>, earlier: Arc<Notify>) {
    loop {
        let Some(next) = shared.upgrade().map(|shared| shared.ring_what_is_due()) else {
            return;
        };
        let next = async {
            match next {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            () = earlier.notified() => {}
            () = next => {}
        }
    }
}

impl<T, R> Shared<T, R> {
    /// Returns when to look next.
    fn ring_what_is_due(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.lock();
        for (_, alarm) in &mut state.alarms {
            if let Some(what) = alarm.what.take_if(|_| alarm.at <= now) {
                alarm.made = Some((self.ring)(what));
            }
        }
        let set = state
            .alarms
            .iter()
            .filter(|(_, alarm)| alarm.what.is_some());
        state.looks_at = set.map(|(_, alarm)| alarm.at).min();
        state.looks_at
    }

    fn lock(&self) -> MutexGuard<'_, State<T, R>> {
        // Each alarm stands alone: a panic leaves the others as they are.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, R> Drop for Alarm<T, R> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let alarm = state.alarms.try_remove(self.key);
        // What is dropped with it must not happen under the lock.
        drop(state);
        drop(alarm);
    }
}

impl<T, R> Clone for Alarms<T, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{sync::mpsc, time::sleep};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn alarms() -> (Alarms<u64, ()>, mpsc::UnboundedReceiver<(u64, Instant)>) {
        let (rung, seen) = mpsc::unbounded_channel();
        let alarms = Alarms::new(move |what| rung.send((what, Instant::now())).unwrap());
        (alarms, seen)
    }

    #[tokio::test(start_paused = true)]
    async fn each_rings_at_its_time_and_only_once() {
        let (alarms, mut seen) = alarms();
        let began = Instant::now();
        // The second is earlier than what is waited for.
        let set = [3, 1, 2].map(|after| alarms.set(began + after * SECOND, u64::from(after)));
        assert_eq!(
            [set[0].is_news, set[1].is_news, set[2].is_news],
            [true, true, false]
        );
        for after in 1..=3 {
            assert_eq!(
                seen.recv().await,
                Some((u64::from(after), began + after * SECOND))
            );
        }
        sleep(10 * SECOND).await;
        assert!(seen.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_called_off_does_not_ring_and_a_later_one_does() {
        let (alarms, mut seen) = alarms();
        let began = Instant::now();
        let off = alarms.set(began + SECOND, 1);
        sleep(SECOND / 2).await;
        drop(off);
        let _on = alarms.set(began + 2 * SECOND, 2);
        assert_eq!(seen.recv().await, Some((2, began + 2 * SECOND)));
        drop(alarms);
    }

    #[tokio::test(start_paused = true)]
    async fn what_its_ringing_made_ends_with_the_alarm() {
        let alarms = Alarms::new(|part: Arc<()>| part);
        let part = Arc::new(());
        let alarm = alarms.set(Instant::now() + SECOND, Arc::clone(&part));
        sleep(2 * SECOND).await;
        assert_eq!(Arc::strong_count(&part), 2);
        drop(alarm);
        assert_eq!(Arc::strong_count(&part), 1);
    }

    #[test]
    fn a_runtime_that_ended_is_followed_by_another() {
        let (alarms, mut seen) = alarms();
        for what in 0..2 {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let _alarm = alarms.set(Instant::now() + SECOND, what);
                sleep(2 * SECOND).await;
            });
            assert_eq!(seen.try_recv().unwrap().0, what);
        }
    }
}
