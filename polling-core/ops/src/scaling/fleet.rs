//! The workers there are: those that take jobs, and those that start.

/// Most groups of starting workers that are told apart; later ones join the last.
const MOST_GROUPS: usize = 64;

/// The workers asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Fleet {
    ready: u32,
    /// Soonest first.
    starting: Vec<Starting>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Starting {
    ready_ms: i64,
    count: u32,
}

impl Fleet {
    /// So many that take jobs.
    pub(super) const fn ready(count: u32) -> Self {
        Self {
            ready: count,
            starting: Vec::new(),
        }
    }

    /// All of them.
    pub(super) fn total(&self) -> u32 {
        self.ready + self.starting()
    }

    /// Those that have started.
    pub(super) const fn take_jobs(&self) -> u32 {
        self.ready
    }

    fn starting(&self) -> u32 {
        self.starting.iter().map(|group| group.count).sum()
    }

    /// Whoever should have started by `now_ms` has.
    pub(super) fn advance(&mut self, now_ms: i64) {
        while let Some(first) = self.starting.first().copied() {
            if first.ready_ms > now_ms {
                break;
            }
            self.ready += first.count;
            self.starting.remove(0);
        }
    }

    /// So many were seen to take jobs. Whoever is missing starts until `ready_ms`.
    pub(super) fn seen(&mut self, workers: u32, ready_ms: i64) {
        let total = self.total();
        self.ready = workers.min(total);
        let missing = total - self.ready;
        while self.starting() > missing {
            self.drop_first(self.starting() - missing);
        }
        self.start(missing - self.starting(), ready_ms);
    }

    fn drop_first(&mut self, count: u32) {
        if let Some(first) = self.starting.first_mut() {
            first.count -= count.min(first.count);
            if first.count == 0 {
                self.starting.remove(0);
            }
        }
    }

    /// Makes it `total`: more start until `ready_ms`, fewer are taken from the last on.
    pub(super) fn resize(&mut self, total: u32, ready_ms: i64) {
        self.start(total.saturating_sub(self.total()), ready_ms);
        let mut excess = self.total() - total.min(self.total());
        while let Some(last) = self.starting.last_mut().filter(|_| excess > 0) {
            let taken = excess.min(last.count);
            last.count -= taken;
            excess -= taken;
            if last.count == 0 {
                self.starting.pop();
            }
        }
        self.ready -= excess;
    }

    fn start(&mut self, count: u32, ready_ms: i64) {
        if count == 0 {
            return;
        }
        let full = self.starting.len() >= MOST_GROUPS;
        match self.starting.last_mut() {
            Some(last) if last.ready_ms >= ready_ms => last.count += count,
            Some(last) if full => {
                (last.ready_ms, last.count) = (ready_ms, last.count + count);
            }
            _ => self.starting.push(Starting { ready_ms, count }),
        }
    }

    /// Worker-seconds from `from_s` to `to_s` after `now_ms`.
    pub(super) fn worker_s(&self, now_ms: i64, from_s: f64, to_s: f64) -> f64 {
        let starting = self.starting.iter().map(|group| {
            let ready_s = (group.ready_ms - now_ms) as f64 / 1000.0;
            f64::from(group.count) * (to_s - from_s.max(ready_s)).max(0.0)
        });
        f64::from(self.ready) * (to_s - from_s) + starting.sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_count_from_when_they_have_started() {
        let mut fleet = Fleet::ready(2);
        fleet.resize(5, 30_000);
        assert_eq!((fleet.total(), fleet.ready), (5, 2));
        assert_eq!(fleet.worker_s(0, 0.0, 40.0), 2.0 * 40.0 + 3.0 * 10.0);
        fleet.advance(30_000);
        assert_eq!(fleet.ready, 5);
    }

    #[test]
    fn those_that_start_go_before_those_that_work() {
        let mut fleet = Fleet::ready(4);
        fleet.resize(6, 30_000);
        fleet.resize(7, 40_000);
        fleet.resize(5, 50_000);
        assert_eq!((fleet.total(), fleet.ready), (5, 4));
        fleet.resize(3, 50_000);
        assert_eq!((fleet.total(), fleet.ready), (3, 3));
    }

    #[test]
    fn what_is_seen_is_believed_and_the_missing_start() {
        let mut fleet = Fleet::ready(4);
        fleet.resize(6, 30_000);
        fleet.seen(1, 60_000);
        assert_eq!((fleet.total(), fleet.ready), (6, 1));
        fleet.seen(5, 60_000);
        assert_eq!((fleet.total(), fleet.ready), (6, 5));
        fleet.seen(9, 60_000);
        assert_eq!((fleet.total(), fleet.ready), (6, 6));
    }
}
