//! Takes down which commands a client sends.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::resp;

/// How a command begins by which a client tells about itself, after its number of arguments.
const ABOUT_CLIENT: &[u8] = b"$6\r\nCLIENT\r\n";

/// Commands as they were sent, one after the other.
#[derive(Debug, Default)]
pub struct Commands {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Commands {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The bytes of one, if there are so many.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<&[u8]> {
        let end = *self.ends.get(number)?;
        let begin = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[begin..end])
    }

    /// The first of them so many times.
    #[must_use]
    pub fn repeated(&self, times: usize) -> Self {
        let mut repeated = Self::default();
        for command in (0..times).filter_map(|_| self.get(0)) {
            repeated.push(command);
        }
        repeated
    }

    fn push(&mut self, command: &[u8]) {
        self.bytes.extend_from_slice(command);
        self.ends.push(self.bytes.len());
    }
}

/// Stands between a client and a Redis server.
#[derive(Debug)]
pub struct Recorder {
    address: String,
    taken: Arc<Taken>,
}

/// What its connections share.
#[derive(Debug, Default)]
struct Taken {
    commands: Mutex<Commands>,
    /// Whether commands are kept from the server.
    held: AtomicBool,
}

impl Taken {
    fn commands(&self) -> MutexGuard<'_, Commands> {
        // A command is put in as a whole.
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorder {
    /// Before the server at `server`, as `host:port`.
    ///
    /// # Errors
    ///
    /// That no port is free.
    pub async fn start(server: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let taken = Arc::default();
        tokio::spawn(accept(listener, server, Arc::clone(&taken)));
        Ok(Self { address, taken })
    }

    /// Where clients connect to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// What was sent since this was asked last.
    #[must_use]
    pub fn take(&self) -> Commands {
        std::mem::take(&mut *self.taken.commands())
    }

    /// How many commands were sent since.
    #[must_use]
    pub fn len(&self) -> usize {
        self.taken.commands().len()
    }

    /// Whether there were none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps commands from the server from now on, or no longer. Those that it was kept from are
    /// never answered.
    pub fn hold(&self, held: bool) {
        self.taken.held.store(held, Relaxed);
    }
}

async fn accept(listener: TcpListener, server: String, taken: Arc<Taken>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, taken) = (server.clone(), Arc::clone(&taken));
        // What breaks off is told by the client that it breaks off for.
        tokio::spawn(async move { relay(client, &server, &taken).await.ok() });
    }
}

async fn relay(client: TcpStream, server: &str, taken: &Taken) -> anyhow::Result<()> {
    let server = TcpStream::connect(server).await.context("no server")?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let answers = async { anyhow::Ok(copy(&mut from_server, &mut to_client).await.map(drop)?) };
    tokio::try_join!(answers, forward(from_client, to_server, taken)).map(drop)
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    taken: &Taken,
) -> anyhow::Result<()> {
    let mut open = Vec::with_capacity(1 << 20);
    loop {
        let before = open.len();
        if from.read_buf(&mut open).await? == 0 {
            return Ok(());
        }
        if !taken.held.load(Relaxed) {
            to.write_all(&open[before..]).await?;
        }
        let mut begin = 0;
        let mut commands = taken.commands();
        while let Some(end) = resp::end(&open, begin)? {
            // What a client says about itself is no part of its work.
            let command = &open[begin..end];
            let arguments = command.splitn(2, |&byte| byte == b'\n').nth(1);
            if !arguments.is_some_and(|rest| rest.starts_with(ABOUT_CLIENT)) {
                commands.push(command);
            }
            begin = end;
        }
        drop(commands);
        open.drain(..begin);
    }
}
