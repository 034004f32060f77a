//! The server, and the space that queues share on it.

use std::{fmt, sync::Arc, time::Duration};

use polling_model::Generator;

use super::link::{Link, LinkOptions};
use crate::{
    fault::Fault,
    queue::{QueueError, QueueErrorKind},
};

/// Longest name of a queue, a space or a consumer.
pub const MAX_NAME_LEN: usize = 80;

/// A consumer is removed that holds nothing and did nothing for so long, unless set.
pub const CONSUMER_IDLE: Duration = Duration::from_secs(3_600);

/// The connection that the queues of one space share, and what they connect with.
///
/// All keys of a space have its name as hash tag, so that one node of a Redis Cluster has them: a
/// message moves to the dead-letter queue in one step. So the queues of a channel belong into one
/// space, and different channels into different ones. Nothing is connected before it is used.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    link: Link,
    url: String,
    options: LinkOptions,
    space: String,
    consumer: String,
    consumer_idle: Duration,
    generator: Generator,
}

/// Options of a [`Client`].
#[must_use = "a builder does nothing until it is built"]
pub struct ClientBuilder {
    url: String,
    space: String,
    options: LinkOptions,
    consumer: String,
    consumer_idle: Duration,
    generator: Generator,
}

impl Client {
    /// Queues of the space called `space` at `url`, `redis://user:password@host:port/database`.
    /// A name has up to [`MAX_NAME_LEN`] letters, digits, hyphens, underscores and dots; that of a
    /// space may have colons, so that it can be the tag of other keys that belong on that node.
    ///
    /// On a Redis Cluster any node's address will do, its database left out, or several,
    /// `redis://host:port,host:port/`.
    pub fn builder(url: impl Into<String>, space: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            space: space.into(),
            options: LinkOptions::default(),
            consumer: "polling".to_owned(),
            consumer_idle: CONSUMER_IDLE,
            generator: Generator::from_os(),
        }
    }

    /// Hosts and ports, without credentials.
    #[must_use]
    pub fn address(&self) -> &str {
        self.0.link.address()
    }

    /// The space's name.
    #[must_use]
    pub fn space(&self) -> &str {
        &self.0.space
    }

    pub(super) fn link(&self) -> &Link {
        &self.0.link
    }

    /// A connection besides the shared one, for calls that the server holds.
    pub(super) fn another_link(&self) -> Result<Link, Fault> {
        Link::new(&self.0.url, &self.0.options).map_err(|_| no_address())
    }

    /// The name of a consumer that nobody else has.
    pub(super) fn new_consumer(&self) -> String {
        format!("{}-{:016x}", self.0.consumer, self.0.generator.next_u64())
    }

    pub(super) fn consumer_idle(&self) -> Duration {
        self.0.consumer_idle
    }

    /// The key of a queue's settings, with which its other keys begin.
    pub(super) fn key_of(&self, queue: &str) -> Result<String, Fault> {
        check_name("queue", queue, "-_.")?;
        Ok(format!("polling:{{{}}}:queue:{queue}", self.0.space))
    }
}

impl ClientBuilder {
    /// How to connect: deadlines and, for `rediss://`, certificates.
    pub fn link(mut self, options: LinkOptions) -> Self {
        self.options = options;
        self
    }

    /// The first part of the name under which operators see who holds a message, `polling` by
    /// default; each queue of each process adds a random part.
    pub fn consumer(mut self, name: impl Into<String>) -> Self {
        self.consumer = name.into();
        self
    }

    /// A consumer is removed that holds nothing and did nothing for so long, [`CONSUMER_IDLE`] by
    /// default. One that comes back is there again.
    pub fn consumer_idle(mut self, idle: Duration) -> Self {
        self.consumer_idle = idle;
        self
    }

    /// Where the random parts of names come from; seeded by the operating system by default.
    pub fn generator(mut self, generator: Generator) -> Self {
        self.generator = generator;
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// [`QueueErrorKind::Other`] when the address is none, or a name is not as it should be. The
    /// error repeats no password.
    pub fn build(self) -> Result<Client, QueueError> {
        let failed = |fault: Fault| fault.into_error(&format!("space {}", self.space), "open");
        check_name("space", &self.space, "-_.:").map_err(failed)?;
        check_name("consumer", &self.consumer, "-_.").map_err(failed)?;
        let link = Link::new(&self.url, &self.options).map_err(|_| failed(no_address()))?;
        Ok(Client(Arc::new(Inner {
            link,
            url: self.url,
            options: self.options,
            space: self.space,
            consumer: self.consumer,
            consumer_idle: self.consumer_idle,
            generator: self.generator,
        })))
    }
}

/// The client's error would be safe to show, the address that it is about is not.
fn no_address() -> Fault {
    let said =
        "the address is not redis://host:port/database (rediss:// needs the feature redis-tls)";
    Fault::new(QueueErrorKind::Other, said)
}

fn check_name(what: &str, name: &str, besides: &str) -> Result<(), Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || besides.contains(c);
    if !name.is_empty() && name.len() <= MAX_NAME_LEN && name.chars().all(allowed) {
        return Ok(());
    }
    let said = format!(
        "the name of a {what} has 1 to {MAX_NAME_LEN} letters, digits and {besides}, not {name:?}"
    );
    Err(Fault::new(QueueErrorKind::Other, said))
}

/// Without the address, which may hold a password.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address())
            .field("space", &self.0.space)
            .finish_non_exhaustive()
    }
}

/// Without the address, which may hold a password.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("space", &self.space)
            .field("consumer", &self.consumer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    const URL: &str = "redis://user:a-secret@127.0.0.1:1/";

    #[test]
    fn keys_of_a_space_share_its_tag() {
        let client = Client::builder(URL, "mastodon:0").build().unwrap();
        assert_eq!(
            client.key_of("jobs").unwrap(),
            "polling:{mastodon:0}:queue:jobs"
        );
    }

    #[test]
    fn names_that_would_leave_their_key_are_refused() {
        for name in ["", "a:b", "a}b", "a b", &"x".repeat(MAX_NAME_LEN + 1)] {
            let client = Client::builder(URL, "space").build().unwrap();
            assert!(client.key_of(name).is_err(), "{name:?}");
            assert!(Client::builder(URL, "x").consumer(name).build().is_err());
        }
        assert!(Client::builder(URL, "a{b").build().is_err());
    }

    #[test]
    fn no_error_and_no_debug_tells_the_password() {
        let builder = Client::builder(URL, "space");
        assert!(!format!("{builder:?}").contains("a-secret"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("a-secret"));
        let error = Client::builder("http://:a-secret@x", "space")
            .build()
            .unwrap_err();
        let source = error.source().map(ToString::to_string).unwrap();
        assert!(!format!("{error}{source}").contains("a-secret"));
        assert!(source.contains("redis://host:port"), "{source}");
    }
}
