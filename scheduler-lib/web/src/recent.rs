//! What happened in the last ten minutes, second by second.

use std::{
    collections::BTreeMap,
    fmt, iter,
    sync::{Mutex, MutexGuard, PoisonError},
};

use polling_model::{ChannelId, ErrorClass, Observation, Observer, SharedClock};

/// So far back it remembers, seconds.
const REMEMBERED_S: i64 = 600;

/// The present is what happened in so many seconds.
const PRESENT_S: i64 = 10;

/// Limits of which is told how much is used; job types have few.
const MAX_LIMITS: usize = 32;

/// Upper bounds of lateness, milliseconds; what is later counts beyond the last.
const LATENESS_MS: [i64; 19] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000,
    300_000, 600_000, 3_600_000,
];

/// How dispatches end, apart from `ok`.
const FAILURES: [&str; ErrorClass::ALL.len() + 1] = {
    let mut names = ["dead_letter"; ErrorClass::ALL.len() + 1];
    let mut at = 0;
    while at < ErrorClass::ALL.len() {
        names[at] = ErrorClass::ALL[at].as_str();
        at += 1;
    }
    names
};

/// Remembers what a scheduler in this process did of late: give it to the scheduler as its
/// [`observer`](scheduler_lib::SchedulerBuilder::observer), which takes one: whoever has several makes one of them, and to the
/// [`Web`](crate::WebBuilder::recent) that shows it. Its size is bounded: some 130 kB a channel.
pub struct Recent {
    clock: SharedClock,
    channels: Mutex<BTreeMap<ChannelId, Memory>>,
}

struct Memory {
    /// Each at its number modulo their count.
    seconds: Vec<Second>,
    /// By the scope as the rules write it.
    limits: BTreeMap<Box<str>, Uses>,
}

#[derive(Clone, Default)]
struct Second {
    /// Which, since 1970.
    number: i64,
    lateness: [u32; LATENESS_MS.len() + 1],
    accepted: u32,
    stale: u32,
    postponed: u32,
    failures: [u32; FAILURES.len()],
}

/// What was used of a limit in each of the last minutes.
type Uses = [Use; (REMEMBERED_S / 60) as usize];

#[derive(Clone, Copy, Default)]
struct Use {
    minute: i64,
    used: u64,
    /// The least share that was left, of those that are known.
    left: Option<f64>,
}

/// What is told of it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Lately {
    /// Completions accepted, a second, at present.
    pub(crate) cycles_per_s: f64,
    /// The same in each tenth second of a minute, oldest first.
    pub(crate) cycles: Vec<u32>,
    /// So late at most half of the jobs were sent, and 99 of 100; milliseconds. None if nothing was sent.
    pub(crate) lateness_ms: Option<[Lateness; 2]>,
    /// Completions that changed nothing.
    pub(crate) stale: u64,
    /// Jobs for which there was no call.
    pub(crate) postponed: u64,
    /// All that was settled.
    pub(crate) settled: u64,
    /// What failed of it, most first.
    pub(crate) failures: Vec<(&'static str, u64)>,
    /// Of each limit how much of it was used in the last full minute, and the least share of it that was left in any of the last ten.
    pub(crate) limits: Vec<(Box<str>, u64, Option<f64>)>,
}

/// A bound of lateness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lateness {
    /// At most so many milliseconds.
    Within(i64),
    /// More than the largest bound.
    Beyond(i64),
}

impl Recent {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            channels: Mutex::default(),
        }
    }

    pub(crate) fn of(&self, channel: &ChannelId) -> Lately {
        let now_s = self.clock.now_ms().div_euclid(1000);
        let channels = self.channels();
        let memory = channels.get(channel);
        memory.map_or_else(Lately::default, |memory| memory.tell(now_s))
    }

    fn note(&self, channel: &ChannelId, note: impl FnOnce(&mut Memory, i64)) {
        let now_s = self.clock.now_ms().div_euclid(1000);
        let mut channels = self.channels();
        if let Some(memory) = channels.get_mut(channel) {
            return note(memory, now_s);
        }
        note(channels.entry(channel.clone()).or_default(), now_s);
    }

    fn channels(&self) -> MutexGuard<'_, BTreeMap<ChannelId, Memory>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Recent {
    fn observe(&self, observation: Observation<'_>) {
        match observation {
            Observation::Drained {
                channel,
                jobs,
                lateness_ms,
            } => self.note(channel, |memory, now_s| {
                let bound = LATENESS_MS.partition_point(|bound| *bound < lateness_ms);
                memory.second(now_s).lateness[bound] += jobs as u32;
            }),
            Observation::Postponed { channel, jobs, .. } => {
                self.note(channel, |memory, now_s| {
                    memory.second(now_s).postponed += jobs as u32;
                });
            }
            Observation::Settled {
                channel,
                verdict,
                outcome,
            } => self.note(channel, |memory, now_s| {
                let second = memory.second(now_s);
                if verdict != "accepted" {
                    second.stale += 1;
                    return;
                }
                second.accepted += 1;
                if let Some(at) = FAILURES.iter().position(|name| *name == outcome) {
                    second.failures[at] += 1;
                }
            }),
            Observation::ScopeUsed {
                channel,
                scope,
                used,
                left,
            } => self.note(channel, |memory, now_s| {
                memory.used(scope, used, left, now_s.div_euclid(60));
            }),
            _ => {}
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            seconds: vec![Second::default(); REMEMBERED_S as usize],
            limits: BTreeMap::new(),
        }
    }
}

