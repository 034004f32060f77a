//! The whole system under force: schedulers, workers and servers as processes that are killed,
//! stopped and cut off, and oracles that watch from outside.
//!
//! `dev/torture` builds and starts the program; README.md tells how to add a scenario.
//!
//! | module | subject |
//! |---|---|
//! | [`process`], [`servers`] | what is killed, stopped and continued |
//! | [`stage`] | one run's channel, queues, schedulers, workers |
//! | [`load`] | clients that register, edit and remove meanwhile |
//! | [`oracle`] | what watches: places, histories of records, events, gaps |
//! | [`scenario`] | which faults when, and what they excuse |
//! | [`runner`], [`report`], [`board`] | playing a scenario, and telling how it went |

pub mod admin;
pub mod board;
pub mod clock;
pub mod faults;
pub mod http;
pub mod load;
pub mod oracle;
pub mod process;
pub mod proxy;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod servers;
pub mod stage;
