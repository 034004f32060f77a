//! What is deployed to Kubernetes fits the program.
#![allow(clippy::unwrap_used)]

use std::fs;

use scheduler::config::Config;

fn manifest(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/kubernetes");
    fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// The value of the first line with this key.
fn value<'a>(manifest: &'a str, key: &str) -> &'a str {
    let line = manifest
        .lines()
        .find_map(|line| line.trim().strip_prefix(key));
    line.unwrap_or_else(|| panic!("{key} is missing")).trim()
}

/// The configuration in the manifest, with what the Secret holds.
fn config() -> Config {
    let manifest = manifest("scheduler.yaml");
    let (_, text) = manifest.split_once("scheduler.toml: |\n").unwrap();
    let (text, _) = text.split_once("---\n").unwrap();
    // Any file that is long enough stands for the token's.
    let secret = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let text = text.replace("/run/secrets/polling/admin-token", secret);
    let variable = value(&manifest, "- name: POLLING__");
    let redis = "redis://:password@redis:6379/".to_owned();
    let variables = [(format!("POLLING__{variable}"), redis)];
    Config::parse("scheduler.yaml", &text, variables).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_configuration_in_the_manifest_is_valid_and_its_ports_are_open() {
    let (config, manifest) = (config(), manifest("scheduler.yaml"));
    let ports = [
        Some(config.admin.listen),
        config.scaling.keda_listen,
        config.health.grpc_listen,
    ];
    for address in ports.map(Option::unwrap) {
        assert!(
            address.ip().is_unspecified(),
            "{address} is not reached from without"
        );
        let port = format!("containerPort: {}\n", address.port());
        assert!(manifest.contains(&port), "{port}");
    }
}

#[test]
fn keda_asks_for_a_job_type_that_is_scaled_within_the_same_bounds() {
    let (config, manifest) = (config(), manifest("keda.yaml"));
    let channel = value(&manifest, "channel:");
    let job_type = value(&manifest, "jobType:");
    let rules = &config.scaling.channels[channel][job_type].0;
    assert_eq!(value(&manifest, "minReplicaCount:"), rules.min.to_string());
    assert_eq!(value(&manifest, "maxReplicaCount:"), rules.max.to_string());
    let port = config.scaling.keda_listen.unwrap().port().to_string();
    assert_eq!(
        value(&manifest, "scalerAddress:").rsplit(':').next(),
        Some(&*port)
    );
}
