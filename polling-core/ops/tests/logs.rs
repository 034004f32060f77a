//! Lines of JSON.
#![allow(clippy::unwrap_used)]

use std::{
    io,
    sync::{Arc, Mutex},
};

use polling_model::trace::{TARGET, names};
use polling_ops::logs::Json;
use serde_json::{Value, json};
use tracing::field::Empty;
use tracing_subscriber::{fmt, fmt::MakeWriter, layer::SubscriberExt as _};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The lines that `told` writes.
fn lines(told: impl FnOnce()) -> Vec<Value> {
    let log = Log::default();
    let layer = fmt::layer()
        .fmt_fields(Json)
        .event_format(Json)
        .with_writer(log.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), told);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Without the time, which nobody can know.
fn line(told: impl FnOnce()) -> Value {
    let mut lines = lines(told);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let timestamp = lines[0]
        .as_object_mut()
        .unwrap()
        .remove("timestamp")
        .unwrap();
    let timestamp = timestamp.as_str().unwrap();
    assert!(
        timestamp.ends_with('Z') && timestamp.contains('T'),
        "{timestamp}"
    );
    lines.remove(0)
}

#[test]
fn a_line_has_level_target_message_and_fields() {
    let line = line(
        || tracing::warn!(target: "here", count = 3, well = false, text = "a\n\"b\"", "no luck"),
    );
    let expected = json!({
        "level": "WARN", "target": "here", "message": "no luck",
        "fields": {"count": 3, "well": false, "text": "a\n\"b\""},
    });
    assert_eq!(line, expected);
}

#[test]
fn a_line_within_a_job_names_it_however_deep() {
    let line = line(|| {
        let worker = tracing::info_span!("worker", identity = "worker-1").entered();
        let job = tracing::info_span!(
            target: TARGET, names::JOB,
            job_id = %"posts:42", job_type = "posts", generation = 7,
            trace_id = %"3f26446124436a339cb21e0a48131e81", outcome = Empty,
        );
        let job = job.entered();
        job.record("outcome", "failed");
        let poll = tracing::info_span!(target: TARGET, names::POLL).entered();
        let request = tracing::info_span!("request", page = 2).entered();
        tracing::info!(target: "here", "asked");
        drop((request, poll, job, worker));
    });
    let expected = json!({
        "level": "INFO", "target": "here", "message": "asked",
        "job_id": "posts:42", "job_type": "posts", "generation": 7,
        "trace_id": "3f26446124436a339cb21e0a48131e81", "outcome": "failed",
        "spans": [{"name": "worker", "identity": "worker-1"}, {"name": "request", "page": 2}],
    });
    assert_eq!(line, expected);
}

#[test]
fn what_is_recorded_later_and_again_is_told_once() {
    let line = line(|| {
        let span = tracing::info_span!("import", done = 0, left = Empty).entered();
        span.record("done", 5);
        span.record("left", 1);
        tracing::info!(target: "here", "half");
    });
    assert_eq!(
        line["spans"],
        json!([{"name": "import", "done": 5, "left": 1}])
    );
}
