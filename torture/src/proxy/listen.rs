//! [`Proxy`]: accepts connections, or does not.

use std::{collections::BTreeMap, fmt, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::{
    connection,
    counts::{Counts, Fault},
    faults::Faults,
    sqs::Received,
    wire::Protocol,
};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// How often, and in what steps, a port just given up is asked for again: 5 s, on a busy machine.
const REBIND_TRIES: usize = 500;
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// A proxy before one server. Dropped, it ends with all its connections.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    faults: watch::Sender<Faults>,
    resets: watch::Sender<u64>,
    /// Whether nobody listens, as it is by now.
    shut: watch::Receiver<bool>,
    accepting: JoinHandle<()>,
}

/// What all connections of a proxy share.
pub(super) struct Shared {
    pub(super) upstream: SocketAddr,
    pub(super) protocol: Protocol,
    pub(super) seed: u64,
    pub(super) faults: watch::Receiver<Faults>,
    pub(super) counts: Counts,
    pub(super) received: Received,
}

impl Proxy {
    /// Listens at `listen` (port 0: any), and connects each client to `upstream`, which need not be
    /// there yet: then clients are reset. Call it within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// When `listen` cannot be listened at.
    pub async fn start(
        listen: SocketAddr,
        upstream: SocketAddr,
        protocol: Protocol,
        seed: u64,
    ) -> io::Result<Self> {
        let listener = open_at(listen).await?;
        let address = listener.local_addr()?;
        let (faults, now) = watch::channel(Faults::default());
        let (resets, reset) = watch::channel(0);
        let (told_shut, shut) = watch::channel(false);
        let shared = Arc::new(Shared {
            upstream,
            protocol,
            seed,
            faults: now,
            counts: Counts::default(),
            received: Received::default(),
        });
        let door = Door {
            address,
            shared: shared.clone(),
            resets: reset,
            shut: told_shut,
        };
        Ok(Self {
            address,
            shared,
            faults,
            resets,
            shut,
            accepting: tokio::spawn(door.keep(listener)),
        })
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on these faults and no others, also on open connections. It holds when this
    /// returns: with [`refuse`](Faults::refuse), nobody listens any more, or somebody does again.
    ///
    /// # Errors
    ///
    /// When another program took the port while nobody listened; the proxy has ended then.
    pub async fn set(&self, faults: Faults) -> io::Result<()> {
        let refuse = faults.refuse;
        self.faults.send_replace(faults);
        let shut = self
            .shut
            .clone()
            .wait_for(|shut| *shut == refuse)
            .await
            .is_ok();
        let ended = || io::Error::other(format!("the proxy at {} has ended", self.address));
        shut.then_some(()).ok_or_else(ended)
    }

    /// Resets all open connections, dead ones too.
    pub fn reset_open(&self) {
        self.resets.send_modify(|resets| *resets += 1);
    }

    /// How often each [`Fault`] was injected, by name; all are there, also those that were not.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.shared.counts.by_name()
    }

    /// Ends it with all its connections, and returns when nobody listens any more.
    pub async fn stop(mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("upstream", &self.shared.upstream)
            .field("protocol", &self.shared.protocol)
            .finish_non_exhaustive()
    }
}

/// Lets connections in, or shuts them out.
struct Door {
    address: SocketAddr,
    shared: Arc<Shared>,
    resets: watch::Receiver<u64>,
    shut: watch::Sender<bool>,
}

impl Door {
    async fn keep(self, listener: TcpListener) {
        let mut faults = self.shared.faults.clone();
        let mut listener = Some(listener);
        let mut connections = JoinSet::new();
        let mut number = 0;
        loop {
            tokio::select! {
                biased;
                changed = faults.changed() => {
                    let refuse = faults.borrow_and_update().refuse;
                    if changed.is_err() {
                        return;
                    }
                    if refuse && let Some(open) = listener.take() {
                        drop(open);
                        self.shared.counts.add(Fault::Refuse, 1);
                    } else if !refuse && listener.is_none() {
                        let Ok(open) = open_at(self.address).await else {
                            return;
                        };
                        listener = Some(open);
                    }
                    self.shut.send_replace(refuse);
                }
                Some(_) = connections.join_next() => {}
                accepted = accept(listener.as_ref()) => match accepted {
                    Ok((client, _)) => {
                        connections.spawn(self.serve(client, number));
                        number += 1;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        sleep(RETRY_INTERVAL).await;
                    }
                },
            }
        }
    }

    fn serve(&self, client: TcpStream, number: u64) -> impl Future<Output = ()> + use<> {
        let (shared, mut resets) = (self.shared.clone(), self.resets.clone());
        resets.mark_unchanged(); // those before its time do not concern it
        async move {
            if let Err(error) = connection::serve(client, number, &shared, resets).await {
                tracing::debug!(%error, "a connection could not be ended as it should");
            }
        }
    }
}

/// The port may be kept for moments by what was on it, such as the proxy of the scenario before.
async fn open_at(address: SocketAddr) -> io::Result<TcpListener> {
    let mut tries = 1;
    loop {
        match bind(address).and_then(|socket| socket.listen(BACKLOG)) {
            Err(error) if tries < REBIND_TRIES => {
                tracing::warn!(%error, %address, "not yet listening");
            }
            opened => return opened,
        }
        tries += 1;
        sleep(RETRY_INTERVAL).await;
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}
