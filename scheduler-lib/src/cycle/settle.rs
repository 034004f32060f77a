//! From the end of a dispatch to the job's next place.

use std::time::Duration;

use polling_model::{
    Completion, EncodedContext, JobId, KillPoint, Outcome, ServiceLevel, Token, TraceContext,
};

use super::{
    Cycle,
    hear::{self, Standings},
};
use crate::{
    limits::{LEVELS_DEADLINE, MAX_DECISIONS},
    policy::{
        Ended, FixedIntervals, Frequency, JobTypeRules, Limited, Seen, Situation, candidates,
        decide,
    },
    store::{JobState, Next, Place, Settlement, StoreError, Update, Verdict},
};

/// How one dispatch ended, as its message tells.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) id: JobId,
    pub(super) token: Token,
    /// `None`: a dead letter.
    pub(super) completion: Option<Completion<EncodedContext>>,
    /// The trace that its message brought.
    pub(super) trace: Option<TraceContext>,
    /// When it was received, UTC milliseconds.
    pub(super) received_ms: i64,
}

impl Ending {
    pub(super) fn completed(completion: Completion<EncodedContext>) -> Self {
        Self {
            id: completion.id.clone(),
            token: completion.token,
            completion: Some(completion),
            trace: None,
            received_ms: 0,
        }
    }

    pub(super) const fn dead_letter(id: JobId, token: Token) -> Self {
        Self {
            id,
            token,
            completion: None,
            trace: None,
            received_ms: 0,
        }
    }

    /// The same with what its message brought beside, received at `received_ms`.
    pub(super) fn with(self, trace: Option<TraceContext>, received_ms: i64) -> Self {
        Self {
            trace,
            received_ms,
            ..self
        }
    }

    fn ended(&self) -> Ended<'_> {
        let Some(completion) = &self.completion else {
            return Ended::DeadLetter;
        };
        Ended::Completed {
            succeeded: matches!(completion.outcome, Outcome::Succeeded { .. }),
            failure: completion.outcome.failure(),
            saturated: completion.saturated,
        }
    }

    /// When the items were created that a poll brought which succeeded.
    pub(super) fn created_ms(&self) -> Option<&[i64]> {
        let completion = self.completion.as_ref()?;
        let succeeded = matches!(completion.outcome, Outcome::Succeeded { .. });
        succeeded.then_some(&completion.created_ms[..])
    }

    fn context(&self) -> Option<EncodedContext> {
        match &self.completion.as_ref()?.outcome {
            Outcome::Succeeded { context, .. } => Some(context.clone()),
            Outcome::Failed { .. } => None,
        }
    }
}

impl Cycle {
    /// Settles dispatches of jobs in one part of the store: a verdict for each, in their order.
    /// [`Verdict::Edited`] is left only for one whose record was edited at each of several tries.
    pub(super) async fn settle_part(
        &self,
        endings: &[&Ending],
    ) -> Result<Vec<Verdict>, StoreError> {
        let mut verdicts = vec![Verdict::Edited; endings.len()];
        let mut open: Vec<usize> = (0..endings.len()).collect();
        let mut standings = None;
        for _ in 0..MAX_DECISIONS {
            let round: Vec<&Ending> = open.iter().map(|&at| endings[at]).collect();
            let settled = self.settle_once(&round, &mut standings).await?;
            for (&at, verdict) in open.iter().zip(settled) {
                verdicts[at] = verdict;
            }
            open.retain(|&at| verdicts[at] == Verdict::Edited);
            if open.is_empty() {
                break;
            }
        }
        self.report_settled(endings, &verdicts);
        Ok(verdicts)
    }

    /// Decides on the records as they stand, and settles on that condition. What completions say of
    /// limits is told the first time.
    async fn settle_once(
        &self,
        endings: &[&Ending],
        standings: &mut Option<Standings>,
    ) -> Result<Vec<Verdict>, StoreError> {
        let ids: Vec<JobId> = endings.iter().map(|ending| ending.id.clone()).collect();
        let mut states = self.channel.store.load(&ids).await?;
        if self.take_up_levels(&ids, &states).await? {
            states = self.channel.store.load(&ids).await?;
        }
        if standings.is_none() {
            let heard = self.hear(endings, &states).await;
            self.report_heard(endings, &states, &heard);
            *standings = Some(heard);
        }
        let standings = standings.get_or_insert_default();
        let mut verdicts = vec![Verdict::Unknown; endings.len()];
        let (mut registered, mut settlements) = (Vec::new(), Vec::new());
        let now_ms = self.clock.now_ms();
        for (at, (ending, state)) in endings.iter().zip(&states).enumerate() {
            if let Some(state) = state {
                let (settlement, limited) = self.settlement(ending, state, standings, now_ms);
                registered.push((at, state, limited));
                settlements.push(settlement);
            }
        }
        if !settlements.is_empty() {
            let nexts: Vec<Next> = settlements.iter().map(|one| one.next).collect();
            let settled = self
                .channel
                .store
                .settle(settlements, self.clock.now_ms())
                .await?;
            let mut bursts = Vec::new();
            for (((at, state, limited), verdict), next) in
                registered.into_iter().zip(settled).zip(nexts)
            {
                verdicts[at] = verdict;
                if verdict == Verdict::Accepted {
                    self.tell_accepted(endings[at], state);
                    bursts.extend(self.burst(endings[at], state, next));
                    self.report_accepted(endings[at], state, limited);
                }
                if let (Verdict::Accepted, Next::Hold(hold)) = (verdict, next) {
                    self.report_held(hold, 1);
                }
            }
            self.note_bursts(bursts).await;
        }
        Ok(verdicts)
    }

