//! The present of a channel, and how it is kept up to date.

use std::{io::ErrorKind, net::SocketAddr, time::Duration};

use axum::http::StatusCode;
use scheduler_lib::store::{Hold, SlotStore};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Desk, Who, basic};

const NOW: &str = "/console/channels/mastodon/now";

/// Longest wait for what comes within a second or two.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn the_ring_is_a_picture_a_sentence_and_a_table() {
    let desk = Desk::open();
    desk.register("42").await;
    let page = desk.see(NOW).await;
    page.has("<svg id=\"ring\"")
        .has("aria-hidden=\"true\"")
        .has("1 jobs in 1\u{202f}440 slots.")
        .has("has 1.")
        .has("<th scope=\"row\"><a id=\"part-8\"");
    assert!(page.html.len() < 64 * 1024, "{}", page.html.len());
}

#[tokio::test]
async fn nobody_watches_without_credentials() {
    let desk = Desk::open();
    let page = desk.get(Who::Nobody, &format!("{NOW}/live")).await;
    assert!(page.leads_to().starts_with("/console/login?"));
    assert_eq!(page.html, "");
}

#[tokio::test]
async fn what_is_held_is_told_by_hold_and_leads_to_its_jobs() {
    let desk = Desk::open();
    desk.hold("7", Hold::Quarantined, "3 dead letters").await;
    desk.hold("8", Hold::Paused, "by hand").await;
    desk.see(NOW)
        .await
        .has("jobs?place=quarantined\">quarantined 1</a>")
        .has("jobs?place=parked\">parked 0</a>");
}

#[tokio::test]
async fn a_stopped_channel_says_why_as_text() {
    let desk = Desk::open();
    desk.store.stop(Some("<b>holiday</b>")).await.unwrap();
    desk.see(NOW)
        .await
        .has("&lt;b&gt;holiday&lt;/b&gt;")
        .lacks("<b>holiday");
}

#[tokio::test]
async fn a_part_of_the_ring_is_looked_at_closely() {
    let desk = Desk::open();
    desk.see(&format!("{NOW}?part=23")).await.has("from 23:00");
    for wrong in ["24", "-1", "x"] {
        let page = desk
            .get(Who::Operator, &format!("{NOW}?part={wrong}"))
            .await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// A stream of events, as far as it was read.
struct Stream {
    socket: TcpStream,
    read: String,
}

impl Stream {
    async fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET {NOW}/live HTTP/1.1\r\nhost: {address}\r\nauthorization: {}\r\n\r\n",
            basic("rita")
        );
        socket.writable().await.unwrap();
        // A new connection takes a short request as a whole.
        assert_eq!(socket.try_write(request.as_bytes()).unwrap(), request.len());
        let read = String::new();
        Self { socket, read }
    }

    /// Reads on until it has told this.
    async fn until(&mut self, text: &str) {
        while !self.read.contains(text) {
            assert!(self.more().await, "it ended without {text:?}");
        }
    }

    /// Whether it goes on.
    async fn more(&mut self) -> bool {
        let mut chunk = vec![0; 64 * 1024];
        let ready = timeout(SOON, self.socket.readable()).await;
        ready.expect("it says something or ends").unwrap();
        let read = match self.socket.try_read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
            read => read.unwrap_or(0),
        };
        self.read.push_str(&String::from_utf8_lossy(&chunk[..read]));
        read > 0
    }
}

async fn serve(desk: &Desk) -> (SocketAddr, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let router = desk.router.clone();
    tokio::spawn(scheduler_web::serve(listener, router, stop.clone()));
    (address, stop)
}

#[tokio::test]
async fn a_change_is_told_to_who_watches_and_the_stream_ends_with_the_server() {
    let desk = Desk::open();
    let (address, stop) = serve(&desk).await;
    let mut stream = Stream::open(address).await;
    stream.until("event: supply").await;
    assert!(stream.read.contains("of 0 registered"), "{}", stream.read);
    desk.register("42").await;
    stream.until("of 1 registered").await;
    stop.cancel();
    while stream.more().await {}
}

#[tokio::test]
async fn no_more_pages_are_kept_up_to_date_than_allowed() {
    let desk = Desk::open();
    let (address, stop) = serve(&desk).await;
    let mut streams = Vec::new();
    for _ in 0..32 {
        let mut stream = Stream::open(address).await;
        stream.until("event: figures").await;
        streams.push(stream);
    }
    let mut refused = Stream::open(address).await;
    refused
        .until("as many pages as allowed are kept up to date (32)")
        .await;
    assert!(refused.read.starts_with("HTTP/1.1 503"), "{}", refused.read);
    // Who goes makes room, once their absence is seen.
    drop(streams.pop());
    loop {
        let mut next = Stream::open(address).await;
        next.until("\r\n\r\n").await;
        if next.read.starts_with("HTTP/1.1 200") {
            break;
        }
    }
    stop.cancel();
}
