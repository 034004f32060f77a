//! What watches from outside. Nothing here shares code with the SDK: it reads Redis, the queues,
//! the fake channel's log, and Kafka.
//!
//! | module | holds |
//! |---|---|
//! | [`places`] | at every instant each registered job is in exactly one place |
//! | [`record`], [`history`] | no token is accepted twice, generations only grow |
//! | [`tap`] | every write of a record, as Redis carries it out |
//! | [`calls`] | what the channel answered: gaps, lateness, cost |
//! | [`events`] | every post offered is in Kafka, and nothing else |
//! | [`queues`] | how much waits in each queue |
//! | [`watch`] | all of these during a run |

pub mod calls;
pub mod events;
pub mod history;
pub mod places;
pub mod queues;
pub mod record;
pub mod tap;
pub mod watch;