    fn settlement(
        &self,
        ending: &Ending,
        state: &JobState,
        standings: &Standings,
        now_ms: i64,
    ) -> (Settlement, Option<Limited>) {
        let (orphan, policy);
        let (rules, frequency): (_, &dyn Frequency) = match self.channel.policy(&state.job_type) {
            Some(found) => {
                policy = found;
                (&policy.rules, &*policy.frequency)
            }
            None => {
                // The type has left the configuration: once more around a day from now, and the
                // drain says so where an operator looks.
                orphan = JobTypeRules::every(Duration::from_secs(24 * 3600));
                (&orphan, &FixedIntervals)
            }
        };
        let scopes = standings.of(rules.claims(state));
        let created_ms = ending
            .created_ms()
            .filter(|_| state.token() == Some(ending.token));
        let activity = created_ms.and_then(|created_ms| {
            let before = Seen::new(rules, state, &state.level, state.settled_ms, now_ms);
            frequency.polled(&before, now_ms, created_ms)
        });
        let placement = decide(&Situation {
            id: &ending.id,
            state,
            rules,
            level: &state.level,
            frequency,
            scopes: &scopes,
            activity: activity.or(state.activity),
            ended: ending.ended(),
            ring: self.channel.store.ring(),
            now_ms,
            jitter: self.generator.fraction(),
        });
        let completion = ending.completion.as_ref();
        let settlement = Settlement {
            id: ending.id.clone(),
            token: ending.token,
            revision: state.revision,
            context: ending.context(),
            next: placement.next,
            attempts: placement.attempts,
            strike: placement.strike,
            scopes: completion.and_then(|completion| hear::bound(completion, state, rules)),
            activity,
            reason: placement.reason,
        };
        (settlement, placement.limited)
    }

    /// Writes changed service levels into the records. Returns whether any changed. Levels that
    /// cannot be read change nothing: the cycle goes on with those it has.
    async fn take_up_levels(
        &self,
        ids: &[JobId],
        states: &[Option<JobState>],
    ) -> Result<bool, StoreError> {
        let known: Vec<_> = ids
            .iter()
            .zip(states)
            .filter_map(|(id, state)| Some((id, state.as_ref()?)))
            .collect();
        let accounts: Vec<_> = known
            .iter()
            .map(|(_, state)| state.account.clone())
            .collect();
        let asked =
            tokio::time::timeout(LEVELS_DEADLINE, self.channel.levels.levels_of(&accounts)).await;
        let levels = match asked {
            Ok(Ok(levels)) => levels,
            Ok(Err(error)) => {
                tracing::warn!(channel = %self.channel.id, error = polling_model::chain(&error), "service levels unknown; jobs keep theirs");
                return Ok(false);
            }
            Err(_) => {
                tracing::warn!(channel = %self.channel.id, "no answer about service levels in time; jobs keep theirs");
                return Ok(false);
            }
        };
        let mut changed = false;
        for ((id, state), level) in known.into_iter().zip(levels) {
            if let Some(level) = level.filter(|level| *level != state.level) {
                self.change_level(id, state, level).await?;
                KillPoint::SchedulerLevelChanged.hit();
                changed = true;
            }
        }
        Ok(changed)
    }

    async fn change_level(
        &self,
        id: &JobId,
        state: &JobState,
        level: ServiceLevel,
    ) -> Result<(), StoreError> {
        let due = match (state.place, self.channel.policy(&state.job_type)) {
            (Place::Slot | Place::Later, Some(policy)) => candidates(
                id,
                policy.rules.interval_ms(&level),
                self.clock.now_ms(),
                self.channel.store.ring(),
            ),
            _ => [state.due_ms; 2],
        };
        let update = Update {
            level: Some(level),
            due,
            ..Update::default()
        };
        self.channel.store.update(id, update).await.map(drop)
    }
}
