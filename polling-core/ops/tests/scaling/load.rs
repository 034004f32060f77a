//! Jobs as a scheduler would dispatch them to poll the accounts of a real trace.

use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use flate2::read::GzDecoder;

/// A poll that brings nothing doubles an account's interval, up to this, minutes.
const LONGEST_INTERVAL_MIN: usize = 256;

/// Slots of a minute that are looked ahead, beside the one that is drained.
pub(crate) const AHEAD: usize = 3;

/// So much of a slot's minute its jobs are spread over, seconds.
const PACED_S: usize = 45;

/// What comes, slot by slot.
pub(crate) struct Load {
    /// Jobs in each slot.
    slots: Vec<u64>,
    /// What was known of each slot and the next ones as it began.
    known: Vec<[u64; AHEAD + 1]>,
}

impl Load {
    /// The same in every slot.
    pub(crate) fn constant(per_slot: u64, slots: usize) -> Self {
        Self {
            slots: vec![per_slot; slots],
            known: vec![[per_slot; AHEAD + 1]; slots],
        }
    }

    /// Every account of the trace stands for `copies`, which begin at different minutes. An account is polled a minute
    /// after a poll that brought something, and half as often after each that did not.
    pub(crate) fn of_trace(file: &Path, copies: usize) -> Self {
        let accounts = read(file);
        let last_min = accounts
            .values()
            .flatten()
            .max()
            .expect("the trace has rows")
            / 60;
        let minutes = last_min as usize + 1;
        let mut slots = vec![0; minutes];
        let mut known = vec![[0; AHEAD + 1]; minutes];
        let mut due: Vec<Vec<Account<'_>>> = Vec::new();
        due.resize_with(minutes + LONGEST_INTERVAL_MIN + AHEAD + 1, Vec::new);
        for (number, items) in accounts.values().enumerate() {
            for copy in 0..copies {
                // Spread, and always the same.
                let first = (number * copies + copy) * 37 % LONGEST_INTERVAL_MIN;
                due[first].push(Account {
                    items,
                    seen: 0,
                    interval: LONGEST_INTERVAL_MIN,
                });
            }
        }
        for minute in 0..minutes {
            known[minute] = std::array::from_fn(|ahead| due[minute + ahead].len() as u64);
            let drained = std::mem::take(&mut due[minute]);
            slots[minute] = drained.len() as u64;
            for mut account in drained {
                account.poll(minute as u64 * 60);
                due[minute + account.interval].push(account);
            }
        }
        Self { slots, known }
    }

    /// Its length, seconds.
    pub(crate) fn seconds(&self) -> usize {
        self.slots.len() * 60
    }

    /// All jobs.
    pub(crate) fn jobs(&self) -> u64 {
        self.slots.iter().sum()
    }

    /// What comes in a second.
    pub(crate) fn at(&self, second: usize) -> u64 {
        let by = |second: usize| self.slots[second / 60] * paced(second % 60) / PACED_S as u64;
        let before = if second.is_multiple_of(60) {
            0
        } else {
            by(second - 1)
        };
        by(second) - before
    }

    /// What the slots tell in a second, by seconds from then: of what is being polled nobody knows yet when it is due again.
    pub(crate) fn look_ahead(&self, second: usize) -> Vec<(u64, u64)> {
        let (minute, within) = (second / 60, second % 60);
        let left = PACED_S.saturating_sub(within);
        let mut jobs = self.slots[minute] * left as u64 / PACED_S as u64;
        let mut ahead = vec![(left as u64, jobs), ((60 - within) as u64, jobs)];
        for slot in 1..=AHEAD {
            jobs += self.known[minute][slot];
            let begins = (60 * slot - within) as u64;
            ahead.extend([(begins + PACED_S as u64, jobs), (begins + 60, jobs)]);
        }
        ahead
    }
}

/// How many of the paced seconds are over at the end of a slot's second.
fn paced(second: usize) -> u64 {
    (second + 1).min(PACED_S) as u64
}

struct Account<'a> {
    /// Times of items, seconds.
    items: &'a [u64],
    seen: usize,
    interval: usize,
}

impl Account<'_> {
    fn poll(&mut self, now_s: u64) {
        let seen = self.items.partition_point(|item| *item <= now_s);
        self.interval = if seen > self.seen {
            1
        } else {
            (self.interval * 2).min(LONGEST_INTERVAL_MIN)
        };
        self.seen = seen;
    }
}

/// Seconds since the first item, by account.
fn read(file: &Path) -> BTreeMap<String, Vec<u64>> {
    let mut text = String::new();
    let file = File::open(file).expect("the trace lies in the repository");
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("it is text");
    let rows = || text.lines().filter_map(|row| row.split_once(',')).skip(1);
    let time = |seconds: &str| seconds.parse::<u64>().expect("a time in seconds");
    let first = rows()
        .map(|(_, seconds)| time(seconds))
        .min()
        .expect("it has rows");
    let mut accounts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (account, seconds) in rows() {
        accounts
            .entry(account.to_owned())
            .or_default()
            .push(time(seconds) - first);
    }
    accounts
        .values_mut()
        .for_each(|items| items.sort_unstable());
    accounts
}
