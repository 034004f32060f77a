//! Ports that fail as real ones do, drawn from a seed.

mod bus;
mod ledger;
mod queue;
mod store;

use std::{future::pending, sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{
    faults::{Fault, Faults},
    process::Process,
    trace::Trace,
};

/// Latest arrival of what is delivered once more.
pub(crate) const LATEST_COPY: Duration = Duration::from_secs(300);

/// A port as one process sees it. Between any two of its calls, and between a call's effect and
/// its answer, the process may die.
#[derive(Debug)]
pub(crate) struct Faulty<T> {
    inner: Arc<T>,
    process: Arc<Process>,
    faults: Arc<Faults>,
    trace: Arc<Trace>,
    received: queue::Received,
}

impl<T> Faulty<T> {
    pub(crate) fn new(
        inner: Arc<T>,
        process: Arc<Process>,
        faults: Arc<Faults>,
        trace: Arc<Trace>,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner,
            process,
            faults,
            trace,
            received: queue::Received::default(),
        })
    }

    /// At most one of `among`, written down.
    fn draw(&self, call: &'static str, among: &[Fault]) -> Option<Fault> {
        let fault = self.faults.draw(among)?;
        self.trace
            .line(|| format!("{}: {fault} at {call}", self.process.name));
        Some(fault)
    }

    /// Either side of a call's effect.
    async fn side(&self, call: &'static str) {
        self.process.pass().await;
        match self.faults.draw(&[Fault::Crash, Fault::Delay]) {
            Some(Fault::Crash) => {
                self.trace
                    .line(|| format!("{}: dies at {call}", self.process.name));
                self.process.die();
                pending::<()>().await;
            }
            Some(_) => {
                // Many short ones interleave the tasks, few long ones overrun deadlines.
                let most_ms = if self.faults.generator().below(50) == 0 {
                    20_000
                } else {
                    100
                };
                self.sleep_below(Duration::from_millis(most_ms)).await;
                self.process.pass().await;
            }
            None => {}
        }
    }

    async fn sleep_below(&self, most: Duration) {
        sleep(below(&self.faults, most)).await;
    }

    /// Some of many: each with a chance of one half.
    fn some<I>(&self, all: Vec<I>) -> (Vec<I>, Vec<I>) {
        all.into_iter().partition(|_| self.faults.toss())
    }

    /// One of many, cloned.
    fn one<I: Clone>(&self, all: &[I]) -> Option<I> {
        let at = self.faults.generator().below(all.len() as u64);
        all.get(at as usize).cloned()
    }

    /// In another order (Fisher and Yates).
    fn shuffle<I>(&self, all: &mut [I]) {
        for at in (1..all.len()).rev() {
            let other = self.faults.generator().below(at as u64 + 1);
            all.swap(at, other as usize);
        }
    }
}

fn below(faults: &Faults, most: Duration) -> Duration {
    Duration::from_millis(faults.generator().below(most.as_millis() as u64))
}
