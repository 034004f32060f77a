//! What is known of one scope: its windows, and whether the channel refuses calls.

use std::collections::BTreeMap;

use polling_model::ScopeKey;

use super::{
    Claim, Denial, Request, Standing,
    pace::Pace,
    window::{Told, Window, unsigned},
};

/// Most windows of one scope; further ones are left out.
pub(super) const MAX_WINDOWS: usize = 8;

/// After a refusal has ended one call tries first. If nothing is heard of it, another may try after
/// so many milliseconds.
pub(super) const PROBE_MS: i64 = 10_000;

/// How long a refusal is remembered after its end, in milliseconds: nobody may have tried since.
pub(super) const REMEMBERED_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scope {
    /// By length as told, or 0.
    windows: BTreeMap<i64, Window>,
    /// The channel refuses calls until then; 0 if a call has succeeded since.
    refused_until_ms: i64,
    /// No other call tries before this.
    probed_until_ms: i64,
    pace: Pace,
}

/// Calls that may be made, and why no more.
pub(super) type Free = (i64, Option<Denial>);

impl Scope {
    /// A configured limit holds from the first call on.
    pub(super) fn configure(&mut self, length_ms: i64, limit: i64, now_ms: i64) {
        let room = self.windows.len() < MAX_WINDOWS;
        match self.windows.get_mut(&length_ms) {
            Some(window) => window.configure(limit),
            None if room => {
                let window = Window::configured(limit, length_ms, now_ms);
                self.windows.insert(length_ms, window);
            }
            None => {}
        }
    }

    pub(super) fn begin_turn(&mut self, turn: i64) {
        self.pace.move_on(turn);
    }

    pub(super) const fn price(&self) -> f64 {
        self.pace.price
    }

    /// Calls that are worth their price are asked for.
    pub(super) fn asked(&mut self, worths: &[f64]) {
        self.pace.asked(worths);
    }

    /// How many of `wanted` may be made now.
    pub(super) fn free(
        &mut self,
        wanted: Free,
        claim: &Claim,
        request: &Request,
        now_ms: i64,
    ) -> Free {
        let until_ms = self.refused_until_ms.max(self.probed_until_ms);
        if wanted.0 > 0 && now_ms < until_ms {
            return (0, refused(&claim.scope, until_ms));
        }
        let mut free = wanted;
        if self.refused_until_ms > 0 && free.0 > 1 {
            free = (1, refused(&claim.scope, now_ms + PROBE_MS));
        }
        let (cost, mut room) = (request.cost(), None::<i64>);
        for window in self.windows.values() {
            let cushion = claim.cushion.of(window.limit);
            let above = window.free() - cushion;
            let share = window.share(cushion, self.pace.granted, request.turn_ms, now_ms);
            let calls = (above.min(share - self.pace.granted) / cost).max(0);
            room = Some(room.unwrap_or(i64::MAX).min(share / cost));
            if calls < free.0 {
                let (scope, window) = (claim.scope.clone(), window.standing());
                let denial = if above / cost <= calls {
                    let cushion = unsigned(cushion);
                    Denial::Cushion {
                        scope,
                        window,
                        cushion,
                    }
                } else {
                    let turn = unsigned(share / cost);
                    Denial::Paced {
                        scope,
                        window,
                        turn,
                    }
                };
                free = (calls, Some(denial));
            }
        }
        self.pace.has_room(room.unwrap_or(0));
        free
    }

    /// Calls of these worths are granted.
    pub(super) fn take(&mut self, worths: &[f64], request: &Request, now_ms: i64) {
        let used = worths.len() as i64 * request.cost();
        for window in self.windows.values_mut() {
            window.out += used;
        }
        self.pace.grant(used, worths);
        if self.refused_until_ms > 0 {
            self.probed_until_ms = now_ms + PROBE_MS;
        }
    }

    /// Calls granted just now are not made.
    pub(super) fn give_back(&mut self, used: i64) {
        for window in self.windows.values_mut() {
            window.out = (window.out - used).max(0);
        }
        self.pace.granted = (self.pace.granted - used).max(0);
        self.probed_until_ms = 0;
    }

    /// Calls have ended, and the channel said this in the response of `at_ms`.
    pub(super) fn hear(
        &mut self,
        ended: i64,
        used: i64,
        told: &[Told],
        refused_until_ms: i64,
        at_ms: i64,
    ) {
        for (name, window) in &mut self.windows {
            window.ended(ended);
            if !told
                .iter()
                .any(|told| told.window == *name && told.left.is_some())
            {
                window.left = (window.left - used).max(0);
            }
        }
        for told in told {
            let room = self.windows.len() < MAX_WINDOWS;
            match self.windows.get_mut(&told.window) {
                Some(window) => window.tell(told),
                None if room => {
                    self.windows
                        .extend(Window::new(told).map(|window| (told.window, window)));
                }
                None => {}
            }
        }
        if refused_until_ms > 0 {
            self.refused_until_ms = self.refused_until_ms.max(refused_until_ms);
        } else if at_ms >= self.refused_until_ms {
            // It lets calls through again; one made before the refusal would not show that.
            self.refused_until_ms = 0;
            self.probed_until_ms = 0;
        }
    }

    pub(super) fn move_on(&mut self, now_ms: i64) {
        self.windows
            .retain(|_, window| now_ms < window.forgotten_ms());
        for window in self.windows.values_mut() {
            window.move_on(now_ms);
        }
    }

    pub(super) fn standing(&self, now_ms: i64) -> Standing {
        let refused = self.refused_until_ms > now_ms;
        Standing {
            refused_until_ms: refused.then_some(self.refused_until_ms),
            price: self.pace.price,
            windows: self.windows.values().map(Window::standing).collect(),
        }
    }

    /// When nothing is known of it any more.
    pub(super) fn forgotten_ms(&self) -> i64 {
        let windows = self.windows.values().map(Window::forgotten_ms);
        windows.fold(
            self.refused_until_ms.saturating_add(REMEMBERED_MS),
            i64::max,
        )
    }
}

fn refused(scope: &ScopeKey, until_ms: i64) -> Option<Denial> {
    let scope = scope.clone();
    Some(Denial::Refused { scope, until_ms })
}
