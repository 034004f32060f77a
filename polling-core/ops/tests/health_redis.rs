//! A Redis is asked by any connection that can be cloned.
#![allow(clippy::unwrap_used)]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use polling_model::SystemClock;
use polling_ops::{
    clients::redis::MonitoredConnection,
    health::{Health, State, checks},
};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value, aio::ConnectionLike};

/// A server that is there or not.
#[derive(Clone)]
struct Server(Arc<AtomicBool>);

impl ConnectionLike for Server {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        assert_eq!(command.get_packed_command(), b"*1\r\n$4\r\nPING\r\n");
        let answer = if self.0.load(SeqCst) {
            Ok(Value::SimpleString("PONG".to_owned()))
        } else {
            Err(RedisError::from((ErrorKind::Io, "connection refused")))
        };
        Box::pin(async { answer })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        unreachable!("only PING is sent")
    }

    fn get_db(&self) -> i64 {
        0
    }
}

#[tokio::test]
async fn a_redis_passes_while_it_answers() {
    let there = Arc::new(AtomicBool::new(true));
    let server = Server(Arc::clone(&there));
    let monitored = MonitoredConnection::new(server.clone(), "cache", Arc::new(()));
    let health = Health::builder(Arc::new(SystemClock))
        .check(checks::redis("sessions", server).cache(std::time::Duration::ZERO))
        .check(checks::redis("cache", monitored).cache(std::time::Duration::ZERO))
        .build()
        .unwrap();
    assert_eq!(health.readiness().await.state(), State::Passing);
    there.store(false, SeqCst);
    let report = health.readiness().await;
    for name in ["redis sessions", "redis cache"] {
        assert_eq!(report.checks[name].state, State::Failing);
        let reason = report.checks[name].reason.as_deref().unwrap();
        assert!(reason.contains("connection refused"), "{reason}");
    }
}
