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
async fn a_change_over_the_api_is_checked_written_and_kept_with_who_made_it_and_why() {
    let path = "/v1/settings/mastodon%2Fposts%2Fcushion";
    let following = Following::start(&section());
    let put = async |value: &str, index: Option<u64>| {
        let wanted = json!({ "value": value, "reason": " too eager ", "modify_index": index });
        following.ask("PUT", path, wanted).await
    };
    let (status, told) = put("a few", None).await;
    assert_eq!((status, &told["field"]), (400, &json!("value")), "{told}");
    let (status, told) = put("30", Some(0)).await;
    assert_eq!(
        (status, &told["written"]["value"]),
        (200, &json!("30")),
        "{told}"
    );
    following.cushion_is(Cushion::Calls(30)).await;

    // Somebody else, meanwhile.
    let seen = told["written"]["modify_index"].as_u64();
    set(&client(&following), "mastodon/posts/cushion", "35").await;
    let (status, told) = put("40", seen).await;
    assert_eq!(
        (status, &told["written"]["value"]),
        (409, &json!("35")),
        "{told}"
    );
    let (status, _) = put("40", told["written"]["modify_index"].as_u64()).await;
    assert_eq!(status, 200);
    following.cushion_is(Cushion::Calls(40)).await;
    let told = following.get(path).await;
    assert_eq!(told["in_force"]["value"], "40");
    assert_eq!(told["written"]["value"], "40");

    let (status, told) = following.ask("DELETE", path, Value::Null).await;
    assert_eq!((status, &told["field"]), (400, &json!("reason")), "{told}");
    let delete = format!("{path}?reason=calm");
    // A prefix that lost its last key counts as lost.
    set(&client(&following), "mastodon/posts/cost", "1").await;
    let (status, told) = following.ask("DELETE", &delete, Value::Null).await;
    assert_eq!((status, &told["written"]), (200, &Value::Null), "{told}");
    following.cushion_is(Cushion::NONE).await;
    let told = following.get(&format!("{path}/history")).await;
    let history = told["history"].as_array().unwrap().iter();
    let history: Vec<_> = history
        .map(|past| (&past["from"], &past["to"], &past["reason"], &past["by"]))
        .collect();
    let texts = ["35", "40", "30", "too eager", "calm", "anybody"].map(Value::from);
    let [old, new, first, eager, calm, anybody] = &texts;
    assert_eq!(
        history,
        [
            (new, &Value::Null, calm, anybody),
            (old, new, eager, anybody),
            (&Value::Null, first, eager, anybody),
        ]
    );

    let typed = "/v1/settings/mastodon%2Fposts%2Fcushoin";
    let (status, told) = following.ask("GET", typed, Value::Null).await;
    assert_eq!(status, 404);
    assert!(
        told["error"]
            .as_str()
            .unwrap()
            .contains("mastodon/posts/cushion"),
        "{told}"
    );
    let (status, _) = following
        .ask("PUT", typed, json!({ "value": "1", "reason": "x" }))
        .await;
    assert_eq!(status, 400);
    // Written by a human, it can be cleaned up.
    set(&client(&following), "mastodon/posts/cushoin", "1").await;
    following.until(|current| !current.refused.is_empty()).await;
    let (status, told) = following.ask("GET", typed, Value::Null).await;
    assert_eq!(
        (status, &told["unknown"]["value"]),
        (200, &json!("1")),
        "{told}"
    );
    let delete = format!("{typed}?reason=typed");
    let (status, told) = following.ask("DELETE", &delete, Value::Null).await;
    assert_eq!(status, 200, "{told}");
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
