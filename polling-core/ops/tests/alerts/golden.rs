//! What is generated, as it is checked in. With POLLING_ALERTS_WRITE in the environment it is written anew.

use std::{env, fs, path::PathBuf};

use polling_ops::alerts::{
    Alerts, Service, Watched,
    nagios::{Nagios, Source},
};

use super::{mastodon, nagios_of_prometheus, protos, watched};

/// One service, and one channel with one job type.
fn small() -> Watched {
    let mut channel = mastodon();
    channel.job_types.truncate(1);
    let file = protos().join("library/catalog/v1/catalog.proto");
    Watched {
        services: Service::from_protos([file], [protos()]).unwrap(),
        channels: vec![channel],
        objectives: watched().objectives,
    }
}

fn checked_in(name: &str, generated: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/alerts/golden");
    let path = path.join(name);
    if env::var_os("POLLING_ALERTS_WRITE").is_some() {
        fs::write(&path, generated).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    let hint = "if that is meant, run this test with POLLING_ALERTS_WRITE=1";
    assert!(there == generated, "{} differs: {hint}", path.display());
}

#[test]
fn the_rules_are_those_checked_in() {
    let alerts = Alerts::of(&small());
    checked_in("polling.rules.yaml", &alerts.prometheus_rules());
    let tests = alerts.prometheus_tests("polling.rules.yaml");
    checked_in("polling.rules.test.yaml", &tests);
    checked_in("polling.objectives.yaml", &alerts.objective_rules());
}

#[test]
fn the_routes_are_those_checked_in() {
    let alerts = Alerts::of(&small());
    checked_in("alertmanager.yaml", &alerts.alertmanager(None));
}

#[test]
fn the_objects_of_nagios_are_those_checked_in() {
    let alerts = Alerts::of(&small());
    checked_in("prometheus.cfg", &alerts.nagios(&nagios_of_prometheus()));
    let graphite = Nagios {
        program: "/usr/local/bin/pollctl".to_owned(),
        source: Source::Graphite {
            url: "http://127.0.0.1:8080".to_owned(),
            prefix: "polling.*.*".to_owned(),
        },
    };
    checked_in("graphite.cfg", &alerts.nagios(&graphite));
}
