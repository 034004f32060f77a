//! An external scaler for KEDA: the decisions of [`scaling`](crate::scaling) over gRPC.
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//! use polling_model::{ChannelId, JobType, SystemClock};
//! use polling_ops::{
//!     keda::{Board, Target, serve},
//!     scaling::{Sample, ScalingRules, ScalingState, decide},
//! };
//! use tokio::net::TcpListener;
//!
//! # async fn program(sample: Sample) -> Result<(), Box<dyn std::error::Error>> {
//! let board = Board::new(Arc::new(SystemClock), Duration::from_secs(60));
//! let listener = TcpListener::bind("127.0.0.1:7071").await?;
//! let server = tokio::spawn(serve(listener, board.scaler(), std::future::pending()));
//!
//! let posts = Target { channel: ChannelId::new("mastodon")?, job_type: JobType::new("posts")? };
//! let (decision, state) = decide(&ScalingRules::default(), ScalingState::default(), &sample);
//! board.post(posts, &decision);
//! # let _ = (server, state); Ok(())
//! # }
//! ```
//!
//! A trigger names the channel and the job type:
//!
//! ```yaml
//! triggers:
//!   - type: external-push          # or external: then KEDA asks, and is not told at once when work comes
//!     metadata:
//!       scalerAddress: scheduler.polling:7071
//!       channel: mastodon
//!       jobType: posts
//! ```
//!
//! There is one metric, `workers`, with a target of 1: its value is the number of workers.
//! Where there is no decision, or none of late, the answer is the status `UNAVAILABLE`: KEDA then leaves the number as it
//! is, or takes the ScaledObject's `fallback`.

mod board;
pub mod proto;
mod scaler;
mod serve;

pub use self::{
    board::{Board, Target},
    scaler::Scaler,
    serve::serve,
};
pub use crate::serve::{MAX_CONNECTIONS, SHUTDOWN_GRACE};
