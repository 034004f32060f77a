//! The ready-made scheduler service: a thin shell around [`scheduler_lib`] that reads a
//! configuration, opens the servers it names, and runs.
//!
//! The program is `scheduler`; its README is the reference of the configuration and of the admin
//! server. To embed the scheduler in a service of your own, with other stores or queues, begin with
//! [`scheduler_lib`]. To change a part of this one, its parts are here:
//!
//! ```no_run
//! use scheduler::{config::Config, run};
//!
//! # async fn program() -> anyhow::Result<()> {
//! let config = Config::load("scheduler.toml".as_ref(), [])?;
//! let stop = run::stop_on_signals()?;
//! let listener = run::listen(config.admin.listen).await?;
//! run::run(&config, listener, stop).await
//! # }
//! ```
//!
//! | module | subject |
//! |---|---|
//! | [`config`] | the file, the environment's overrides, and what their errors say |
//! | [`servers`] | Redis and SQS: opened, looked at, queues created |
//! | [`adding`] | what `scheduler add-channel` does |
//! | [`check`] | what `--check` tells |
//! | [`explain`] | what `scheduler explain` tells |
//! | [`plan`] | what `scheduler plan` tells |
//! | [`moving`] | `scheduler export` and `scheduler import` |
//! | [`assemble`] | from both to a [`Scheduler`](scheduler_lib::Scheduler) |
//! | [`settings`] | what changes while it runs |
//! | [`metrics`] | gauges of stores and loops |
//! | [`probes`] | health over gRPC |
//! | [`scaling`] | how many workers there should be, told to KEDA |
//! | [`run`], [`cli`] | the life of the process, and its command line |
//!
//! Features: `redis-tls` for `rediss://`, with the system's root certificates.

pub mod adding;
pub mod assemble;
pub mod check;
pub mod cli;
pub mod config;
pub mod explain;
pub mod metrics;
pub mod moving;
pub mod plan;
pub mod probes;
pub mod run;
pub mod scaling;
pub mod servers;
pub mod settings;
pub mod traces;
