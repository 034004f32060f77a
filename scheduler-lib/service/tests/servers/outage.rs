//! A store that goes away and comes back.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
};

use crate::service::{Service, variable};

/// A way to a server that can be cut.
struct Way {
    address: SocketAddr,
    open: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Way {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let way = Self {
            address: listener.local_addr().unwrap(),
            open: Arc::new(AtomicBool::new(true)),
            streams: Arc::default(),
        };
        let (open, streams) = (Arc::clone(&way.open), Arc::clone(&way.streams));
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                if open.load(SeqCst) {
                    let far = TcpStream::connect(&server).unwrap();
                    for (from, to) in [(&near, &far), (&far, &near)] {
                        let (mut from, mut to) =
                            (from.try_clone().unwrap(), to.try_clone().unwrap());
                        // Ends with an error when the way is cut.
                        thread::spawn(move || io::copy(&mut from, &mut to).is_ok());
                    }
                    streams.lock().unwrap().extend([near, far]);
                }
            }
        });
        way
    }

    fn cut(&self) {
        self.open.store(false, SeqCst);
        for stream in self.streams.lock().unwrap().drain(..) {
            // One that is closed already needs no cut.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.open.store(true, SeqCst);
    }
}

const JOB: &str = r#"{"job_type": "posts", "account": "42"}"#;

#[test]
#[ignore = "needs dev/services"]
fn while_the_store_is_away_calls_are_answered_503_and_then_succeed_again() {
    let redis = variable("POLLING_REDIS_URL");
    let server = redis.trim_start_matches("redis://").trim_end_matches('/');
    let way = Way::to(server.to_owned());
    let service = Service::start(&format!("redis://{}/", way.address));

    way.cut();
    let (head, body) = service.exchange("POST", &service.jobs(), JOB);
    assert!(
        head.starts_with("HTTP/1.1 503") && head.contains("retry-after: 1"),
        "{head}"
    );
    let error = body["error"].as_str().unwrap();
    assert!(error.contains(&way.address.to_string()), "{error}");

    let entries = format!("{JOB}\n{{\"job_type\": \"likes\"}}\n");
    let (head, batch) = service.exchange("POST", &format!("{}:batch", service.jobs()), &entries);
    assert!(
        head.starts_with("HTTP/1.1 503") && head.contains("retry-after: 1"),
        "{head}"
    );
    let error = batch["error"].as_str().unwrap();
    assert!(error.contains(&way.address.to_string()), "{error}");

    let (head, ready) = service.exchange("GET", "/readyz", "");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    let reason = ready["channels"][service.channel()]["reason"]
        .as_str()
        .unwrap();
    assert!(reason.contains(&way.address.to_string()), "{reason}");

    way.mend();
    let registered = service.call("POST", &service.jobs(), JOB);
    assert_eq!(registered["result"], "created");
    service.terminate();
}
