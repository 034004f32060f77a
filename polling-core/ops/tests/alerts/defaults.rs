//! Thresholds: their defaults, and what is read back.

use std::collections::BTreeMap;

use polling_ops::alerts::{Alerts, defaults};

use super::watched;

fn read(found: &[(&str, &str)]) -> (Alerts, Vec<(String, String)>) {
    let mut alerts = Alerts::of(&watched());
    let found: BTreeMap<_, _> = found
        .iter()
        .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
        .collect();
    let refused = alerts.read(&found).into_iter();
    let refused = refused.map(|refused| (refused.key, refused.reason));
    (alerts, refused.collect())
}

#[test]
fn every_threshold_has_a_key_and_a_default() {
    let defaults = defaults(&watched());
    let of = |key: &str| defaults[&key.parse().unwrap()].as_str();
    assert_eq!(of("alerts/services/MeterIngest/error-rate/warning"), "1%");
    assert_eq!(
        of("alerts/services/library.catalog.v1.Catalog/Lend/latency/within"),
        "1s"
    );
    assert_eq!(of("alerts/channels/mastodon/standstill/critical"), "5m");
    assert_eq!(
        of("alerts/channels/mastodon/posts/workers-few/critical"),
        "2"
    );
    assert_eq!(
        of("alerts/channels/mastodon/posts/workers-many/warning"),
        "10"
    );
    assert_eq!(
        of("alerts/channels/mastodon/objectives/staleness/gold/burn/critical"),
        "14.4"
    );
}

#[test]
fn a_stream_is_watched_for_failures_alone() {
    let keys = defaults(&watched());
    let of_watch = keys
        .keys()
        .filter(|key| key.as_str().contains("/WatchShelves/"));
    assert!(of_watch.clone().count() > 0);
    assert!(
        of_watch
            .into_iter()
            .all(|key| key.as_str().contains("/error-rate/"))
    );
}

#[test]
fn defaults_read_back_change_nothing() {
    let mut alerts = Alerts::of(&watched());
    let before = alerts.prometheus_rules();
    let found = alerts.defaults().into_iter();
    let found = found.map(|(key, text)| (key.to_string(), text)).collect();
    assert_eq!(alerts.read(&found), []);
    assert_eq!(alerts.prometheus_rules(), before);
}

#[test]
fn a_threshold_that_is_set_goes_into_the_rules() {
    let (alerts, refused) = read(&[(
        "alerts/channels/mastodon/posts/queue-size/critical",
        "123456",
    )]);
    assert_eq!(refused, []);
    assert!(alerts.prometheus_rules().contains("> 123456"));
}

#[test]
fn what_is_wrong_is_refused_by_itself_and_the_default_stands() {
    let before = Alerts::of(&watched()).prometheus_rules();
    let (alerts, refused) = read(&[
        ("alerts/channels/mastodon/posts/queue-size/critical", "many"),
        ("alerts/channels/mastodon/posts/queue-size/colour", "red"),
        ("alerts/channels/mastodon/gone/queue-size/critical", "1"),
        ("alerts/channels/mastodon/standstill/warning", "10m"),
        ("mastodon/posts/interval", "somebody else's"),
    ]);
    let told: Vec<_> = refused
        .iter()
        .map(|(key, reason)| (key.rsplit_once('/').unwrap().1, reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("critical", "nothing that is watched has such an alert"),
            ("colour", "this alert has no such threshold"),
            ("critical", "it needs a number that is not negative, or off"),
            ("warning", "critical is less than warning"),
        ]
    );
    assert_eq!(alerts.prometheus_rules(), before);
}
