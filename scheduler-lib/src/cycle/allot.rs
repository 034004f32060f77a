//! From drained jobs to those that get a call.

use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed};

use polling_model::{JobId, JobType, KillPoint, Nonce, ScopeKey};

use super::{Cycle, status::add};
use crate::{
    channel::Policy,
    ledger::{Claim, Denial, Grant, LedgerError, MAX_WORTHS, Request},
    limits::LEDGER_DEADLINE,
    policy::{Denied, Limited, Seen, postpone},
    store::{Dispatch, Postponed, StoreError},
};

/// A drained job and the note on which it stands.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) note: Nonce,
    /// When it was to be dispatched, UTC milliseconds.
    pub(super) due_ms: i64,
    pub(super) job: Dispatch,
}

impl Noted {
    pub(super) fn job_type(&self) -> &JobType {
        &self.job.record.state.job_type
    }

    /// By what jobs are sent together.
    pub(super) fn key(&self) -> (Nonce, &JobType) {
        (self.note, self.job_type())
    }

    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.job_type() == other.job_type()
    }
}

/// Some drained jobs, by what becomes of them.
#[derive(Debug, Default)]
pub(super) struct Allotted {
    /// To be sent: a call is granted, or nobody limits them.
    pub(super) sending: Vec<Noted>,
    /// Worth less than the price: they take what others leave.
    pub(super) waiting: Vec<Noted>,
    /// To be placed anew, and what keeps them back.
    pub(super) postponed: Vec<(Nonce, Limited, Postponed)>,
}

/// Jobs whose calls count in the same scopes, with the same cushions.
#[derive(Debug)]
struct Group {
    claims: Vec<Claim>,
    cost: u32,
    jobs: Vec<(f64, Noted)>,
}

/// Scopes, cushions and cost, by which jobs are of one group.
type GroupKey = (Vec<ScopeKey>, Vec<String>, u32);

impl Cycle {
    /// Reserves calls for drained jobs, the most worthwhile first. With `fill` even those get one
    /// that are worth less than the price, if others leave some.
    pub(super) async fn allot(
        &self,
        jobs: Vec<Noted>,
        fill: bool,
    ) -> Result<Allotted, LedgerError> {
        let now_ms = self.clock.now_ms();
        let mut allotted = Allotted::default();
        let groups = self.groups(jobs, now_ms, &mut allotted.sending);
        if groups.is_empty() {
            return Ok(allotted);
        }
        self.limited.store(true, Relaxed);
        let turn_ms = self.channel.store.ring().width_ms();
        let request = |group: &Group| Request {
            claims: group.claims.clone(),
            worths: group.jobs.iter().map(|(worth, _)| *worth).collect(),
            cost: group.cost,
            fill,
            turn_ms,
        };
        let requests: Vec<_> = groups.iter().map(request).collect();
        let asked = self.channel.ledger.reserve(&requests, now_ms);
        let grants = tokio::time::timeout(LEDGER_DEADLINE, asked).await;
        let grants = grants.unwrap_or_else(|_| Err(no_answer()))?;
        for (group, grant) in groups.into_iter().zip(grants) {
            self.part(group, grant, fill, now_ms, &mut allotted);
        }
        Ok(allotted)
    }

    /// Jobs by scopes, the most worthwhile first in each group and among groups. Those that nobody
    /// limits are sent.
    fn groups(&self, jobs: Vec<Noted>, now_ms: i64, free: &mut Vec<Noted>) -> Vec<Group> {
        let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
        for noted in jobs {
            let state = &noted.job.record.state;
            // One without a policy is refused as it is sent, which says so.
            let Some(policy) = self.channel.policy(&state.job_type) else {
                free.push(noted);
                continue;
            };
            let claims = policy.rules.claims(state);
            if claims.is_empty() {
                free.push(noted);
                continue;
            }
            let seen = seen(&policy, &noted.job, now_ms);
            let worth = policy.frequency.worth(&seen, now_ms);
            let scopes = claims.iter().map(|claim| claim.scope.clone()).collect();
            let cushions = claims.iter().map(|claim| claim.cushion.to_string());
            let group = groups.entry((scopes, cushions.collect(), policy.rules.cost));
            let group = group.or_insert_with(|| Group {
                claims,
                cost: policy.rules.cost,
                jobs: Vec::new(),
            });
            group.jobs.push((worth, noted));
        }
        let mut groups: Vec<_> = groups.into_values().flat_map(Group::bounded).collect();
        groups.sort_by(|one, two| two.jobs[0].0.total_cmp(&one.jobs[0].0));
        groups
    }

