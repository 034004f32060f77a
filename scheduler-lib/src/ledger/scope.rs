//! What is known of one scope: its windows, and whether the channel refuses calls.

use std::collections::BTreeMap;

use super::{
    Cushion, Denial, Grant, Standing, WindowStanding,
    window::{Told, Window},
};

/// Most windows of one scope; further ones are left out.
pub(super) const MAX_WINDOWS: usize = 8;

/// After a refusal has ended one call tries first. If nothing is heard of it, another may try after
/// so many milliseconds.
pub(super) const PROBE_MS: i64 = 10_000;

/// How long a refusal is remembered after its end, in milliseconds: nobody may have tried since.
pub(super) const REMEMBERED_MS: i64 = 3_600_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// By length as told, or 0.
    windows: BTreeMap<i64, Window>,
    /// The channel refuses calls until then; 0 if a call has succeeded since.
    refused_until_ms: i64,
    /// No other call tries before this.
    probed_until_ms: i64,
}

impl Scope {
    /// How many of `wanted` may be made now.
    pub(super) fn free(&self, wanted: &Grant, cost: i64, cushion: Cushion, now_ms: i64) -> Grant {
        if wanted.calls == 0 {
            return wanted.clone();
        }
        let until_ms = self.refused_until_ms.max(self.probed_until_ms);
        if now_ms < until_ms {
            return denied(0, Denial::Refused { until_ms });
        }
        let mut grant = wanted.clone();
        if self.refused_until_ms > 0 && grant.calls > 1 {
            let until_ms = now_ms + PROBE_MS;
            grant = denied(1, Denial::Refused { until_ms });
        }
        for window in self.windows.values() {
            let cushion = cushion.of(window.limit);
            let calls = unsigned((window.free() - cushion) / cost);
            if calls < grant.calls {
                let denial = Denial::Cushion {
                    left: unsigned(window.free()),
                    cushion: unsigned(cushion),
                    until_ms: window.ends_ms,
                };
                grant = denied(calls, denial);
            }
        }
        grant
    }

    pub(super) fn take(&mut self, calls: i64, cost: i64, now_ms: i64) {
        for window in self.windows.values_mut() {
            window.out += calls * cost;
        }
        if self.refused_until_ms > 0 {
            self.probed_until_ms = now_ms + PROBE_MS;
        }
    }

    /// Calls granted just now are not made.
    pub(super) fn give_back(&mut self, calls: i64, cost: i64) {
        for window in self.windows.values_mut() {
            window.out = (window.out - calls * cost).max(0);
        }
        self.probed_until_ms = 0;
    }

    /// Calls have ended, and the channel said this in the response of `at_ms`.
    pub(super) fn hear(&mut self, used: i64, told: &[Told], refused_until_ms: i64, at_ms: i64) {
        for (name, window) in &mut self.windows {
            window.ended(used);
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
        let windows = self.windows.values().map(|window| WindowStanding {
            limit: unsigned(window.limit),
            free: unsigned(window.free()),
            ends_ms: window.ends_ms,
            length_ms: window.length_ms,
        });
        Standing {
            refused_until_ms: refused.then_some(self.refused_until_ms),
            windows: windows.collect(),
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

const fn denied(calls: u64, denial: Denial) -> Grant {
    Grant {
        calls,
        denial: Some(denial),
    }
}

/// Zero for what is less.
fn unsigned(calls: i64) -> u64 {
    u64::try_from(calls).unwrap_or(0)
}
