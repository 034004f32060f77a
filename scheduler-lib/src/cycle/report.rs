//! What the observer is told of how dispatches ended.

use polling_model::{Completion, EncodedContext, Observation};

use super::{Cycle, hear::Standings, settle::Ending, status::add};
use crate::{
    policy::{JobTypeRules, Limited},
    store::{Hold, JobState, Verdict},
};

/// What is told of a dead letter's outcome.
const DEAD_LETTER: &str = "dead_letter";

/// More events than this are not believed of a poll.
const MAX_OLDER: u64 = 1_000_000;

impl Cycle {
    /// What completions say of calls, whether or not they count.
    pub(super) fn report_heard(
        &self,
        endings: &[&Ending],
        states: &[Option<JobState>],
        standings: &Standings,
    ) {
        for (ending, state) in endings.iter().zip(states) {
            let Some(completion) = &ending.completion else {
                continue;
            };
            self.observer.observe(Observation::Completed {
                channel: &self.channel.id,
                job_type: &completion.job_type,
                calls: completion.calls,
            });
            let policy = self.channel.policy(&completion.job_type);
            if let (Some(state), Some(policy)) = (state, policy) {
                self.report_scopes(completion, state, &policy.rules, standings);
            }
        }
    }

    fn report_scopes(
        &self,
        completion: &Completion<EncodedContext>,
        state: &JobState,
        rules: &JobTypeRules,
        standings: &Standings,
    ) {
        let used = u64::from(rules.cost) * u64::from(completion.calls);
        for (rule, scope) in rules.scopes.iter().zip(rules.scopes_of(state)) {
            self.observer.observe(Observation::ScopeUsed {
                channel: &self.channel.id,
                scope: rule.scope.as_str(),
                used,
                left: standings.left(&scope),
            });
        }
    }

    /// What an accepted dispatch brought, and what keeps its job back.
    pub(super) fn report_accepted(
        &self,
        ending: &Ending,
        state: &JobState,
        limited: Option<Limited>,
    ) {
        if let Some(by) = limited {
            self.report_postponed("settle", by, 1);
        }
        let first = state.settled_ms == 0;
        let created_ms = ending
            .created_ms()
            .filter(|told| !first && !told.is_empty());
        if let (Some(completion), Some(created_ms)) = (&ending.completion, created_ms) {
            self.observer.observe(Observation::Published {
                channel: &self.channel.id,
                level: &state.level,
                created_ms,
                older: completion
                    .events
                    .saturating_sub(created_ms.len() as u64)
                    .min(MAX_OLDER),
                published_ms: completion.finished_ms,
            });
        }
    }

    pub(super) fn report_postponed(&self, at: &'static str, by: Limited, jobs: usize) {
        self.observer.observe(Observation::Postponed {
            channel: &self.channel.id,
            jobs,
            at,
            by: by.as_str(),
        });
    }

    pub(super) fn report_held(&self, hold: Hold, jobs: usize) {
        self.observer.observe(Observation::Held {
            channel: &self.channel.id,
            jobs,
            hold: hold.as_str(),
        });
    }

    pub(super) fn report_settled(&self, endings: &[&Ending], verdicts: &[Verdict]) {
        let accepted = verdicts
            .iter()
            .filter(|verdict| **verdict == Verdict::Accepted)
            .count();
        add(&self.status.accepted, accepted);
        add(&self.status.stale, verdicts.len() - accepted);
        for (ending, verdict) in endings.iter().zip(verdicts) {
            if *verdict != Verdict::Accepted {
                self.tell_refused(ending, *verdict);
            }
            let outcome = ending
                .completion
                .as_ref()
                .map_or(DEAD_LETTER, |completion| {
                    let failure = completion.outcome.failure();
                    failure.map_or("ok", |failure| failure.class.as_str())
                });
            self.observer.observe(Observation::Settled {
                channel: &self.channel.id,
                verdict: verdict.as_str(),
                outcome,
            });
        }
    }
}
