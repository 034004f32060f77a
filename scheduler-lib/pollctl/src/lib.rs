//! The operator's command line of universal polling: a thin shell over the admin API of a scheduler,
//! JSON over HTTP.
//!
//! The program is `pollctl`; `pollctl --help` tells its commands and exit codes, and its README and
//! the how-to of the book show them at work. To call it from a program of your own, give it arguments
//! and somewhere to write:
//!
//! ```
//! use std::sync::Arc;
//!
//! use clap::Parser;
//! use pollctl::{Cli, Io};
//! use polling_model::SystemClock;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let (mut out, mut err) = (Vec::new(), Vec::new());
//! let cli = Cli::try_parse_from(["pollctl", "completions", "bash"])?;
//! let code = cli
//!     .execute(Io {
//!         out: &mut out,
//!         err: &mut err,
//!         input: &mut std::io::empty(),
//!         colours: false,
//!         asks: false,
//!         progress: false,
//!         token: None,
//!         clock: Arc::new(SystemClock),
//!     })
//!     .await;
//! assert_eq!(code, 0);
//! assert!(String::from_utf8(out)?.contains("_pollctl"));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! Features: `tls`, on by default, for `https://` with the system's root certificates.

mod cli;
mod client;
mod commands;
mod failure;
mod output;
mod program;
mod session;
mod suggest;
mod table;
mod time;
mod token;

pub use self::{cli::Cli, session::Io, token::Token};
