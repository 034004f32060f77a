//! The kinds of fault, how often each happens, and the draw.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use polling_model::Generator;
use tokio_util::sync::CancellationToken;

macro_rules! faults {
    ($($(#[$doc:meta])* $kind:ident, $name:ident;)*) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {$(
            $(#[$doc])*
            $kind,
        )*}

        impl Fault {
            /// Every kind, in order.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The name used in reports and on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$kind => stringify!($name),)*}
            }
        }

        /// How often each fault happens. Those of calls are probabilities per call, those that
        /// strike a process, the store or a job are per simulated hour.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct FaultRates {$(
            $(#[$doc])*
            pub $name: f64,
        )*}

        impl FaultRates {
            /// The rate of one kind.
            #[must_use]
            pub const fn of(&self, fault: Fault) -> f64 {
                match fault {$(Fault::$kind => self.$name,)*}
            }

            /// Sets the rate of one kind.
            pub const fn set(&mut self, fault: Fault, rate: f64) {
                match fault {$(Fault::$kind => self.$name = rate,)*}
            }
        }
    };
}

faults! {
    /// Per call: the calling process dies right before or right after the call's effect.
    Crash, crash;
    /// Per call: it takes some time, before or after its effect.
    Delay, delay;
    /// Per call of a store: it fails and changed nothing.
    StoreRefused, store_refused;
    /// Per call of a store: it had its effect and fails.
    StoreLostReply, store_lost_reply;
    /// Per call of a queue: it fails and changed nothing.
    QueueRefused, queue_refused;
    /// Per call of a queue: it had its effect and fails.
    QueueLostReply, queue_lost_reply;
    /// Per batch: a part of it is sent, or received.
    PartialBatch, partial_batch;
    /// Per batch of messages or events: one of them is there once more, some minutes later.
    Duplicate, duplicate;
    /// Per acknowledgement: the deleted message is delivered again, some minutes later.
    DeliveryAfterDelete, delivery_after_delete;
    /// Per batch: its order is lost.
    Reordering, reordering;
    /// Per acknowledgement or heartbeat: the receipt is not valid any more.
    StaleReceipt, stale_receipt;
    /// Per batch of events: some are not delivered.
    BusFailed, bus_failed;
    /// Per batch of events: all are delivered, and some reported as failed.
    BusLostReply, bus_lost_reply;
    /// Per batch of events: delivery, or its report, takes up to a minute.
    BusSlow, bus_slow;
    /// Per call of the channel: it answers with an error.
    ApiError, api_error;
    /// Per call of the channel: it never answers.
    ApiHang, api_hang;
    /// Per hour: a process dies, wherever it is.
    Kill, kill;
    /// Per hour: a process is shut down in good order and started again.
    Restart, restart;
    /// Per hour: a process stands still for up to some minutes, and then goes on.
    Stall, stall;
    /// Per hour: the clock of a process jumps, and jumps back after some minutes.
    ClockJump, clock_jump;
    /// Per hour: the store loses its last minute of writes.
    Rollback, rollback;
    /// Per hour: for some minutes, each poll of one job panics or kills its worker.
    Poison, poison;
    /// Per hour: bytes that nobody can decode arrive on a queue.
    Garbage, garbage;
    /// Per poll: the new context is too large for a completion, or for the work queue.
    Oversize, oversize;
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no fault's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no fault is called {0}")]
pub struct UnknownFault(String);

impl std::str::FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.iter().find(|fault| fault.as_str() == name);
        found.copied().ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

/// How often each kind of fault happened.
pub type FaultCounts = BTreeMap<&'static str, u64>;

/// Draws faults from a seed, until they are healed.
#[derive(Debug)]
pub(crate) struct Faults {
    rates: FaultRates,
    generator: Generator,
    counts: Mutex<FaultCounts>,
    pub(crate) healed: CancellationToken,
}

impl Faults {
    pub(crate) fn new(rates: FaultRates, generator: Generator) -> Self {
        Self {
            rates,
            generator,
            counts: Mutex::default(),
            healed: CancellationToken::new(),
        }
    }

    /// At most one of the kinds, each with its probability.
    pub(crate) fn draw(&self, among: &[Fault]) -> Option<Fault> {
        if self.healed.is_cancelled() {
            return None;
        }
        let mut at = self.generator.fraction();
        let drawn = among.iter().copied().find(|fault| {
            at -= self.rates.of(*fault);
            at < 0.0
        })?;
        self.count(drawn);
        Some(drawn)
    }

    pub(crate) fn count(&self, fault: Fault) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(fault.as_str()).or_insert(0) += 1;
    }

    pub(crate) const fn rates(&self) -> &FaultRates {
        &self.rates
    }

    pub(crate) const fn generator(&self) -> &Generator {
        &self.generator
    }

    /// Either of two ways.
    pub(crate) fn toss(&self) -> bool {
        self.generator.below(2) == 0
    }

    pub(crate) fn counts(&self) -> FaultCounts {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.clone()
    }
}
