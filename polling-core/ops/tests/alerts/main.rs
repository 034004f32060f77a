//! Alerts: what is generated, and what the programs that read it make of it.
#![allow(clippy::unwrap_used)]

mod checkers;
mod defaults;
mod escaping;
mod golden;
mod protos;

use std::path::PathBuf;

use polling_ops::{
    alerts::{
        Bounds, Channel, JobTypeOfChannel, Service, Watched,
        nagios::{Nagios, Source},
    },
    objectives::{Measure, Objective},
};

fn protos() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/alerts/protos")
}

/// Three foreign interfaces, two channels with all that they may have, and two objectives.
fn watched() -> Watched {
    let files = [
        "library/catalog/v1/catalog.proto",
        "freight/tracking/tracking.proto",
        "telemetry/ingest.proto",
    ];
    let services = Service::from_protos(files.map(|file| protos().join(file)), [protos()]).unwrap();
    let within = std::time::Duration::from_secs(300);
    let channel: polling_model::ChannelId = "mastodon".parse().unwrap();
    let level = "gold".parse().unwrap();
    let objectives = vec![
        Objective::new(channel.clone(), Measure::Staleness { level }, within),
        Objective::new(channel, Measure::Lateness, within),
    ];
    Watched {
        services,
        channels: vec![mastodon(), feeds()],
        objectives,
    }
}

fn nagios_of_prometheus() -> Nagios {
    Nagios {
        program: "/usr/local/bin/pollctl".to_owned(),
        source: Source::Prometheus("http://127.0.0.1:9090".to_owned()),
    }
}

fn mastodon() -> Channel {
    Channel {
        id: "mastodon".parse().unwrap(),
        completed_queue: Some("polling-mastodon-completed".to_owned()),
        dead_letter_queue: Some("polling-mastodon-dead-letter".to_owned()),
        job_types: vec![
            job_type("posts", "polling-mastodon-posts", Some((2, 10))),
            job_type("likes", "polling-mastodon-likes", None),
        ],
    }
}

/// Its queue has a name that every format has to escape, its job type one that another channel has, too.
fn feeds() -> Channel {
    Channel {
        id: "feeds".parse().unwrap(),
        completed_queue: None,
        dead_letter_queue: None,
        job_types: vec![job_type(
            "posts",
            "odd;queue!$ARG1$ 'x' \"y\" \\z|{{.}}",
            None,
        )],
    }
}

fn job_type(id: &str, queue: &str, workers: Option<(u32, u32)>) -> JobTypeOfChannel {
    JobTypeOfChannel {
        id: id.parse().unwrap(),
        queue: Some(queue.to_owned()),
        workers: workers.map(|(min, max)| Bounds { min, max }),
    }
}