impl Memory {
    /// The second under way, which takes the place of one that is forgotten.
    fn second(&mut self, number: i64) -> &mut Second {
        let second = &mut self.seconds[number.rem_euclid(REMEMBERED_S) as usize];
        if second.number != number {
            *second = Second {
                number,
                ..Second::default()
            };
        }
        second
    }

    fn used(&mut self, scope: &str, used: u64, left: Option<f64>, minute: i64) {
        if !self.limits.contains_key(scope) {
            if self.limits.len() == MAX_LIMITS {
                return;
            }
            self.limits.insert(scope.into(), Uses::default());
        }
        let Some(uses) = self.limits.get_mut(scope) else {
            return;
        };
        let one = &mut uses[minute.rem_euclid(uses.len() as i64) as usize];
        if one.minute != minute {
            *one = Use {
                minute,
                ..Use::default()
            };
        }
        one.used = one.used.saturating_add(used);
        one.left = [one.left, left].into_iter().flatten().reduce(f64::min);
    }

    fn tell(&self, now_s: i64) -> Lately {
        let since = |from_s: i64| {
            let kept = self.seconds.iter();
            kept.filter(move |second| (from_s..now_s).contains(&second.number))
        };
        let present = since(now_s - PRESENT_S).map(|second| second.accepted);
        let all = || since(now_s - REMEMBERED_S);
        let mut cycles = vec![0; (REMEMBERED_S / PRESENT_S) as usize];
        for second in all() {
            let ago = (now_s - 1 - second.number) / PRESENT_S;
            let from_last = cycles.len() - 1 - ago as usize;
            cycles[from_last] += second.accepted;
        }
        let sum = |of: fn(&Second) -> u32| all().map(|second| u64::from(of(second))).sum();
        let accepted: u64 = sum(|second| second.accepted);
        let stale = sum(|second| second.stale);
        Lately {
            cycles_per_s: f64::from(present.sum::<u32>()) / PRESENT_S as f64,
            cycles,
            lateness_ms: lateness(all()),
            stale,
            postponed: sum(|second| second.postponed),
            settled: accepted + stale,
            failures: failures(all()),
            limits: self.limits(now_s.div_euclid(60)),
        }
    }

    fn limits(&self, minute: i64) -> Vec<(Box<str>, u64, Option<f64>)> {
        let tell = |scope: &str, uses: &Uses| {
            let told = |of: fn(&Use) -> Option<f64>, from: i64| {
                let uses = uses.iter();
                uses.filter(move |one| (from..=minute).contains(&one.minute))
                    .filter_map(of)
            };
            let last = uses.iter().find(|one| one.minute == minute - 1);
            let left = told(|one| one.left, minute - uses.len() as i64 + 1);
            let used = last.map_or(0, |one| one.used);
            (Box::from(scope), used, left.reduce(f64::min))
        };
        let limits = self.limits.iter();
        limits.map(|(scope, uses)| tell(scope, uses)).collect()
    }
}

/// Bounds for half of the jobs, and for 99 of 100.
fn lateness<'a>(seconds: impl Iterator<Item = &'a Second>) -> Option<[Lateness; 2]> {
    let mut jobs = [0_u64; LATENESS_MS.len() + 1];
    for second in seconds {
        for (sum, late) in iter::zip(&mut jobs, second.lateness) {
            *sum += u64::from(late);
        }
    }
    let all: u64 = jobs.iter().sum();
    let bound_of = |percent: u64| {
        let wanted = (all * percent).div_ceil(100);
        let mut so_far = 0;
        let at = jobs.iter().position(|jobs| {
            so_far += jobs;
            so_far >= wanted
        });
        let bound = at.and_then(|at| LATENESS_MS.get(at));
        let last = LATENESS_MS[LATENESS_MS.len() - 1];
        bound.map_or(Lateness::Beyond(last), |bound| Lateness::Within(*bound))
    };
    (all > 0).then(|| [50, 99].map(bound_of))
}

