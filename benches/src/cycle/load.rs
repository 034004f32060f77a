//! How much is asked of a cycle.

use std::time::Duration;

use scheduler_lib::Limits;

/// Jobs, and how long they cycle.
#[derive(Debug, Clone)]
pub struct Load {
    /// Registered jobs, each due every second.
    pub jobs: usize,
    /// Counting begins when every job was dispatched once; longer than that it may not take.
    pub warm_up_at_most: Duration,
    /// While it is counted.
    pub measured: Duration,
    /// Whether each poll brings an event.
    pub events: bool,
    /// Jobs that the worker polls at once.
    pub concurrency: usize,
    /// Time between two looks of the scheduler at the slots.
    pub tick: Duration,
    /// Tasks that settle completions.
    pub settlers: usize,
}

impl Load {
    /// Bounds of a scheduler that is always behind: nothing is paced, nothing waits too long.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            queue_wait: Duration::from_secs(120),
            work: Duration::from_secs(60),
            in_flight_margin: Duration::from_secs(60),
            tick: self.tick,
            paced: false,
            dispatch_per_s: 10_000_000,
            settlers: self.settlers,
            receive_wait: Duration::from_secs(1),
            ..Limits::default()
        }
    }
}
