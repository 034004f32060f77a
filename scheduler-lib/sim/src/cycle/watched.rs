//! Ports between the faults and the adapters in memory: here every effect is seen as it happens.

mod bus;
mod queue;
mod store;

pub(crate) use self::{
    bus::WatchedBus,
    queue::{Carries, WatchedQueue, since},
    store::WatchedStore,
};