fn failures<'a>(seconds: impl Iterator<Item = &'a Second>) -> Vec<(&'static str, u64)> {
    let mut failures = FAILURES.map(|name| (name, 0));
    for second in seconds {
        for ((_, sum), failed) in iter::zip(&mut failures, second.failures) {
            *sum += u64::from(failed);
        }
    }
    let mut failures: Vec<_> = failures.into_iter().filter(|(_, sum)| *sum > 0).collect();
    failures.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    failures
}

impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<_> = self.channels().keys().cloned().collect();
        f.debug_struct("Recent")
            .field("channels", &channels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use polling_model::ManualClock;

    use super::*;

    fn scene() -> (Recent, ManualClock, ChannelId) {
        let clock = ManualClock::at(1_800_000_000_000);
        let recent = Recent::new(Arc::new(clock.clone()));
        (recent, clock, "mastodon".parse().unwrap())
    }

    fn settle(recent: &Recent, channel: &ChannelId, outcome: &'static str) {
        recent.observe(Observation::Settled {
            channel,
            verdict: "accepted",
            outcome,
        });
    }

    #[test]
    fn the_rate_is_of_the_last_seconds_and_the_failures_of_ten_minutes() {
        let (recent, clock, channel) = scene();
        for _ in 0..40 {
            settle(&recent, &channel, "transient");
        }
        clock.advance(Duration::from_secs(30));
        for _ in 0..25 {
            settle(&recent, &channel, "ok");
        }
        recent.observe(Observation::Settled {
            channel: &channel,
            verdict: "stale",
            outcome: "gone",
        });
        clock.advance(Duration::from_secs(1));
        let told = recent.of(&channel);
        assert_eq!(told.cycles_per_s, 2.5);
        assert_eq!(told.failures, [("transient", 40)]);
        assert_eq!((told.settled, told.stale), (66, 1));
        assert_eq!(told.cycles[56..], [40, 0, 0, 25]);
        clock.advance(Duration::from_secs(600));
        let later = recent.of(&channel);
        assert_eq!((later.settled, later.failures), (0, vec![]));
    }

    #[test]
    fn lateness_is_told_by_bounds() {
        let (recent, clock, channel) = scene();
        assert_eq!(recent.of(&channel).lateness_ms, None);
        for (jobs, lateness_ms) in [(98, 3), (1, 150), (1, 4_000_000)] {
            recent.observe(Observation::Drained {
                channel: &channel,
                jobs,
                lateness_ms,
            });
        }
        clock.advance(Duration::from_secs(1));
        let within = [Lateness::Within(5), Lateness::Within(200)];
        assert_eq!(recent.of(&channel).lateness_ms, Some(within));
        recent.observe(Observation::Drained {
            channel: &channel,
            jobs: 900,
            lateness_ms: 4_000_000,
        });
        clock.advance(Duration::from_secs(1));
        let beyond = [Lateness::Beyond(3_600_000); 2];
        assert_eq!(recent.of(&channel).lateness_ms, Some(beyond));
    }

    #[test]
    fn of_limits_the_use_of_a_minute_and_the_least_that_was_left_is_told() {
        let (recent, clock, channel) = scene();
        let used = |used, left| {
            recent.observe(Observation::ScopeUsed {
                channel: &channel,
                scope: "app",
                used,
                left,
            });
        };
        used(3, Some(0.25));
        used(4, None);
        clock.advance(Duration::from_secs(60));
        used(1, Some(0.5));
        let told = recent.of(&channel).limits;
        assert_eq!(told, [("app".into(), 7, Some(0.25))]);
        clock.advance(Duration::from_secs(600));
        assert_eq!(recent.of(&channel).limits, [("app".into(), 0, None)]);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (recent, clock, channel) = scene();
        for number in 0..10_000 {
            clock.advance(Duration::from_secs(1));
            let scope = format!("scope-{number}");
            settle(&recent, &channel, "ok");
            recent.observe(Observation::ScopeUsed {
                channel: &channel,
                scope: &scope,
                used: 1,
                left: None,
            });
        }
        let told = recent.of(&channel);
        assert_eq!(told.limits.len(), MAX_LIMITS);
        assert_eq!(told.cycles.len(), 60);
        assert_eq!(told.settled, 599);
    }
}
