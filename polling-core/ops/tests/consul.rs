//! Settings from a real Consul agent.
#![allow(clippy::unwrap_used)]

use std::{sync::Arc, time::Duration};

use polling_model::{Generator, SystemClock};
use polling_ops::config::{Catalog, Check, Consul, Current, Key, Layers, Past, Setting, Settings};
use serde::Deserialize;
use tokio::time::timeout;

/// Longest wait for what should take less than a second; two where the first query may be under way without an index.
const SOON: Duration = Duration::from_secs(10);

#[derive(Debug, Deserialize)]
struct Kettle {
    celsius: u8,
}

/// Keys of this test's own.
fn consul() -> Consul {
    let address = std::env::var("POLLING_CONSUL_URL").expect("POLLING_CONSUL_URL is set");
    let prefix = format!("polling-test/{:016x}", Generator::from_os().next_u64());
    Consul::builder(address).prefix(prefix).build().unwrap()
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

fn settings(consul: &Consul) -> Settings<Kettle> {
    let catalog = Catalog::new(vec![Setting::new("celsius", "celsius", "")]);
    let layers = Layers::new(
        "celsius = 80".parse().unwrap(),
        catalog,
        |_: &Kettle| vec![],
    )
    .unwrap();
    let clock = Arc::new(SystemClock);
    let (settings, run) = Settings::over(layers, clock, Generator::from_os())
        .source(consul.source())
        .start();
    tokio::spawn(run);
    settings
}

async fn until(settings: &Settings<Kettle>, holds: impl Fn(&Current<Kettle>) -> bool) {
    let mut watch = settings.watch();
    let waited = timeout(SOON, watch.wait_for(|current| holds(current))).await;
    waited.expect("in time").unwrap();
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_value_set_in_consul_takes_effect_and_a_wrong_one_does_not() {
    let consul = consul();
    let settings = settings(&consul);
    until(&settings, |current| current.sources[0].heard_ms.is_some()).await;
    assert_eq!(settings.get().celsius, 80);

    assert!(
        consul
            .put(&key("celsius"), "70", Check::Missing)
            .await
            .unwrap()
    );
    until(&settings, |current| current.value.celsius == 70).await;

    let entry = consul.get(&key("celsius")).await.unwrap().unwrap();
    let unchanged = Check::Unchanged(entry.modify_index);
    assert!(consul.put(&key("celsius"), "hot", unchanged).await.unwrap());
    until(&settings, |current| current.refused.contains_key("celsius")).await;
    assert_eq!(settings.get().celsius, 70);

    let entry = consul.get(&key("celsius")).await.unwrap().unwrap();
    assert!(
        consul
            .put(&key("other"), "1", Check::Missing)
            .await
            .unwrap()
    );
    assert!(
        consul
            .delete(&key("celsius"), entry.modify_index)
            .await
            .unwrap()
    );
    until(&settings, |current| current.value.celsius == 80).await;
    let other = &settings.current().refused["other"];
    assert_eq!(other.reason, "no setting that may change has this key");
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_prefix_that_became_empty_leaves_what_was_said_before() {
    let consul = consul();
    consul
        .put(&key("celsius"), "70", Check::Missing)
        .await
        .unwrap();
    let settings = settings(&consul);
    until(&settings, |current| current.value.celsius == 70).await;
    let entry = consul.get(&key("celsius")).await.unwrap().unwrap();
    assert!(
        consul
            .delete(&key("celsius"), entry.modify_index)
            .await
            .unwrap()
    );
    until(&settings, |current| current.sources[0].failure.is_some()).await;
    assert_eq!(settings.get().celsius, 70);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_write_takes_place_only_if_nobody_wrote_before() {
    let consul = consul();
    assert!(
        consul
            .put(&key("a/b"), "ours", Check::Missing)
            .await
            .unwrap()
    );
    assert!(
        !consul
            .put(&key("a/b"), "late", Check::Missing)
            .await
            .unwrap()
    );
    let ours = consul.get(&key("a/b")).await.unwrap().unwrap();
    let unchanged = Check::Unchanged(ours.modify_index);
    assert!(
        consul
            .put(&key("a/b"), "a human's", unchanged)
            .await
            .unwrap()
    );
    assert!(!consul.put(&key("a/b"), "late", unchanged).await.unwrap());
    assert!(!consul.delete(&key("a/b"), ours.modify_index).await.unwrap());
    let listed = consul.list().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&*listed[0].key, &*listed[0].text), ("a/b", "a human's"));
    assert_eq!(consul.get(&key("a/c")).await.unwrap(), None);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn a_change_is_kept_with_who_made_it_and_why() {
    let consul = consul();
    let change = |to: Option<&str>, reason: &str| Past {
        at_ms: 5,
        by: "anna".to_owned(),
        reason: reason.to_owned(),
        from: None,
        to: to.map(str::to_owned),
    };
    for (to, reason) in [
        (Some("70"), "too hot"),
        (Some("75"), "too cold"),
        (None, "as it was"),
    ] {
        let past = change(to, reason);
        assert!(consul.change(&key("celsius"), None, past).await.unwrap());
    }
    assert_eq!(consul.get(&key("celsius")).await.unwrap(), None);
    let told = consul.history(&key("celsius")).await.unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|past| (past.from.as_deref(), past.to.as_deref(), &*past.reason))
        .collect();
    assert_eq!(
        told,
        [
            (Some("75"), None, "as it was"),
            (Some("70"), Some("75"), "too cold"),
            (None, Some("70"), "too hot"),
        ]
    );
    assert!(
        consul.list().await.unwrap().is_empty(),
        "history is no setting"
    );
    let nothing = consul
        .change(&key("celsius"), None, change(None, "twice"))
        .await;
    assert!(nothing.unwrap());
    assert_eq!(consul.history(&key("celsius")).await.unwrap().len(), 3);

    let celsius = key("celsius");
    let seen = |index| consul.change(&celsius, Some(index), change(Some("80"), "as seen"));
    assert!(!seen(7).await.unwrap(), "it is not there");
    assert!(seen(0).await.unwrap());
    assert!(!seen(0).await.unwrap(), "it is there now");
    let index = consul.get(&celsius).await.unwrap().unwrap().modify_index;
    assert!(seen(index).await.unwrap());
    assert_eq!(consul.history(&celsius).await.unwrap().len(), 5);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn of_two_changes_at_once_at_most_one_is_made_of_what_it_read() {
    let consul = consul();
    let change = |number: usize| {
        let (consul, past) = (
            consul.clone(),
            Past {
                at_ms: 5,
                by: "anna".to_owned(),
                reason: String::new(),
                from: None,
                to: Some(number.to_string()),
            },
        );
        async move { consul.change(&key("celsius"), None, past).await.unwrap() }
    };
    let made = futures_util::future::join_all((0..8).map(change)).await;
    let made = made.into_iter().filter(|made| *made).count();
    let history = consul.history(&key("celsius")).await.unwrap();
    assert!(made >= 1);
    assert_eq!(history.len(), made, "each that was made is kept");
    for pair in history.windows(2) {
        assert_eq!(
            pair[0].from, pair[1].to,
            "none was made over another unseen"
        );
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_an_error_that_shows_no_token() {
    let consul = Consul::builder("http://127.0.0.1:1")
        .token(Some("hunter2".to_owned()))
        .build()
        .unwrap();
    let error = consul.list().await.unwrap_err();
    assert_eq!(error.to_string(), "Consul at 127.0.0.1:1 does not answer");
    assert!(!format!("{error:?}{consul:?}").contains("hunter2"));
}
