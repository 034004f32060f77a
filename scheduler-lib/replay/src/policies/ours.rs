//! The adaptive policy of scheduler-lib, in slots of a minute as a scheduler has them.

use std::collections::BTreeMap;

use scheduler_lib::policy::adaptive::{Activity, Evidence, Model, Price, Terms, Worth};

use super::Settings;
use crate::{MINUTE_MS, Policy, trace::slot};

const HOUR_MIN: i64 = 60;

#[derive(Debug)]
pub(super) struct Ours {
    model: Model,
    evidence: Evidence,
    price: Price,
    activities: Vec<Activity>,
    terms: Vec<Terms>,
    /// Accounts by the slot in which they are looked at next.
    slots: BTreeMap<i64, Vec<usize>>,
    learned_min: i64,
}

impl Ours {
    pub(super) fn new(settings: &Settings<'_>) -> Self {
        let round_ms = (settings.budget.every_min * MINUTE_MS as f64) as i64;
        let page = u32::try_from(settings.budget.page).unwrap_or(u32::MAX);
        let model = Model::new(settings.day);
        let last_ms = settings
            .last_polls_min()
            .map(|last| (last * MINUTE_MS as f64) as i64);
        let of_nobody = model.worth(
            &Activity::since(0),
            Terms {
                page,
                ..Terms::default()
            },
        );
        let accounts = settings.trace.accounts.len();
        let mut ours = Self {
            price: Price::new(of_nobody.at(round_ms)),
            terms: settings
                .weights
                .iter()
                .map(|&weight| Terms {
                    weight,
                    page,
                    ..Terms::default()
                })
                .collect(),
            model,
            evidence: Evidence::default(),
            activities: last_ms.map(Activity::since).collect(),
            slots: BTreeMap::new(),
            learned_min: 0,
        };
        for account in 0..accounts {
            ours.place(account, 0, ours.price.early());
        }
        ours
    }

    /// Into the first slot after `minute` in which it is worth so much.
    fn place(&mut self, account: usize, minute: i64, worth: f64) {
        let due_ms = self.worth(account).due_ms(worth);
        let due = slot(due_ms).max(minute + 1);
        self.slots.entry(due).or_default().push(account);
    }

    fn worth(&self, account: usize) -> Worth {
        self.model
            .worth(&self.activities[account], self.terms[account])
    }
}

impl Policy for Ours {
    fn choose(&mut self, minute: i64, calls: usize) -> Vec<usize> {
        if minute / HOUR_MIN > self.learned_min / HOUR_MIN {
            self.model = self.model.learned(&self.evidence);
            self.learned_min = minute;
        }
        let later = self.slots.split_off(&(minute + 1));
        let due = std::mem::replace(&mut self.slots, later);
        let worth = |account| (self.worth(account).at(minute * MINUTE_MS), account);
        let mut candidates: Vec<_> = due.into_values().flatten().map(worth).collect();
        candidates.sort_by(|(one, _), (two, _)| two.total_cmp(one));
        let waiting = candidates.split_off(calls.min(candidates.len()));
        let price = self.price.minutes();
        for (_, account) in &waiting {
            self.place(*account, minute, price);
        }
        let all = candidates.iter().chain(&waiting);
        let asked = all.filter(|(worth, _)| *worth >= price).count();
        self.price = self.price.follow(asked as f64, calls as f64);
        candidates.into_iter().map(|(_, account)| account).collect()
    }

    fn polled(&mut self, minute: i64, account: usize, items_ms: &[i64]) {
        let (now_ms, before) = (minute * MINUTE_MS, self.activities[account]);
        self.evidence.add(&before, now_ms, items_ms, &self.model);
        self.activities[account] = before.polled(now_ms, items_ms, &self.model);
        self.place(account, minute, self.price.early());
    }
}
