//! Where traces are sent, as the configuration says it.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use polling_model::TraceRatio;
use scheduler::config::{Config, ConfigError};

fn parse(otlp: &str) -> Result<Config, ConfigError> {
    let text = format!(
        "[otlp]\n{otlp}\n[channels.mastodon]\nredis = \"redis://127.0.0.1:6379/0\"\n\
         [channels.mastodon.job_types.posts]\ninterval = \"5m\"\n"
    );
    Config::parse("s.toml", &text, [])
}

fn error(otlp: &str) -> String {
    parse(otlp).unwrap_err().to_string()
}

#[test]
fn traces_are_sent_where_an_endpoint_is_named() {
    assert!(parse("").unwrap().otlp.exports_traces().is_none());
    let endpoint = "endpoint = \"http://127.0.0.1:4317\"";
    let config = parse(endpoint).unwrap();
    let (to, traces) = config.otlp.exports_traces().unwrap();
    assert_eq!(
        (to, &*traces.service),
        ("http://127.0.0.1:4317", "scheduler")
    );
    assert_eq!(traces.ratio, TraceRatio::new(0.01).unwrap());
    let config = parse(&format!(
        "{endpoint}\ntrace_ratio = 0\ntrace_slow = \"90s\""
    ))
    .unwrap();
    let (_, traces) = config.otlp.exports_traces().unwrap();
    assert_eq!(traces.ratio, TraceRatio::NONE);
    assert_eq!(traces.slow, Duration::from_secs(90));
    let off = parse(&format!("{endpoint}\ntraces = false")).unwrap();
    assert!(off.otlp.exports_traces().is_none());
}

#[test]
fn metrics_are_sent_where_an_endpoint_is_named() {
    assert!(parse("").unwrap().otlp.exports_metrics().is_none());
    let endpoint = "endpoint = \"http://127.0.0.1:4317\"";
    let sent = parse(endpoint).unwrap().otlp.exports_metrics();
    let sent = format!("{:?}", sent.unwrap());
    assert!(sent.contains("http://127.0.0.1:4317"), "{sent}");
    assert!(sent.contains("every: 10s"), "{sent}");
    let off = parse(&format!("{endpoint}\nmetrics = false")).unwrap();
    assert!(off.otlp.exports_metrics().is_none());
}

#[test]
fn what_is_no_endpoint_and_no_ratio_is_told() {
    let told = error("endpoint = \"127.0.0.1:4317\"");
    assert!(told.contains("otlp.endpoint"), "{told}");
    assert!(told.contains("neither http:// nor https://"), "{told}");
    let told = error("trace_ratio = 1.5");
    assert!(told.contains("otlp.trace_ratio"), "{told}");
    assert!(told.contains("from 0 (none) to 1 (all), not 1.5"), "{told}");
}
