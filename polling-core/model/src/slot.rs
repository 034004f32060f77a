//! The ring of 1440 slots.
//!
//! Time is cut into absolute slots of one width, counted from the Unix epoch; absolute slot `n`
//! begins at `n × width` and lives at index `n mod 1440` of the ring. A job due at `d` waits in
//! slot `⌈d / width⌉`: the first that begins once the job is due. So a slot is drained as a whole
//! at its beginning, no job in it goes out early, and none later than a width after it was due.

use std::fmt;

use crate::caps::{MAX_SLOT_WIDTH_MS, MIN_SLOT_WIDTH_MS, SLOTS};

/// A slot on the endless axis of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbsoluteSlot(pub i64);

impl AbsoluteSlot {
    /// Its index in the ring, in `0..1440`.
    #[must_use]
    pub const fn index(self) -> i64 {
        self.0.rem_euclid(SLOTS)
    }

    /// The slot `by` places later.
    #[must_use]
    pub const fn plus(self, by: i64) -> Self {
        Self(self.0 + by)
    }
}

impl fmt::Display for AbsoluteSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The ring's arithmetic for one width of slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRing {
    width_ms: i64,
}

/// A width that is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("slot width is {width_ms} ms: it needs {MIN_SLOT_WIDTH_MS} to {MAX_SLOT_WIDTH_MS}")]
pub struct WidthError {
    width_ms: i64,
}

impl SlotRing {
    /// One-minute slots: the ring is a day.
    pub const MINUTES: Self = Self {
        width_ms: crate::caps::DEFAULT_SLOT_WIDTH_MS,
    };

    /// One-second slots: the ring is 24 minutes; for demos and tests.
    pub const SECONDS: Self = Self {
        width_ms: MIN_SLOT_WIDTH_MS,
    };

    /// A ring with slots of `width_ms` milliseconds.
    ///
    /// # Errors
    ///
    /// [`WidthError`] outside [`MIN_SLOT_WIDTH_MS`]..=[`MAX_SLOT_WIDTH_MS`].
    pub const fn new(width_ms: i64) -> Result<Self, WidthError> {
        if width_ms < MIN_SLOT_WIDTH_MS || width_ms > MAX_SLOT_WIDTH_MS {
            return Err(WidthError { width_ms });
        }
        Ok(Self { width_ms })
    }

    /// The width of a slot, milliseconds.
    #[must_use]
    pub const fn width_ms(self) -> i64 {
        self.width_ms
    }

    /// How long the ring lasts, milliseconds.
    #[must_use]
    pub const fn length_ms(self) -> i64 {
        self.width_ms * SLOTS
    }

    /// The slot that has begun last at `now_ms`.
    #[must_use]
    pub const fn current(self, now_ms: i64) -> AbsoluteSlot {
        AbsoluteSlot(now_ms.div_euclid(self.width_ms))
    }

    /// The slot in which a job due at `due_ms` waits: the first that begins once it is due.
    #[must_use]
    pub const fn slot_of(self, due_ms: i64) -> AbsoluteSlot {
        // A ceiling that neither overflows nor depends on the sign.
        let floor = due_ms.div_euclid(self.width_ms);
        AbsoluteSlot(floor + (due_ms.rem_euclid(self.width_ms) != 0) as i64)
    }

    /// When `slot` begins, UTC milliseconds.
    #[must_use]
    pub const fn start_ms(self, slot: AbsoluteSlot) -> i64 {
        slot.0 * self.width_ms
    }

    /// Where a job due at `due_ms` goes while `cursor` is being drained: only the slots after the
    /// cursor, up to a ring's length, can take it. What is due before is due in the next slot.
    #[must_use]
    pub fn place(self, due_ms: i64, cursor: AbsoluteSlot) -> RingPlace {
        let (first, last) = (cursor.plus(1), cursor.plus(SLOTS - 1));
        let slot = self.slot_of(due_ms);
        if slot > last {
            RingPlace::Later { due_ms }
        } else if slot < first {
            RingPlace::Slot {
                slot: first,
                due_ms: self.start_ms(first),
            }
        } else {
            RingPlace::Slot { slot, due_ms }
        }
    }
}

impl Default for SlotRing {
    fn default() -> Self {
        Self::MINUTES
    }
}

/// What [`SlotRing::place`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingPlace {
    /// Within the ring.
    Slot {
        /// The slot.
        slot: AbsoluteSlot,
        /// When the job is due, never before the slot after the cursor; UTC milliseconds.
        due_ms: i64,
    },
    /// Beyond the ring.
    Later {
        /// When the job is due, UTC milliseconds.
        due_ms: i64,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_job_waits_in_the_first_slot_that_begins_once_it_is_due(due_ms in 0..4_000_000_000_000i64, width_ms in 1_000..3_600_000i64) {
            let ring = SlotRing::new(width_ms).unwrap();
            let start_ms = ring.start_ms(ring.slot_of(due_ms));
            prop_assert!(start_ms >= due_ms && start_ms - due_ms < width_ms);
        }

        #[test]
        fn every_placement_is_after_the_cursor_and_within_the_ring(due_ms in 0..4_000_000_000_000i64, cursor in 0..60_000_000i64) {
            let (ring, cursor) = (SlotRing::MINUTES, AbsoluteSlot(cursor));
            match ring.place(due_ms, cursor) {
                RingPlace::Slot { slot, due_ms: placed_ms } => {
                    prop_assert!(slot > cursor && slot.0 < cursor.0 + SLOTS);
                    prop_assert_eq!(ring.slot_of(placed_ms), slot);
                    prop_assert!(placed_ms >= due_ms || slot.0 == cursor.0 + 1 || placed_ms == due_ms);
                }
                RingPlace::Later { due_ms: kept_ms } => {
                    prop_assert_eq!(kept_ms, due_ms);
                    prop_assert!(ring.slot_of(due_ms).0 >= cursor.0 + SLOTS);
                }
            }
        }
    }

    #[test]
    fn a_day_of_minutes_returns_to_the_same_index() {
        let noon = SlotRing::MINUTES.current(12 * 3_600_000);
        assert_eq!(noon, AbsoluteSlot(720));
        assert_eq!(noon.plus(SLOTS).index(), noon.index());
    }

    #[test]
    fn widths_outside_the_bounds_are_refused() {
        assert_eq!(
            SlotRing::new(999).unwrap_err().to_string(),
            "slot width is 999 ms: it needs 1000 to 3600000"
        );
        assert!(SlotRing::new(3_600_001).is_err());
    }
}
