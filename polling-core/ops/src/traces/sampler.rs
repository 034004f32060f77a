//! What is worth being exported.

use std::sync::{Mutex, PoisonError};

use polling_model::trace::{Ending, TraceId};

use super::config::TracesConfig;

/// How a job ended, as its span says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Outcome {
    pub(super) ending: Option<Ending>,
    pub(super) latency_ms: Option<i64>,
}

impl Outcome {
    fn is_unusual(self, config: &TracesConfig) -> bool {
        let slow_ms = config.slow.as_millis();
        let failed = self.ending.is_some_and(Ending::is_failure);
        let latency_ms = self.latency_ms.and_then(|ms| u128::try_from(ms).ok());
        failed || latency_ms.is_some_and(|ms| ms >= slow_ms)
    }
}

/// Counts what is kept for its outcome, second by second.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    unusual: Mutex<Unusual>,
}

#[derive(Debug, Default)]
struct Unusual {
    second: i64,
    kept: u32,
}

impl Sampler {
    /// Whether a job's spans are exported. `marked` is what the message said that began it.
    pub(super) fn keeps(
        &self,
        config: &TracesConfig,
        trace_id: TraceId,
        marked: Option<bool>,
        outcome: Outcome,
    ) -> bool {
        if marked.unwrap_or_else(|| config.ratio.keeps(trace_id)) {
            return true;
        }
        outcome.is_unusual(config) && self.has_room(config)
    }

    fn has_room(&self, config: &TracesConfig) -> bool {
        let second = config.clock.now_ms().div_euclid(1_000);
        // Nothing panics while it is held.
        let mut unusual = self.unusual.lock().unwrap_or_else(PoisonError::into_inner);
        if unusual.second != second {
            *unusual = Unusual { second, kept: 0 };
        }
        let has_room = unusual.kept < config.max_unusual_per_s;
        unusual.kept += u32::from(has_room);
        has_room
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use polling_model::{Generator, ManualClock, TraceRatio};

    use super::*;

    fn setting() -> (ManualClock, TracesConfig) {
        let clock = ManualClock::at(1_700_000_000_000);
        let config = TracesConfig::new("test")
            .ratio(TraceRatio::NONE)
            .slow(Duration::from_secs(60))
            .sources(Arc::new(clock.clone()), Generator::from_seed(1));
        (clock, config)
    }

    fn ended(ending: Ending, latency_ms: i64) -> Outcome {
        Outcome {
            ending: Some(ending),
            latency_ms: Some(latency_ms),
        }
    }

    #[test]
    fn what_failed_or_was_slow_is_kept_though_it_was_not_chosen() {
        let (_, config) = setting();
        let sampler = Sampler::default();
        let trace_id = TraceId::new([1; 16]).unwrap();
        let keeps = |marked, outcome| sampler.keeps(&config, trace_id, marked, outcome);
        for (outcome, unusual) in [
            (ended(Ending::Succeeded, 59_999), false),
            (ended(Ending::Succeeded, 60_000), true),
            (ended(Ending::Succeeded, -1), false),
            (ended(Ending::PutOff, 0), false),
            (ended(Ending::Failed, 0), true),
            (ended(Ending::Bug, 0), true),
            (ended(Ending::DeadLetter, 0), true),
            (Outcome::default(), false),
        ] {
            assert_eq!(keeps(Some(false), outcome), unusual, "{outcome:?}");
            assert_eq!(keeps(None, outcome), unusual, "{outcome:?}");
            assert!(keeps(Some(true), outcome), "{outcome:?}");
        }
    }

    #[test]
    fn when_all_fail_so_many_are_kept_each_second() {
        let (clock, mut config) = setting();
        config.max_unusual_per_s = 2;
        let sampler = Sampler::default();
        let trace_id = TraceId::new([1; 16]).unwrap();
        let failed = ended(Ending::Failed, 0);
        let kept = || {
            let kept = (0..5).filter(|_| sampler.keeps(&config, trace_id, None, failed));
            kept.count()
        };
        assert_eq!(kept(), 2);
        assert_eq!(kept(), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(kept(), 2);
        assert!(sampler.keeps(&config, trace_id, Some(true), failed));
    }
}
