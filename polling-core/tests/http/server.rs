//! A channel on loopback that answers what a test wants, byte by byte.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What one request is answered with.
pub(crate) enum Reply {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// This, then one chunk of 64 KiB after the other, that many.
    Chunks(&'static str, usize),
    /// This, then one byte a second, for ever.
    Slow(&'static str),
    /// Nothing, for ever.
    Silence,
}

/// A status line's rest, headers, and a body of the right length.
pub(crate) fn reply(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    let mut bytes = (head + "connection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    Reply::Bytes(bytes)
}

/// The server, its address, and what it was asked.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) base: String,
    requests: Arc<Mutex<Vec<String>>>,
    chunks_sent: Arc<AtomicUsize>,
}

impl Server {
    /// Answers each request's head, in lower case but for the first line.
    pub(crate) async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            base: format!("http://{}", listener.local_addr().unwrap()),
            requests: Arc::default(),
            chunks_sent: Arc::default(),
        };
        let (mine, answer) = (server.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let (mine, answer) = (mine.clone(), answer.clone());
                // A caller that hangs up is what some tests are about.
                tokio::spawn(async move { mine.serve(caller, &*answer).await.ok() });
            }
        });
        server
    }

    /// The same, whatever it is asked.
    pub(crate) async fn always(
        status: &'static str,
        headers: &'static [&str],
        body: &'static [u8],
    ) -> Self {
        Self::start(move |_| reply(status, headers, body)).await
    }

    async fn serve(
        &self,
        mut caller: TcpStream,
        answer: &(dyn Fn(&str) -> Reply + Sync),
    ) -> std::io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(caller.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        self.requests.lock().unwrap().push(head.clone());
        match answer(&head) {
            Reply::Bytes(bytes) => caller.write_all(&bytes).await?,
            Reply::Chunks(head, chunks) => {
                caller.write_all(head.as_bytes()).await?;
                for _ in 0..chunks {
                    caller.write_all(b"10000\r\n").await?;
                    caller.write_all(&[b'x'; 0x1_0000]).await?;
                    caller.write_all(b"\r\n").await?;
                    self.chunks_sent.fetch_add(1, Ordering::SeqCst);
                }
                caller.write_all(b"0\r\n\r\n").await?;
            }
            Reply::Slow(head) => {
                caller.write_all(head.as_bytes()).await?;
                loop {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    caller.write_all(b" ").await?;
                }
            }
            Reply::Silence => std::future::pending().await,
        }
        caller.shutdown().await
    }

    /// The heads of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Chunks written so far.
    pub(crate) fn chunks_sent(&self) -> usize {
        self.chunks_sent.load(Ordering::SeqCst)
    }
}
