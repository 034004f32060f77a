//! What a run amounted to, in numbers that a user of the system would notice.

/// Numbers of one run, or of several: sums, and the worst of each peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measures {
    /// Completions accepted: how often a job went once around its cycle.
    pub cycles: u64,
    /// Events delivered, repeats included.
    pub events: u64,
    /// Places that the sweep mended.
    pub repairs: u64,
    /// Jobs that left their slot.
    pub dispatched: u64,
    /// Most of them within one second.
    pub dispatched_peak: u64,
    /// Polls begun.
    pub polls: u64,
    /// Polls whose work was for nothing: another poll of the same dispatch was accepted, or none.
    pub wasted: u64,
    /// Calls of the channel, refused ones included.
    pub calls: u64,
    /// Those that the channel refused since its window was used up.
    pub refused_calls: u64,
    /// Messages that reached the dead-letter queue.
    pub dead_letters: u64,
    /// Jobs quarantined at the end.
    pub quarantined: u64,
    /// Jobs held since their queue refuses their message for good, each time counted.
    pub refused: u64,
    /// Contexts that a completion could not take, so that the old one was kept.
    pub contexts_kept: u64,
    /// Longest time between two polls of one job, or from its registration to the first,
    /// milliseconds.
    pub longest_gap_ms: i64,
    /// Polls of jobs that were due while an outage lasted.
    pub overdue: Overdue,
    /// Polls that were due within the days that are counted.
    pub counted: Counted,
}

/// What was due while an outage lasted, and polled after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overdue {
    /// Jobs.
    pub jobs: u64,
    /// Their polls: one each, if nothing is made up for twice.
    pub polls: u64,
    /// From the end of the outage to the last of them, milliseconds.
    pub took_ms: i64,
}

/// The polls of each job that were due within a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Jobs counted; 0 where nothing is.
    pub jobs: u64,
    /// Fewest polls of one of them.
    pub fewest: u64,
    /// Most polls of one of them.
    pub most: u64,
}

impl Measures {
    /// Polls per dispatch that came to its end, at least 1 unless jobs were turned away unpolled.
    #[must_use]
    pub fn amplification(&self) -> f64 {
        let useful = self.polls.saturating_sub(self.wasted);
        self.polls as f64 / (useful.max(1)) as f64
    }

    /// Takes in another run.
    pub fn add(&mut self, other: &Self) {
        for (sum, one) in [
            (&mut self.cycles, other.cycles),
            (&mut self.events, other.events),
            (&mut self.repairs, other.repairs),
            (&mut self.dispatched, other.dispatched),
            (&mut self.polls, other.polls),
            (&mut self.wasted, other.wasted),
            (&mut self.calls, other.calls),
            (&mut self.refused_calls, other.refused_calls),
            (&mut self.dead_letters, other.dead_letters),
            (&mut self.quarantined, other.quarantined),
            (&mut self.refused, other.refused),
            (&mut self.contexts_kept, other.contexts_kept),
            (&mut self.overdue.jobs, other.overdue.jobs),
            (&mut self.overdue.polls, other.overdue.polls),
        ] {
            *sum += one;
        }
        self.dispatched_peak = self.dispatched_peak.max(other.dispatched_peak);
        self.longest_gap_ms = self.longest_gap_ms.max(other.longest_gap_ms);
        self.overdue.took_ms = self.overdue.took_ms.max(other.overdue.took_ms);
        self.counted.add(other.counted);
    }
}

impl Counted {
    fn add(&mut self, other: Self) {
        if self.jobs == 0 {
            *self = other;
        } else if other.jobs > 0 {
            self.jobs += other.jobs;
            self.fewest = self.fewest.min(other.fewest);
            self.most = self.most.max(other.most);
        }
    }
}
