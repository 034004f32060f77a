//! What is around a worker, in a few lines, so that it can be seen at work alone: a channel, a
//! scheduler, a consumer. No part of a real deployment; delete it when you no longer need it.

pub(crate) mod channel;
pub(crate) mod consumer;
pub(crate) mod scheduler;
