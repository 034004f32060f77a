//! Making a bus stall or fail, for tests of what publishes to it.

use super::MemoryBus;
use crate::bus::BusErrorKind;

impl MemoryBus {
    /// Stops delivery: what is published from now on is taken while there is room, and neither
    /// delivered nor reported until [`resume`](Self::resume). A report not in by the bus's
    /// deadline is [`BusErrorKind::Timeout`]; the event may still be delivered later, as on a real
    /// bus.
    pub fn pause(&self) {
        self.log().pause();
    }

    /// Delivers what was taken since [`pause`](Self::pause), in its order, and goes on.
    pub fn resume(&self) {
        self.log().resume();
        self.inner.changed.notify_waiters();
    }

    /// The next `count` events are not delivered and reported as `kind`; 0 ends that.
    pub fn fail_next(&self, count: usize, kind: BusErrorKind) {
        self.log().fail_next(count, kind);
    }
}
