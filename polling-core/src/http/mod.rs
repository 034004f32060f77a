//! What a channel over HTTP needs: its limits read, its errors classified, its faults in bounds.
//!
//! A poll makes a [`Call`] for its job, and gets a whole [`Answer`] or a classified
//! [`PollError`](crate::PollError). This is the smallest poller that minds limits and unchanged
//! answers:
//!
#![cfg_attr(feature = "http", doc = "```")]
#![cfg_attr(not(feature = "http"), doc = "```ignore")]
//! use std::sync::Arc;
//!
//! use polling_core::{
//!     Event, Job, PollError, Polled, SystemClock, Topic,
//!     http::{HttpClient, HttpConfig, Validators, dialect::Dialect},
//! };
//!
//! #[derive(serde::Deserialize)]
//! struct Post {
//!     id: u64,
//!     text: String,
//! }
//!
//! async fn poll(http: &HttpClient, base: &str, job: &Job) -> Result<Polled, PollError> {
//!     let mut context = job.context.clone();
//!     let answer = http
//!         .get(job, base)
//!         .path(["accounts", job.account.as_str(), "posts"])
//!         .if_changed(&Validators::load(&context, "validators"))
//!         .send()
//!         .await?;
//!     answer.validators().store(&mut context, "validators");
//!     let mut polled = Polled::new(context);
//!     polled.allowances.extend_from_slice(answer.allowances());
//!     if answer.not_modified() {
//!         return Ok(polled);
//!     }
//!     let topic = Topic::new("posts").expect("posts is a topic");
//!     for post in answer.json::<Vec<Post>>()? {
//!         polled.events.push(Event::new(topic.clone(), post.id.to_string(), post.text,
//!         job.due_ms));
//!     }
//!     Ok(polled)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `private_hosts` for this local server alone: leave it out for a real channel.
//! let config = HttpConfig {
//!     private_hosts: vec!["127.0.0.1".to_owned()],
//!     ..HttpConfig::new("acme-posts/1.2 (+https://acme.example)")
//! };
//! let http = HttpClient::new(config, Dialect::mastodon(), Arc::new(SystemClock))?;
//! # let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let base = format!("http://{}", server.local_addr()?);
//! # let answer = async {
//! #     use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//! #     let (mut caller, _) = server.accept().await?;
//! #     let _ = caller.read(&mut [0; 4096]).await?;
//! #     let body = r#"[{"id":7,"text":"hello"}]"#;
//! #     let head = "HTTP/1.1 200 OK\r\netag: \"1\"\r\nx-ratelimit-limit: 300\r\nx-ratelimit-remaining: 299";
//! #     caller.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
//! # };
//! # let job = Job::new(polling_core::model::Job {
//! #     id: "posts:42".parse()?, channel: "mastodon".parse()?, job_type: "posts".parse()?,
//! #     account: "42".parse()?, level: "gold".parse()?,
//! #     token: polling_core::model::Token::from_wire("00000000000000a1.1.00000000000000b2")?,
//! #     due_ms: 0, not_after_ms: 60_000, context: polling_core::Context::new(),
//! # }, 0);
//! # let (polled, answered) = tokio::join!(poll(&http, &base, &job), answer);
//! # answered?;
//! # let polled = polled?;
//! assert_eq!(polled.events.len(), 1);
//! assert_eq!(polled.allowances[0].remaining, Some(299));
//! # assert!(Validators::load(&polled.context, "validators").etag.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! # What is held
//!
//! | of the channel | is bounded by | and ends as |
//! |---|---|---|
//! | a connection that is not made, silence | [`HttpConfig::connect_timeout`], [`HttpConfig::read_timeout`] | transient |
//! | slow bytes | [`HttpConfig::total_timeout`], and the job's deadline | transient, `timeout` |
//! | slow bytes of an error | [`caps::MAX_ERROR_BODY_TIME`] | what its status means |
//! | a flood of headers | 100 of them, some 400 KiB in all | transient, `broken` |
//! | a large body | [`HttpConfig::max_body_size_bytes`], as it streams in | invalid, `too_large` |
//! | redirects | [`HttpConfig::max_redirects`], never from https to http | invalid, `redirect` |
//! | a private address, written out, resolved or redirected to | [`HttpConfig::private_hosts`] | invalid, `private_address` |
//! | invalid UTF-8, broken JSON, wrong types | | invalid, `not_utf8`, `not_json` |
//! | a next page that cannot be read, or is another server's | | invalid, `link` |
//! | absurd limits and waits | [`caps`] | clamped |
//!
//! Compressed bodies are declined and never unpacked, so that none can burst. Errors and logs tell
//! the host alone: paths, queries, headers and bodies may hold secrets. A redirect to another
//! server gets none of the headers that a call was given, but for `Accept`, and no body.

pub mod caps;
pub mod dialect;

#[cfg(feature = "http")]
mod answer;
#[cfg(feature = "http")]
mod body;
#[cfg(feature = "http")]
mod call;
#[cfg(feature = "http")]
mod classify;
#[cfg(feature = "http")]
mod client;
#[cfg(feature = "http")]
mod config;
#[cfg(all(test, feature = "http"))]
mod fuzz;
#[cfg(feature = "http")]
mod guard;
#[cfg(feature = "http")]
mod link;
#[cfg(feature = "http")]
mod redirect;
#[cfg(feature = "http")]
mod validators;

#[cfg(feature = "http")]
pub use reqwest::Url;

#[cfg(feature = "http")]
pub use self::{
    answer::Answer,
    call::Call,
    client::{HttpClient, HttpClientError},
    config::HttpConfig,
    validators::Validators,
};
