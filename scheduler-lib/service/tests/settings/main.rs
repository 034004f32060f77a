//! Settings that change while the service runs, from a file and from a real Consul.
#![allow(clippy::unwrap_used)]

mod agent;
mod consul;
mod following;

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use polling_ops::metrics::Metrics;
use scheduler::{
    config::Config,
    scaling::{self, Decisions, registries},
};
use scheduler_lib::ledger::Cushion;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::following::{CHANNEL, File, Following};

#[tokio::test(start_paused = true)]
async fn a_change_in_the_file_is_taken_up_by_the_scheduler() {
    let file = File::new();
    let following = Following::start(&file.section());
    file.write(
        "[mastodon]\ndispatch_per_s = 7\n[mastodon.posts]\ncushion = '20%'\ngold.interval = '2m'\n",
    );
    following.cushion_is(Cushion::Share(0.2)).await;
    let (registry, posts) = (following.registry(), "posts".parse().unwrap());
    let rules = registry.rules(&posts).unwrap();
    assert_eq!(rules.interval_ms(&"gold".parse().unwrap()), 120_000);
    assert_eq!(rules.interval, Duration::from_secs(300), "as it was");
    assert_eq!(registry.limits().dispatch_per_s, 7);
    fs::remove_file(&file.0).unwrap();
    following
        .until(|current| current.sources[0].failure.is_some())
        .await;
    assert_eq!(
        registry.limits().dispatch_per_s,
        7,
        "an empty source changes nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_named_wherever_an_operator_looks() {
    let file = File::new();
    let following = Following::start(&file.section());
    file.write("[mastodon.posts]\ncushion = 5\ninterval = 'often'\ncolour = 'red'\n");
    following.cushion_is(Cushion::Calls(5)).await;
    let told = following.get("/v1/settings").await;
    let posts = |setting: &str| &told["settings"][format!("mastodon/posts/{setting}")];
    assert_eq!(posts("cushion")["in_force"]["value"], "5");
    assert_eq!(posts("interval")["static"], "5m");
    assert_eq!(posts("interval")["refused"]["value"], "often");
    assert_eq!(posts("interval")["in_force"], Value::Null);
    assert_eq!(posts("gold/interval")["static"], "1m");
    let unknown = json!("no setting that may change has this key");
    assert_eq!(told["unknown"]["mastodon/posts/colour"]["reason"], unknown);
    assert_eq!(told["sources"].as_array().unwrap().len(), 1);

    let ready = following.get("/readyz").await;
    let reason = ready["settings"].as_str().unwrap();
    assert!(reason.contains(" is refused: "), "{reason}");

    let metrics = Metrics::new();
    metrics.watch_settings(following.settings.followed());
    let text = metrics.scrape().await.unwrap();
    let source = format!("source=\"file {}\"", file.0.display());
    assert!(
        text.contains(&format!("polling_settings_refused{{{source}}} 2.0\n")),
        "{text}"
    );
    assert!(
        text.contains(&format!("polling_settings_in_force{{{source}}} 1.0\n")),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_bound_of_scaling_that_changes_moves_the_next_decision() {
    let file = File::new();
    let section = format!(
        "{}[scaling]\nevery = \"1h\"\n[scaling.channels.mastodon.posts]\nmax = 5\n",
        file.section()
    );
    let following = Following::start(&section);
    let decisions = Decisions::new(&following.config.scaling);
    let stop = CancellationToken::new();
    let deciding = scaling::run(
        following.config.clone(),
        registries(&following.scheduler),
        Arc::clone(&following.clock),
        None,
        decisions.clone(),
        Some(following.settings.clone()),
        stop.clone(),
    );
    let deciding = tokio::spawn(deciding);
    let begin = Instant::now();
    let workers_are = async |workers: u32| {
        let decided = || decisions.of(&"mastodon".parse().unwrap());
        while decided()
            .first()
            .map(|(_, decided)| decided.decision.workers)
            != Some(workers)
        {
            sleep(Duration::from_millis(10)).await;
        }
    };
    workers_are(1).await;
    file.write("[mastodon.posts.scaling]\nmin = 3\n");
    workers_are(3).await;
    // Wrong beside the most that there is: what held before stays.
    file.write("[mastodon.posts.scaling]\nmin = 9\n");
    following.until(|current| !current.refused.is_empty()).await;
    let current = following.settings.current();
    let (key, refused) = current.refused.first_key_value().unwrap();
    assert_eq!(
        (key.as_str(), refused.reason.as_str()),
        ("mastodon/posts/scaling/min", "it needs 0 to max")
    );
    file.write("[mastodon.posts.scaling]\nmin = 9\nmax = 12\n");
    workers_are(9).await;
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "long before the next turn"
    );
    stop.cancel();
    deciding.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_source_said_last_is_taken_up_by_the_next_start() {
    let (file, kept) = (File::new(), File::new());
    let section = format!("{}keep = {:?}\n", file.section(), kept.0);
    let following = Following::start(&section);
    file.write("[mastodon.posts]\ncushion = 50\n[mastodon.posts.worker]\nconcurrency = 3\n");
    following.cushion_is(Cushion::Calls(50)).await;
    assert!(
        following.settings.current().refused.is_empty(),
        "the worker reads its own"
    );
    kept.contains("cushion").await;
    drop(following);
    // Now it cannot be read.
    file.write("[mastodon");
    let following = Following::start(&section);
    following.cushion_is(Cushion::Calls(50)).await;
    following
        .until(|current| current.sources[0].failure.is_some())
        .await;
    let told = following.get("/v1/settings").await;
    assert_eq!(told["sources"][0]["recalled_ms"], following.clock.now_ms());
    let ready = following.get("/readyz").await;
    let reason = ready["settings"].as_str().unwrap();
    assert!(
        reason.contains(
            "what it said before stays; what holds of it is as last known, of 2027-01-15T08:00:00Z"
        ),
        "{reason}"
    );
    let metrics = Metrics::new();
    metrics.watch_settings(following.settings.followed());
    let text = metrics.scrape().await.unwrap();
    assert!(text.contains("polling_settings_unkept{} 0.0\n"), "{text}");
    let recalled = text
        .lines()
        .find(|line| line.starts_with("polling_settings_recalled{"));
    assert!(recalled.unwrap().ends_with(" 1.0"), "{text}");
    file.write("[mastodon.posts]\ncushion = 60\n");
    following.cushion_is(Cushion::Calls(60)).await;
    let ready = following.get("/readyz").await;
    assert_eq!(ready["settings"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_file_cannot_be_written_over_the_api() {
    let file = File::new();
    let following = Following::start(&file.section());
    let path = "/v1/settings/mastodon%2Fposts%2Fcushion";
    let wanted = json!({ "value": "5", "reason": "less" });
    let (status, told) = following.ask("PUT", path, wanted).await;
    assert_eq!(status, 501);
    let error = told["error"].as_str().unwrap();
    assert!(error.contains("name Consul under [settings]"), "{error}");
    let (status, told) = following.ask("GET", path, Value::Null).await;
    assert_eq!((status, &told["static"]), (200, &json!("0")));
    assert!(told.get("written").is_none(), "{told}");
}

#[test]
fn names_that_keys_have_for_something_else_are_refused_where_settings_change() {
    let parse = |text: &str| Config::parse("s.toml", text, []).map_err(|error| error.to_string());
    let alerts = "[channels.alerts]\nstore = \"memory\"\njob_types.posts.interval = \"5m\"\n";
    assert!(parse(alerts).is_ok());
    let file = "[settings]\nfile = \"d.toml\"\n";
    let error = parse(&format!("{file}{alerts}")).unwrap_err();
    assert!(
        error.starts_with("s.toml:3: channels.alerts: alerts/ is where "),
        "{error}"
    );
    let level = "job_types.posts.levels.worker.interval = \"1m\"\n";
    let named = alerts.replace("alerts", "worker");
    let error = parse(&format!("{file}{named}{level}")).unwrap_err();
    assert!(
        error.contains("worker/posts/worker/ is where the settings of its workers are"),
        "{error}"
    );
    assert!(
        parse(&format!("{file}{named}")).is_ok(),
        "a channel may be called so"
    );
    let error = parse(&format!("[settings]\nkeep = \"k.json\"\n{named}")).unwrap_err();
    assert!(error.contains("name a source as well"), "{error}");
}

#[test]
fn what_a_source_needs_is_told_with_its_place() {
    let parse =
        |section: &str| Config::parse("s.toml", &format!("{section}{CHANNEL}"), BTreeMap::new());
    let error = parse("[settings.consul]\naddress = \"consul\"\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("s.toml:2: settings.consul.address: "),
        "{error}"
    );
    let error = parse("[settings.redis]\nurl = \"http://x\"\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("s.toml:2: settings.redis.url: "),
        "{error}"
    );
}
