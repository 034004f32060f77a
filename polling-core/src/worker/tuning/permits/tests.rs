use std::time::Duration;

use proptest::prelude::*;
use tokio::{task::JoinSet, time::sleep};
use tokio_util::task::AbortOnDropHandle;

use super::*;

/// What happens to permits.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Jobs come, more than may run.
    Come(usize),
    /// One that runs ends.
    End,
    /// So many may run from now on.
    Bound(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1usize..4).prop_map(Step::Come),
        Just(Step::End),
        Just(Step::End),
        (1usize..6).prop_map(Step::Bound),
    ];
    prop::collection::vec(step, 1..60)
}

/// Jobs that wait for a permit, keep it, and end when they are told.
struct Jobs {
    permits: Permits,
    running: Vec<OwnedSemaphorePermit>,
    waiting: JoinSet<OwnedSemaphorePermit>,
    ended: usize,
}

impl Jobs {
    fn come(&mut self, jobs: usize) {
        for _ in 0..jobs {
            let permits = self.permits.clone();
            self.waiting.spawn(async move { permits.one().await });
        }
    }

    fn end_one(&mut self) {
        self.ended += usize::from(self.running.pop().is_some());
    }

    /// Lets everything that can happen happen.
    async fn settle(&mut self) {
        sleep(Duration::from_millis(1)).await;
        while let Some(begun) = self.waiting.try_join_next() {
            self.running.push(begun.unwrap());
        }
    }
}

fn paused<T>(test: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test)
}

proptest! {
    #[test]
    fn as_many_run_as_may_and_none_beyond_once_it_has_come_down(steps in steps()) {
        paused(async {
            let (sender, bound) = watch::channel(3);
            let (permits, keeping) = Permits::new(bound);
            let _keeping = AbortOnDropHandle::new(tokio::spawn(keeping));
            let (running, waiting) = (Vec::new(), JoinSet::new());
            let mut jobs = Jobs { permits, running, waiting, ended: 0 };
            let (mut came, mut bound) = (0, 3);
            for step in steps {
                let before = jobs.running.len();
                match step {
                    Step::Come(number) => {
                        came += number;
                        jobs.come(number);
                    }
                    Step::End => jobs.end_one(),
                    Step::Bound(number) => {
                        bound = number;
                        sender.send_replace(number);
                    }
                }
                jobs.settle().await;
                let running = jobs.running.len();
                prop_assert!(running <= before.max(bound), "{running} run, {before} before, {bound} may");
                if running < bound {
                    prop_assert_eq!(jobs.waiting.len(), 0, "{} run, {} may", running, bound);
                }
            }
            // Nothing is lost: all that came end, and in the end as many can run as may, and no more.
            while !jobs.running.is_empty() || !jobs.waiting.is_empty() {
                jobs.end_one();
                jobs.settle().await;
            }
            prop_assert_eq!(jobs.ended, came);
            jobs.come(bound + 3);
            jobs.settle().await;
            prop_assert_eq!(jobs.running.len(), bound);
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn coming_down_goes_before_whoever_asks_later() {
    let (sender, bound) = watch::channel(4);
    let (permits, keeping) = Permits::new(bound);
    let _keeping = AbortOnDropHandle::new(tokio::spawn(keeping));
    let (running, waiting) = (Vec::new(), JoinSet::new());
    let mut jobs = Jobs {
        permits,
        running,
        waiting,
        ended: 0,
    };
    jobs.come(4);
    jobs.settle().await;
    sender.send_replace(1);
    jobs.settle().await;
    jobs.come(10);
    let mut counts = Vec::new();
    for _ in 0..5 {
        jobs.end_one();
        jobs.settle().await;
        counts.push(jobs.running.len());
    }
    assert_eq!(counts, [3, 2, 1, 1, 1]);
    sender.send_replace(3);
    jobs.settle().await;
    assert_eq!(jobs.running.len(), 3, "more begin at once");
}

#[tokio::test(start_paused = true)]
async fn a_bound_that_comes_back_up_while_it_comes_down_loses_no_permit() {
    let (sender, bound) = watch::channel(4);
    let (permits, keeping) = Permits::new(bound);
    let _keeping = AbortOnDropHandle::new(tokio::spawn(keeping));
    let held = permits.free(4).unwrap();
    sender.send_replace(1);
    sleep(Duration::from_millis(1)).await;
    sender.send_replace(4);
    sleep(Duration::from_millis(1)).await;
    drop(held);
    assert_eq!(permits.free(10).unwrap().num_permits(), 4);
}
