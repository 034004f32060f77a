//! A listener that goes away and comes back, over pipes, so that time can stand still.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use polling_model::{ManualClock, Observation, Observer as _};
use tokio::{
    io::{AsyncReadExt as _, DuplexStream, duplex},
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::*;

/// More than all lines of one push.
const PIPE_SIZE_BYTES: usize = 1024 * 1024;

const EVERY: Duration = Duration::from_secs(10);

/// What carbon does: it takes connections while it is there.
struct Carbon {
    up: Arc<Mutex<bool>>,
    accepted: mpsc::UnboundedReceiver<DuplexStream>,
    attempts: Arc<Mutex<Vec<Instant>>>,
}

/// Carbon, and the metrics that are pushed to it until the sender is dropped.
fn pushed(config: GraphiteConfig) -> (Carbon, Metrics, oneshot::Sender<()>) {
    let metrics = Metrics::new();
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    let graphite = Graphite::new(metrics.clone(), config, clock).unwrap();
    let graphite = graphite.generator(Generator::from_seed(1));
    let (accept, accepted) = mpsc::unbounded_channel();
    let carbon = Carbon {
        up: Arc::new(Mutex::new(true)),
        accepted,
        attempts: Arc::default(),
    };
    let (up, attempts) = (Arc::clone(&carbon.up), Arc::clone(&carbon.attempts));
    let connect = move || {
        attempts.lock().unwrap().push(Instant::now());
        let connected = match *up.lock().unwrap() {
            true => {
                let (ours, theirs) = duplex(PIPE_SIZE_BYTES);
                accept.send(theirs).unwrap();
                Ok(ours)
            }
            false => Err(io::Error::from(io::ErrorKind::ConnectionRefused)),
        };
        std::future::ready(connected)
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async { drop(stopped.await) };
    tokio::spawn(async move { graphite.run_over(shutdown, connect).await });
    (carbon, metrics, stop)
}

fn config() -> GraphiteConfig {
    GraphiteConfig::new("carbon:2003", "polling.test").every(EVERY)
}

/// What arrives up to the line of `name`.
async fn read_until(stream: &mut DuplexStream, name: &str) -> String {
    let mut arrived = String::new();
    let mut chunk = vec![0; PIPE_SIZE_BYTES];
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        assert_ne!(read, 0, "{arrived}");
        arrived.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
        if let Some(at) = arrived.find(name) {
            let end = arrived[at..].find('\n').unwrap();
            return arrived[at..at + end].to_owned();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_back_gets_what_waited() {
    let (mut carbon, metrics, _stop) = pushed(config());
    let acks = "polling.test.polling_ack_failures_total";
    let mut stream = carbon.accepted.recv().await.unwrap();
    assert_eq!(
        read_until(&mut stream, acks).await,
        format!("{acks} 0 1700000000")
    );

    metrics.observe(Observation::AckFailed);
    *carbon.up.lock().unwrap() = false;
    drop(stream);
    tokio::time::sleep(EVERY * 6).await;
    assert!(carbon.accepted.try_recv().is_err());

    *carbon.up.lock().unwrap() = true;
    let mut stream = carbon.accepted.recv().await.unwrap();
    // The oldest that waited comes first: nothing since the last push is lost.
    assert_eq!(
        read_until(&mut stream, acks).await,
        format!("{acks} 1 1700000000")
    );
    let scrape = metrics.scrape().await.unwrap();
    assert!(
        scrape.contains("polling_graphite_dropped_lines_total 0\n"),
        "{scrape}"
    );
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_to_a_bound_and_differ() {
    let (carbon, _metrics, _stop) = pushed(config());
    *carbon.up.lock().unwrap() = false;
    tokio::time::sleep(Duration::from_secs(600)).await;
    let attempts = carbon.attempts.lock().unwrap();
    let pauses: Vec<_> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[0] <= Duration::from_millis(200), "{pauses:?}");
    let long: BTreeSet<_> = pauses.iter().skip(10).copied().collect();
    assert!(long.len() > 10, "{long:?}");
    for pause in long {
        assert!(
            pause >= LONGEST_PAUSE / 2 - Duration::from_millis(1),
            "{pause:?}"
        );
        assert!(pause <= LONGEST_PAUSE, "{pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_server_is_away_the_oldest_lines_are_dropped() {
    let mut bounded = config();
    bounded.max_buffer_size_bytes = 20_000;
    let (mut carbon, metrics, _stop) = pushed(bounded);
    *carbon.up.lock().unwrap() = false;
    // A day of pushes is some megabytes.
    for _ in 0..8_640 {
        tokio::time::sleep(EVERY).await;
        metrics.observe(Observation::AckFailed);
    }
    *carbon.up.lock().unwrap() = true;
    let mut stream = carbon.accepted.recv().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    let mut chunk = vec![0; PIPE_SIZE_BYTES];
    let waited = stream.read(&mut chunk).await.unwrap();
    assert!(waited > 1_000 && waited <= 22_000, "{waited} bytes waited");
    let scrape = metrics.scrape().await.unwrap();
    let dropped = crate::metrics::samples(&scrape)
        .find(|sample| sample.name == "polling_graphite_dropped_lines_total");
    assert!(dropped.unwrap().value > 8_000.0);
}

#[tokio::test(start_paused = true)]
async fn the_last_counts_are_pushed_at_the_end() {
    let (mut carbon, metrics, stop) = pushed(config());
    let acks = "polling.test.polling_ack_failures_total";
    let mut stream = carbon.accepted.recv().await.unwrap();
    read_until(&mut stream, acks).await;
    metrics.observe(Observation::AckFailed);
    drop(stop);
    let mut stream = carbon.accepted.recv().await.unwrap_or(stream);
    assert_eq!(
        read_until(&mut stream, acks).await,
        format!("{acks} 1 1700000000")
    );
}

/// Over a socket, with time that passes: a connection that the other side has closed is not written to.
#[tokio::test]
async fn a_listener_that_closes_and_listens_again_is_found_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = Metrics::new();
    let config = GraphiteConfig::new(address.to_string(), "p").every(Duration::from_millis(5));
    let clock = Arc::new(ManualClock::at(1_000));
    let graphite = Graphite::new(metrics.clone(), config, clock).unwrap();
    let pushing = tokio::spawn(graphite.run(std::future::pending()));
    let acks = "p.polling_ack_failures_total";

    let (stream, _) = listener.accept().await.unwrap();
    assert_eq!(line(stream, acks).await, format!("{acks} 0 1"));
    drop(listener);
    metrics.observe(Observation::AckFailed);
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        if line(stream, acks).await == format!("{acks} 1 1") {
            break;
        }
    }
    pushing.abort();
}

/// The first line that begins so; then the connection is closed.
async fn line(mut stream: TcpStream, name: &str) -> String {
    let mut arrived = String::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        arrived.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
        let whole = arrived.rsplit_once('\n').map_or("", |(whole, _)| whole);
        if let Some(line) = whole.lines().find(|line| line.starts_with(name)) {
            return line.to_owned();
        }
        assert_ne!(read, 0, "{arrived}");
    }
}
