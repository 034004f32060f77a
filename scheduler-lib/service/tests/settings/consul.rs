//! Settings from a real Consul.

use std::time::Duration;

use polling_model::Generator;
use polling_ops::{
    config::{Check, Consul, Key},
    metrics::Metrics,
};
use scheduler_lib::ledger::Cushion;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    agent::Agent,
    following::{File, Following},
};

/// The section of a Consul with keys of this test's own.
fn section() -> String {
    let address = std::env::var("POLLING_CONSUL_URL").expect("POLLING_CONSUL_URL is set");
    let prefix = format!("polling-test/{:016x}", Generator::from_os().next_u64());
    format!("[settings.consul]\naddress = {address:?}\nprefix = {prefix:?}\n")
}

fn client(following: &Following) -> Consul {
    let settings = &following.config.settings;
    settings.consul.as_ref().unwrap().client().unwrap()
}

/// As a human would, straight into Consul.
async fn set(consul: &Consul, key: &str, text: &str) {
    let key: Key = key.parse().unwrap();
    let entry = consul.get(&key).await.unwrap();
    let check = entry.map_or(Check::Missing, |entry| Check::Unchanged(entry.modify_index));
    assert!(consul.put(&key, text, check).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_cushion_set_in_consul_is_taken_up_and_given_up_again() {
    let following = Following::start(&section());
    let consul = client(&following);
    set(&consul, "mastodon/posts/cushion", "3").await;
    set(&consul, "mastodon/posts/cost", "3").await;
    following.cushion_is(Cushion::Calls(3)).await;
    let cushion = "mastodon/posts/cushion".parse().unwrap();
    let entry = consul.get(&cushion).await.unwrap().unwrap();
    assert!(consul.delete(&cushion, entry.modify_index).await.unwrap());
    following.cushion_is(Cushion::NONE).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_bad_value_set_straight_in_consul_is_named_and_changes_nothing() {
    let following = Following::start(&section());
    let consul = client(&following);
    set(&consul, "mastodon/posts/cushion", "30").await;
    set(&consul, "mastodon/posts/worker/concurrency", "many").await;
    set(&consul, "alerts/freshness/share", "most").await;
    following.cushion_is(Cushion::Calls(30)).await;
    set(&consul, "mastodon/posts/cushion", "a few").await;
    following.until(|current| !current.refused.is_empty()).await;
    // As long as it takes to be sure that it is not taken up after all.
    sleep(Duration::from_millis(300)).await;
    following.cushion_is(Cushion::Calls(30)).await;

    let told = following.get("/v1/settings").await;
    let cushion = &told["settings"]["mastodon/posts/cushion"];
    assert_eq!(cushion["in_force"]["value"], "30");
    assert_eq!(cushion["refused"]["value"], "a few");
    assert!(
        cushion["refused"]["reason"]
            .as_str()
            .unwrap()
            .contains("cushion"),
        "{cushion}"
    );
    assert_eq!(
        told["unknown"],
        json!({}),
        "workers and alerts read their own"
    );
    let ready = following.get("/readyz").await;
    let reason = ready["settings"].as_str().unwrap();
    assert!(
        reason.starts_with("mastodon/posts/cushion is refused: "),
        "{reason}"
    );

    let metrics = Metrics::new();
    metrics.watch_settings(following.settings.followed());
    let text = metrics.scrape().await.unwrap();
    for (name, value) in [
        ("refused", "1.0"),
        ("in_force", "1.0"),
        ("source_failing", "0.0"),
    ] {
        let start = format!("polling_settings_{name}{{source=\"consul ");
        let line = text.lines().find(|line| line.starts_with(&start)).unwrap();
        assert!(line.ends_with(&format!(" {value}")), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_scheduler_that_starts_without_its_consul_holds_what_that_said_last() {
    let kept = File::new();
    let agent = Agent::start();
    let address = agent.address();
    let section = format!(
        "[settings]\nkeep = {:?}\nconsul.address = {address:?}\n",
        kept.0
    );
    let following = Following::start(&section);
    let consul = client(&following);
    agent.answers(&consul).await;
    set(&consul, "mastodon/posts/cushion", "30").await;
    following.cushion_is(Cushion::Calls(30)).await;
    kept.contains("mastodon/posts/cushion").await;

    // It dies: nothing changes, neither now nor for the next start.
    let agent = agent.kill();
    following
        .until(|current| current.sources[0].failure.is_some())
        .await;
    following.cushion_is(Cushion::Calls(30)).await;
    drop(following);
    let following = Following::start(&section);
    following.cushion_is(Cushion::Calls(30)).await;
    let told = following.get("/v1/settings").await;
    assert!(told["sources"][0]["recalled_ms"].is_i64(), "{told}");
    assert_eq!(told["sources"][0]["heard_ms"], Value::Null);

    // It comes back without data, as a new cluster would, and is filled.
    let agent = agent.restart();
    agent.answers(&consul).await;
    following
        .until(|current| current.sources[0].heard_ms.is_some())
        .await;
    following.cushion_is(Cushion::Calls(30)).await;
    set(&consul, "mastodon/posts/cushion", "40").await;
    following.cushion_is(Cushion::Calls(40)).await;
    following
        .until(|current| {
            let source = &current.sources[0];
            source.failure.is_none() && source.recalled_ms.is_none()
        })
        .await;
}
