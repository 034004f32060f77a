//! The scheduler of universal polling, to embed in a service: slots, leases, settling and policy.
//!
//! Each registered job cycles for ever: the [`Scheduler`] drains the due slot into work queues, a
//! worker polls and answers with a completion, and the scheduler settles it by placing the job
//! anew. A channel's registrations and slots live in a [`SlotStore`], its messages in queues; the
//! scheduler itself is stateless, and any number of them share the work.
//!
//! The smallest program, with everything in memory and a worker of three lines:
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use polling_model::{Clock, Completion, Context, Outcome, SlotRing, SystemClock, wire};
//! use polling_transport::{Queue, memory::MemoryQueue};
//! use scheduler_lib::{Channel, Limits, MemoryStore, Registration, Scheduler, policy::JobTypeRules};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let clock = Arc::new(SystemClock);
//! let queue = |name| MemoryQueue::builder(name, clock.clone()).build();
//! let (work, completed) = (queue("work"), queue("completed"));
//!
//! // One channel with one job type, polled every second.
//! let store = Arc::new(MemoryStore::new(SlotRing::SECONDS, clock.now_ms()));
//! let channel = Channel::builder("mastodon".parse()?, store)
//!     .job_type("posts".parse()?, JobTypeRules::every(Duration::from_secs(1)), work.clone())
//!     .completed(completed.clone())
//!     .dead_letter(queue("dead-letter"))
//!     .limits(Limits::of_seconds())
//!     .build()?;
//! let scheduler = Scheduler::builder().channel(channel).build();
//!
//! let registry = scheduler.registry(&"mastodon".parse()?).expect("the channel is served");
//! let (id, _) = registry.register(Registration::new("posts".parse()?, "42".parse()?)).await?;
//!
//! // The worker's side; `polling-core` does this and much more.
//! let worker = async {
//!     let message = &work.receive(1, Duration::from_secs(5)).await?[0];
//!     let job = wire::decode_job::<Context>(message.body.as_bytes())?;
//!     let context = Context::from_iter([("since_id", 7.into())]);
//!     let completion = Completion {
//!         id: job.id,
//!         job_type: job.job_type,
//!         token: job.token,
//!         outcome: Outcome::Succeeded { context, stopped: None },
//!         allowances: vec![],
//!         saturated: false,
//!         events: 0,
//!         created_ms: vec![],
//!         calls: 1,
//!         finished_ms: clock.now_ms(),
//!         sent_ms: None,
//!     };
//!     completed.send(vec![wire::encode_completion(&completion)?]).await;
//!     work.ack(&message.receipt).await?;
//!     while registry.get(&id).await?.state.settled_ms == 0 {
//!         tokio::time::sleep(Duration::from_millis(10)).await;
//!     }
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! };
//! scheduler.run(async { worker.await.expect("the job is settled") }).await;
//! assert_eq!(registry.get(&id).await?.context.as_str(), r#"{"since_id":7}"#);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! In a service, give [`Scheduler::run`] the signal of your own shutdown, or spawn it beside your
//! server: it is a plain future on your runtime.
//!
//! | module | subject |
//! |---|---|
//! | [`store`] | the port for registrations and slots, and the steps of the protocol |
//! | [`policy`] | when a job is polled next: a pure function |
//! | [`ledger`] | what is left of a channel's rate limits, for all schedulers |
//! | [`levels`] | where service levels come from |
//! | [`plan`] | what to expect: staleness and use, before jobs are registered |
//! | [`explain`] | why a job is where it is, in words |
//!
//! | feature | adds |
//! |---|---|
//! | `redis` | the slot store and the cache of service levels on Redis |
//! | `conformance` | the suite that every slot store passes |

mod channel;
mod cycle;
pub mod duration;
pub mod explain;
pub mod ledger;
pub mod levels;
mod limits;
mod live;
mod pace;
pub mod plan;
pub mod policy;
mod registry;
mod scheduler;
mod stable_hash;
pub mod store;

pub use channel::{Channel, ChannelBuilder, ChannelError};
pub use cycle::ChannelStatus;
pub use levels::{LevelsError, ServiceLevels};
pub use limits::Limits;
pub use registry::{
    Bursting, Change, HandedOver, QueueRole, QueueState, Registration, Registry, RegistryError,
    ScopeState,
};
pub use scheduler::{Monitor, Scheduler, SchedulerBuilder};
pub use store::{MemoryStore, SharedStore, SlotStore, StoreError};
