//! Who shares which limit.

use std::collections::BTreeMap;

use polling_model::{JobType, ServiceLevel};

use super::{
    PlanInput,
    cell::{Cell, HARDLY_A_JOB, MINUTES_A_DAY, Worth},
};
use crate::{
    ledger::Cushion,
    policy::{LimitRule, ScopeTemplate},
};

/// Jobs whose calls count in the same limits. Scopes of accounts that are alike are one, with as
/// many times the limits.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    /// The scope, `{account}` aside.
    pub(super) name: String,
    /// Whose accounts, if each has a scope of its own.
    pub(super) level: Option<ServiceLevel>,
    /// How many scopes there are.
    pub(super) copies: f64,
    /// Places of cells, and what a call of theirs uses up.
    pub(super) members: Vec<(usize, f64)>,
    /// What the scope's members leave to others.
    pub(super) cushions: Vec<Cushion>,
    /// Those of one scope.
    pub(super) windows: Vec<Window>,
}

/// A limit of one scope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    pub(super) limit: LimitRule,
    /// The largest of the members.
    pub(super) cushion: f64,
    /// What others take, a share of the limit.
    pub(super) others: f64,
}

impl Window {
    pub(super) fn minutes(&self) -> f64 {
        self.limit.window.as_secs_f64() / 60.0
    }

    /// What a window has for us.
    pub(super) fn available(&self) -> f64 {
        let calls = self.limit.calls as f64;
        (calls * (1.0 - self.others) - self.cushion).max(0.0)
    }
}

impl Shared {
    /// What may be used up per minute, in all scopes together.
    pub(super) fn budget(&self) -> f64 {
        let windows = self.windows.iter();
        let rates = windows.map(|window| window.available() / window.minutes());
        self.copies * rates.fold(f64::INFINITY, f64::min)
    }

    /// What is used up per minute at frequencies by cell.
    pub(super) fn used(&self, cells: &[Cell], frequency: impl Fn(&Cell) -> f64) -> f64 {
        let members = self.members.iter();
        let used = members.map(|(at, cost)| cost * cells[*at].jobs * frequency(&cells[*at]));
        used.sum()
    }
}

/// The jobs of the input, by what they bring. Under fixed intervals that makes no difference.
pub(super) fn cells(input: &PlanInput) -> Vec<Cell> {
    let mut cells = Vec::new();
    let slot = input.slot_width.as_secs_f64() / 60.0;
    for (at, group) in input.groups.iter().enumerate() {
        let rules = &input.rules[&group.job_type];
        let interval = rules.interval_ms(&group.level) as f64 / 60_000.0;
        let max_age = rules
            .max_age_ms(&group.level)
            .map(|ms| ms as f64 / 60_000.0);
        let highest = 1.0 / interval.max(slot);
        let promised = max_age.map_or(0.0, |minutes| (1.0 / minutes).min(highest));
        let jobs = (group.jobs as f64).max(HARDLY_A_JOB) * input.accounts;
        let mut cell = |share: f64, per_day: f64| {
            cells.push(Cell {
                group: at,
                jobs: jobs * share,
                rate: per_day / MINUTES_A_DAY,
                weight: Cell::weight_of(rules.weight(&group.level)),
                highest,
                promised,
                lowest: promised,
                worth: Cell::worth_of(rules, interval),
            });
        };
        if rules.adaptive.is_some() {
            for class in group.rates.classes() {
                cell(class.share, class.per_day);
            }
        } else {
            cell(1.0, group.rates.mean());
        }
    }
    cells
}

/// The scopes of the input, and those in which every job counts although no rules name them.
pub(super) fn scopes(input: &PlanInput, cells: &[Cell]) -> (Vec<Shared>, Vec<String>) {
    let (mut scopes, mut notes) = (Scopes::new(input, cells), Vec::new());
    for (at, group) in input.groups.iter().enumerate() {
        for rule in &input.rules[&group.job_type].scopes {
            scopes.add(at, &rule.scope, rule.limit);
        }
    }
    let mut named: Vec<_> = scopes.named.iter().map(ToString::to_string).collect();
    for limit in &input.limits {
        let text = limit.scope.to_string();
        if named.contains(&text) {
            continue;
        }
        notes.push(format!(
            "no rules name scope {text}: every job is taken to count in it, as in one that workers report"
        ));
        for at in 0..input.groups.len() {
            scopes.add(at, &limit.scope, None);
        }
        named.push(text);
    }
    (scopes.split(), notes)
}

/// A scope's name, and whose accounts.
type Key = (String, Option<ServiceLevel>);

struct Scopes<'a> {
    input: &'a PlanInput,
    cells: &'a [Cell],
    found: BTreeMap<Key, Found>,
    /// As the rules have them, and with what stands for their fields.
    named: Vec<String>,
}

#[derive(Default)]
struct Found {
    /// Places of groups.
    groups: Vec<usize>,
    accounts: u64,
    limits: Vec<LimitRule>,
}

impl<'a> Scopes<'a> {
    const fn new(input: &'a PlanInput, cells: &'a [Cell]) -> Self {
        Self {
            input,
            cells,
            found: BTreeMap::new(),
            named: Vec::new(),
        }
    }

