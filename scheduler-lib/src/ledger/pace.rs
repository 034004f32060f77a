//! Calls spread over a window, and their price.

use super::PROMISED;
use crate::policy::adaptive::Price;

/// What is asked for and granted in one turn, a slot of time in which each replica drains once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pace {
    /// Number of the turn.
    turn: i64,
    /// Calls asked for that were worth their price.
    asked: f64,
    /// Calls that the turn has room for.
    room: f64,
    /// Calls granted that were promised, whatever the price.
    promised: f64,
    /// The worth of the least worthwhile call granted that was not promised; 0 if there is none.
    least: f64,
    /// How much of the limit was granted.
    pub(super) granted: i64,
    /// What a call has to be worth; 0 while all that was asked for could be granted.
    pub(super) price: f64,
}

impl Pace {
    /// Goes on to a turn. The price follows what was asked for in the last one, unless nothing at
    /// all could be granted then: those who asked will ask again.
    pub(super) fn move_on(&mut self, turn: i64) {
        if turn <= self.turn {
            return;
        }
        if self.room > 0.0 {
            if self.price > 0.0 {
                self.price = Price::new(self.price)
                    .follow(self.asked, self.room)
                    .minutes();
            } else if self.asked > self.room {
                self.price = self.least;
            }
        }
        *self = Self {
            turn,
            price: self.price,
            ..Self::default()
        };
    }

    /// Jobs that a call of this turn is worth; what is promised does not count.
    pub(super) fn asked(&mut self, worths: &[f64]) {
        self.asked += (worths.len() - promised(worths)) as f64;
    }

    /// This turn has room for so many calls.
    pub(super) fn has_room(&mut self, calls: i64) {
        self.room = calls.max(0) as f64;
    }

    /// Calls of these worths, the most worthwhile first, use up so much.
    pub(super) fn grant(&mut self, used: i64, worths: &[f64]) {
        let promised = promised(worths);
        self.promised += promised as f64;
        if let Some(&least) = worths[promised..].last()
            && (self.least <= 0.0 || least < self.least)
        {
            self.least = least;
        }
        self.granted += used;
    }
}

/// How many of the worths, the most worthwhile first, are promised.
fn promised(worths: &[f64]) -> usize {
    worths.partition_point(|worth| *worth >= PROMISED)
}
