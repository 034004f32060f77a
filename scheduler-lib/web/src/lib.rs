//! What people and programs see of a scheduler over HTTP: a JSON API below `/v1`, a console for the browser below
//! `/console`, health at `/healthz` and `/readyz`.
//!
//! ```
//! use std::sync::Arc;
//!
//! use polling_model::{SharedClock, SlotRing, SystemClock};
//! use polling_transport::memory::MemoryQueue;
//! use scheduler_lib::{Channel, MemoryStore, Scheduler, policy::JobTypeRules};
//! use scheduler_web::{Options, Secret, Web};
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn program() -> Result<(), Box<dyn std::error::Error>> {
//! let clock: SharedClock = Arc::new(SystemClock);
//! let queue = |name: &str| MemoryQueue::builder(name, Arc::clone(&clock)).build();
//! let store = MemoryStore::new(SlotRing::MINUTES, clock.now_ms());
//! let channel = Channel::builder("mastodon".parse()?, Arc::new(store))
//!     .job_type("posts".parse()?, JobTypeRules::every(std::time::Duration::from_secs(300)), queue("posts"))
//!     .completed(queue("completed"))
//!     .dead_letter(queue("dead-letter"))
//!     .build()?;
//! let scheduler = Scheduler::builder().clock(Arc::clone(&clock)).channel(channel).build();
//!
//! let mut options = Options::default();
//! options.token = Some(Secret::new(std::env::var("ADMIN_TOKEN")?));
//! let listener = tokio::net::TcpListener::bind(options.listen).await?;
//! let web = Web::new(&scheduler, clock, options);
//! let stop = CancellationToken::new();
//! tokio::spawn(scheduler_web::serve(listener, web.router(), stop.clone()));
//! scheduler.run(stop.cancelled_owned()).await;
//! # Ok(())
//! # }
//! ```
//!
//! | module | subject |
//! |---|---|
//! | [`Web`] | the server, and what it is made of |
//! | [`Options`] | how it is reached, who may call, and its bounds |
//! | [`Recent`] | what happened in the last ten minutes, as an observer of the scheduler |
//! | [`settings`] | settings that change, as whoever keeps them shows them |
//! | [`access`] | who calls, what they may do, what they did |
//!
//! Who calls is told by a token, by basic authentication, by the console's form, or by a reverse proxy; a **reader** sees
//! everything and changes nothing. Without credentials configured the API is open, which is only meant for loopback, and the
//! console stays closed.

pub mod access;
mod api;
mod console;
mod guard;
mod health;
mod load;
mod options;
mod recent;
mod secret;
mod serve;
pub mod settings;
pub mod suggest;
mod web;

pub use self::{
    options::{Options, Problem, Proxy, User},
    recent::Recent,
    secret::Secret,
    serve::serve,
    web::{ScalingView, Web, WebBuilder},
};