    /// The first of a group get their calls; the others wait, or are placed anew.
    fn part(&self, group: Group, grant: Grant, fill: bool, now_ms: i64, allotted: &mut Allotted) {
        let Grant {
            calls,
            denial,
            price,
        } = grant;
        let mut jobs = group.jobs.into_iter();
        let granted = jobs.by_ref().take(calls);
        allotted.sending.extend(granted.map(|(_, noted)| noted));
        let others = jobs.len() as u64;
        for (worth, noted) in jobs {
            let cheap = worth < price;
            if cheap && !fill {
                allotted.waiting.push(noted);
                continue;
            }
            let by_price = Denial::Price;
            let denial = denial.as_ref().filter(|_| !cheap).unwrap_or(&by_price);
            let postponed = self.postponed(&noted.job, denial, price, others, now_ms);
            allotted
                .postponed
                .extend(postponed.map(|postponed| (noted.note, denial.into(), postponed)));
        }
    }

    fn postponed(
        &self,
        job: &Dispatch,
        denial: &Denial,
        price: f64,
        others: u64,
        now_ms: i64,
    ) -> Option<Postponed> {
        let policy = self.channel.policy(&job.record.state.job_type)?;
        let due = postpone(&Denied {
            id: &job.record.id,
            seen: seen(&policy, job, now_ms),
            frequency: &*policy.frequency,
            denial,
            price,
            others,
            ring: self.channel.store.ring(),
            now_ms,
        });
        Some(Postponed {
            id: job.record.id.clone(),
            token: job.token,
            due_ms: due.at_ms,
            reason: due.reason,
        })
    }

    /// Places anew what got no call, then strikes it off its notes: a crash between the two sends
    /// nothing of it, since its tokens are spent.
    pub(super) async fn postpone(
        &self,
        jobs: Vec<(Nonce, Limited, Postponed)>,
    ) -> Result<(), StoreError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let mut noted: BTreeMap<Nonce, Vec<JobId>> = BTreeMap::new();
        let mut limited: BTreeMap<Limited, usize> = BTreeMap::new();
        let mut postponed = Vec::with_capacity(jobs.len());
        for (note, by, job) in jobs {
            noted.entry(note).or_default().push(job.id.clone());
            *limited.entry(by).or_default() += 1;
            postponed.push(job);
        }
        let now_ms = self.clock.now_ms();
        let placed = self.channel.store.postpone(postponed, now_ms).await?;
        KillPoint::SchedulerPostponed.hit();
        add(&self.status.postponed, placed);
        for (by, jobs) in limited {
            self.report_postponed("drain", by, jobs);
        }
        for (note, ids) in noted {
            self.channel.store.sent(note, &ids).await?;
        }
        Ok(())
    }
}

impl Group {
    /// As several of at most [`MAX_WORTHS`], the most worthwhile first.
    fn bounded(mut self) -> Vec<Self> {
        self.jobs.sort_by(|(one, _), (two, _)| two.total_cmp(one));
        let mut parts = Vec::new();
        while self.jobs.len() > MAX_WORTHS {
            let rest = self.jobs.split_off(MAX_WORTHS);
            parts.push(Self {
                claims: self.claims.clone(),
                cost: self.cost,
                jobs: std::mem::replace(&mut self.jobs, rest),
            });
        }
        parts.push(self);
        parts
    }
}

fn no_answer() -> LedgerError {
    LedgerError::new("its address", "reserve", "no answer in time")
}

fn seen<'a>(policy: &Policy, job: &'a Dispatch, now_ms: i64) -> Seen<'a> {
    let state = &job.record.state;
    Seen::new(&policy.rules, state, &state.level, state.settled_ms, now_ms)
}