    /// The group counts in a scope, which may have a limit.
    fn add(&mut self, at: usize, scope: &ScopeTemplate, limit: Option<LimitRule>) {
        let group = &self.input.groups[at];
        let (template, name) = (
            scope.to_string(),
            name(scope, &group.job_type, &group.level),
        );
        let told = |limit: &&super::PlannedLimit| {
            let told = limit.scope.to_string();
            told == template || told == name
        };
        let told: Vec<_> = self.input.limits.iter().filter(told).collect();
        let by_account = template.contains("{account}");
        let level = by_account.then(|| group.level.clone());
        let found = self.found.entry((name.clone(), level)).or_default();
        if !found.groups.contains(&at) {
            found.groups.push(at);
        }
        let accounts = group.accounts.unwrap_or(group.jobs);
        found.accounts = found.accounts.max(accounts.clamp(1, group.jobs.max(1)));
        if told.is_empty() {
            found.limits.extend(limit);
        } else {
            found.limits.extend(told.iter().map(|told| told.limit));
        }
        found
            .limits
            .sort_by_key(|limit| (limit.window, limit.calls));
        // Of limits of one window only the strictest holds.
        found.limits.dedup_by_key(|limit| limit.window);
        self.named.extend([template, name]);
    }

    fn split(self) -> Vec<Shared> {
        let found = self.found.iter();
        found.flat_map(|(key, found)| self.of(key, found)).collect()
    }

    /// Accounts that differ in what they bring have prices of their own, if it can be told which
    /// of their jobs is whose: where they have jobs of one type only.
    fn of(&self, (name, level): &Key, found: &Found) -> Vec<Shared> {
        let members: Vec<(usize, f64)> = self
            .cells
            .iter()
            .enumerate()
            .filter(|(_, cell)| found.groups.contains(&cell.group))
            .map(|(at, cell)| (at, f64::from(self.rules(cell.group).cost)))
            .collect();
        let cushions: Vec<_> = found
            .groups
            .iter()
            .map(|at| {
                let group = &self.input.groups[*at];
                let rules = self.rules(*at);
                let of_level = rules.levels.get(&group.level);
                let of_scope = || {
                    let mut rules = rules.scopes.iter();
                    rules.find(|rule| self.is_of(*at, &rule.scope, name))
                };
                of_level
                    .and_then(|level| level.cushion)
                    .or_else(|| of_scope().and_then(|rule| rule.cushion))
                    .unwrap_or(rules.cushion)
            })
            .collect();
        let others = |scope: &&(ScopeTemplate, f64)| {
            let told = scope.0.to_string();
            told == *name
                || found
                    .groups
                    .iter()
                    .any(|at| self.is_of(*at, &scope.0, name))
        };
        let others = self
            .input
            .others
            .iter()
            .filter(others)
            .map(|(_, share)| *share);
        let others = others.fold(0.0, f64::max);
        let window = |limit: &LimitRule| Window {
            limit: *limit,
            cushion: cushions
                .iter()
                .map(|cushion| cushion.calls_of(limit.calls) as f64)
                .fold(0.0, f64::max),
            others,
        };
        let whole = Shared {
            name: name.clone(),
            level: level.clone(),
            copies: 1.0,
            members,
            cushions: cushions.clone(),
            windows: found.limits.iter().map(window).collect(),
        };
        if level.is_none() {
            return vec![whole];
        }
        self.by_account(whole, found)
    }

    fn by_account(&self, whole: Shared, found: &Found) -> Vec<Shared> {
        let jobs = |members: &[(usize, f64)]| -> f64 {
            members.iter().map(|(at, _)| self.cells[*at].jobs).sum()
        };
        let accounts = found.accounts as f64;
        let most = found.groups.iter().map(|at| self.input.groups[*at].jobs);
        let registered = (most.max().unwrap_or(0) as f64).max(HARDLY_A_JOB);
        // Of hardly a job, hardly an account: it tells what one would get.
        let copies = accounts.min(registered) * self.input.accounts;
        let adaptive =
            |(at, _): &(usize, f64)| matches!(self.cells[*at].worth, Worth::Adaptive { .. });
        if found.groups.len() > 1 || !whole.members.iter().all(adaptive) {
            return vec![Shared { copies, ..whole }];
        }
        let all = jobs(&whole.members);
        let kinds = whole.members.iter().map(|member| Shared {
            copies: copies * jobs(&[*member]) / all,
            members: vec![*member],
            ..whole.clone()
        });
        kinds.collect()
    }

    fn rules(&self, at: usize) -> &crate::policy::JobTypeRules {
        &self.input.rules[&self.input.groups[at].job_type]
    }

    /// Whether a template stands for the scope of that name.
    fn is_of(&self, at: usize, template: &ScopeTemplate, scope: &str) -> bool {
        let group = &self.input.groups[at];
        name(template, &group.job_type, &group.level) == scope
    }
}

fn name(scope: &ScopeTemplate, job_type: &JobType, level: &ServiceLevel) -> String {
    let name = scope.to_string();
    let name = name.replace("{job_type}", job_type.as_str());
    name.replace("{level}", level.as_str())
}
