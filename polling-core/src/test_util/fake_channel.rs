//! An HTTP server that does as it is told.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinSet, spawn_blocking},
    time::sleep,
};
use tokio_util::task::AbortOnDropHandle;

use super::{Reply, Request};
#[cfg(feature = "http")]
use crate::{
    SharedClock,
    http::{HttpClient, HttpConfig, dialect::Dialect},
};

/// Most requests that are kept.
const MAX_REQUESTS: usize = 100_000;

/// How far paused time jumps at once while a fake channel is up, and how long sockets then have
/// for theirs, in real time.
const JUMP: Duration = Duration::from_millis(100);
const BREATH: Duration = Duration::from_millis(1);

/// A channel on the loopback interface, each of whose answers is made by a function of yours. It
/// ends when it is dropped.
///
/// ```
/// use polling_core::test_util::{FakeChannel, Reply};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let channel = FakeChannel::start(|request| match request.path.as_str() {
///     "/posts" => Reply::json(r#"[{"id": 7}]"#),
///     _ => Reply::status(404),
/// }).await?;
///
/// # rustls::crypto::ring::default_provider().install_default().ok();
/// let answer = reqwest::get(channel.url("/posts?since_id=6")).await?;
/// assert_eq!(answer.text().await?, r#"[{"id": 7}]"#);
/// assert_eq!(channel.requests()[0].number("since_id"), Some(6));
/// # Ok(())
/// # }
/// ```
///
/// # Time
///
/// Paused time jumps to the next timer as soon as no task can run, and a socket in use does not
/// keep it from that: a client would run into its timeout while the answer is on its way. So as
/// long as a fake channel is up, paused time moves in steps of 100 ms, after each of which sockets
/// have a millisecond of real time: latencies and timeouts in seconds are kept in order, and take
/// a hundredth of their time. Time that is not paused is left alone.
pub struct FakeChannel {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    _serving: AbortOnDropHandle<()>,
    _hurrying: AbortOnDropHandle<()>,
}

type Answer = Box<dyn FnMut(&Request) -> Reply + Send>;

#[derive(Clone)]
struct State {
    answer: Arc<Mutex<Answer>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl FakeChannel {
    /// A channel that answers with `answer`, on a free port. It is called for one request after
    /// the other; when it panics, the connection ends.
    ///
    /// # Errors
    ///
    /// When the loopback interface cannot be listened on.
    pub async fn start(answer: impl FnMut(&Request) -> Reply + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let state = State {
            answer: Arc::new(Mutex::new(Box::new(answer))),
            requests: requests.clone(),
        };
        Ok(Self {
            address,
            requests,
            _serving: AbortOnDropHandle::new(tokio::spawn(serve(listener, state))),
            _hurrying: AbortOnDropHandle::new(tokio::spawn(hurry())),
        })
    }

    /// A channel that gives these answers in their order, and the last one for ever.
    ///
    /// # Errors
    ///
    /// When the loopback interface cannot be listened on.
    pub async fn script(replies: impl IntoIterator<Item = Reply>) -> io::Result<Self> {
        let mut replies: Vec<Reply> = replies.into_iter().collect();
        replies.reverse();
        Self::start(move |_| match replies.len() {
            0 => Reply::status(404),
            1 => replies[0].clone(),
            _ => replies.remove(replies.len() - 1),
        })
        .await
    }

    /// The address of `path`, such as `http://127.0.0.1:4040/posts`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{}", self.address, path.trim_start_matches('/'))
    }

    /// A client that may call it though its address is private; with the feature `http`.
    ///
    /// # Panics
    ///
    /// Never: its settings are valid.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn client(&self, dialect: Dialect, clock: SharedClock) -> HttpClient {
        let config = HttpConfig {
            private_hosts: vec![self.address.ip().to_string()],
            ..HttpConfig::new("test/1.0")
        };
        HttpClient::new(config, dialect, clock).expect("the settings are valid")
    }

    /// The requests so far, in the order they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }
}

async fn serve(listener: TcpListener, state: State) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if let Ok((stream, _)) = listener.accept().await {
            // A client that goes away is none of the channel's business.
            let state = state.clone();
            connections.spawn(async move { state.converse(stream).await.ok() });
        }
    }
}

impl State {
    async fn converse(self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let Some(request) = Request::read(&mut stream).await? else {
            return Ok(());
        };
        {
            let mut requests = lock(&self.requests);
            if requests.len() < MAX_REQUESTS {
                requests.push(request.clone());
            }
        }
        let reply = (lock(&self.answer))(&request);
        reply.write(&mut stream).await
    }
}

/// While a blocking task runs, paused time stands still: sockets have their time. Then it jumps.
async fn hurry() {
    loop {
        let breath = spawn_blocking(|| std::thread::park_timeout(BREATH));
        if breath.await.is_err() {
            return;
        }
        sleep(JUMP).await;
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // What a panicking answer leaves behind is the test's own.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for FakeChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeChannel")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
