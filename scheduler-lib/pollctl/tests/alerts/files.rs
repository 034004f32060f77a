//! What is written, and what is not.

use std::{env, fs};

use super::scene::Scene;

const NAMES: [&str; 5] = [
    "alertmanager.yaml",
    "polling.cfg",
    "polling.objectives.yaml",
    "polling.rules.test.yaml",
    "polling.rules.yaml",
];

fn in_folder(scene: &Scene) -> Vec<String> {
    let entries = fs::read_dir(scene.folder.join("out")).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn services_and_channels_become_files() {
    let scene = Scene::new();
    let done = scene.of_all("generate", &["--no-check"]).await;
    assert_eq!((done.code, &*done.err), (0, ""));
    assert_eq!(in_folder(&scene), NAMES);
    let rules = scene.read("out/polling.rules.yaml");
    assert!(rules.contains("rpc_method=\"MeterIngest/Put\""));
    assert!(
        rules.contains("queue=\"jobs.fifo\""),
        "a queue has the name that it was given"
    );
    assert!(rules.contains("queue=\"polling-mastodon-completed\""));
    assert!(
        rules.contains("job_type=\"posts\",channel=\"mastodon\"}) > 7"),
        "bounds of workers are thresholds"
    );
    assert!(
        scene
            .read("out/polling.objectives.yaml")
            .contains("PollingStalenessBudgetBurnsFast")
    );
    assert!(scene.read("out/polling.cfg").contains("channel-mastodon"));
}

#[tokio::test]
async fn what_is_the_same_is_not_written_again() {
    let scene = Scene::new();
    scene.of_all("generate", &["--no-check"]).await;
    let done = scene.of_all("generate", &["--no-check"]).await;
    assert_eq!(done.out.matches(" unchanged\n").count(), 5, "{}", done.out);
    let done = scene.of_all("diff", &[]).await;
    assert_eq!((done.code, &*done.out, &*done.err), (0, "", ""));
}

#[tokio::test]
async fn a_difference_is_shown_and_exits_1() {
    let scene = Scene::new();
    scene.of_all("generate", &["--no-check"]).await;
    let key = "[alerts.services.MeterIngest.Put.error-rate]\ncritical = \"7%\"\n";
    scene.write("thresholds.toml", key);
    let done = scene
        .of_all("diff", &["--thresholds", &scene.path("thresholds.toml")])
        .await;
    assert_eq!(done.code, 1);
    assert!(
        done.out
            .lines()
            .any(|line| line.starts_with('-') && line.contains("> 0.05'")),
        "{}",
        done.out
    );
    assert!(
        done.out
            .lines()
            .any(|line| line.starts_with('+') && line.contains("> 0.07'")),
        "{}",
        done.out
    );
    assert!(done.err.contains("3 files differ"), "{}", done.err);
}

#[tokio::test]
async fn a_file_of_somebody_else_is_replaced_by_force_alone() {
    let scene = Scene::new();
    fs::create_dir(scene.folder.join("out")).unwrap();
    scene.write("out/alertmanager.yaml", "route: {receiver: mine}\n");
    let done = scene.of_all("generate", &["--no-check"]).await;
    assert_eq!(done.code, 2);
    assert!(
        done.err.contains("was not written by this command"),
        "{}",
        done.err
    );
    assert_eq!(
        in_folder(&scene),
        ["alertmanager.yaml"],
        "nothing else was written"
    );
    assert_eq!(
        scene.read("out/alertmanager.yaml"),
        "route: {receiver: mine}\n"
    );
    let done = scene.of_all("generate", &["--no-check", "--force"]).await;
    assert_eq!(done.code, 0);
    assert!(
        scene
            .read("out/alertmanager.yaml")
            .contains("polling-critical")
    );
}

#[tokio::test]
async fn a_threshold_that_is_wrong_is_told_and_the_rest_is_written() {
    let scene = Scene::new();
    let key = "[alerts.channels.mastodon.posts.queue-size]\nwarning = 5\ncritical = \"many\"\n";
    scene.write("thresholds.toml", key);
    let path = scene.path("thresholds.toml");
    let done = scene
        .of_all("generate", &["--no-check", "--thresholds", &path])
        .await;
    assert_eq!(done.code, 1);
    assert!(
        done.err
            .contains("alerts/channels/mastodon/posts/queue-size/critical = \"many\" is refused"),
        "{}",
        done.err
    );
    assert!(
        scene
            .read("out/polling.rules.yaml")
            .contains("state=\"visible\"}) > 5'")
    );
}

#[tokio::test]
async fn defaults_are_thresholds_that_change_nothing() {
    let scene = Scene::new();
    scene.of_all("generate", &["--no-check"]).await;
    let [proto, config] = ["meters.proto", "scheduler.toml"].map(|name| scene.path(name));
    let done = scene
        .run("defaults", &["--proto", &proto, "--config", &config])
        .await;
    scene.write("thresholds.toml", &done.out);
    let done = scene
        .of_all("diff", &["--thresholds", &scene.path("thresholds.toml")])
        .await;
    assert_eq!((done.code, &*done.err), (0, ""));
}

#[tokio::test]
async fn a_checker_that_is_missing_is_told_and_one_that_objects_stops_it() {
    let scene = Scene::new();
    let gone = ["--promtool", "/none/promtool", "--amtool", "/none/amtool"];
    let done = scene
        .of_all(
            "generate",
            &[&gone[..], &["--nagios", "/none/nagios"]].concat(),
        )
        .await;
    assert_eq!(done.code, 0);
    for name in ["promtool", "amtool", "nagios"] {
        assert_eq!(
            done.err
                .matches(&format!("/none/{name} is not found"))
                .count(),
            1,
            "{}",
            done.err
        );
    }
    let key = "[alerts.services.MeterIngest.error-rate]\ncritical = \"7%\"\n";
    scene.write("thresholds.toml", key);
    let before = scene.read("out/polling.cfg");
    let path = scene.path("thresholds.toml");
    let objects = [
        &gone[..],
        &["--nagios", "/bin/false", "--thresholds", &path],
    ]
    .concat();
    let done = scene.of_all("generate", &objects).await;
    assert_eq!(done.code, 1);
    assert_eq!(scene.read("out/polling.cfg"), before, "nothing was written");
    assert_eq!(in_folder(&scene), NAMES, "nothing is left behind");
}

#[tokio::test]
#[ignore = "needs dev/alerting"]
async fn all_checkers_take_what_is_generated() {
    let scene = Scene::new();
    for more in [&[][..], &["--graphite", "http://127.0.0.1:8080"]] {
        let done = scene.of_all("generate", more).await;
        assert_eq!((done.code, &*done.err), (0, ""));
        let done = scene.run("check", &["--out", &scene.path("out")]).await;
        assert_eq!(
            (done.code, &*done.out),
            (0, "nothing is wrong\n"),
            "{}",
            done.err
        );
    }
    let rules = scene.read("out/polling.rules.yaml");
    scene.write(
        "out/polling.rules.yaml",
        &rules.replacen("sum(", "sum((", 1),
    );
    let done = scene.run("check", &["--out", &scene.path("out")]).await;
    assert_eq!(done.code, 1);
    assert!(done.err.contains("polling.rules.yaml"), "{}", done.err);
}

#[tokio::test]
#[ignore = "needs dev/services"]
async fn thresholds_are_read_from_consul() {
    let url = env::var("POLLING_CONSUL_URL").unwrap();
    let prefix = format!("pollctl-alerts-{}", std::process::id());
    let consul = polling_ops::config::Consul::builder(&url)
        .prefix(&prefix)
        .build()
        .unwrap();
    let key = "alerts/services/MeterIngest/Put/error-rate/critical"
        .parse()
        .unwrap();
    let missing = polling_ops::config::Check::Missing;
    assert!(consul.put(&key, "9%", missing).await.unwrap());
    let scene = Scene::new();
    let from = ["--no-check", "--consul", &url, "--prefix", &prefix];
    let done = scene.of_all("generate", &from).await;
    assert_eq!((done.code, &*done.err), (0, ""));
    assert!(scene.read("out/polling.rules.yaml").contains("> 0.09'"));
    let entry = consul.get(&key).await.unwrap().unwrap();
    assert!(consul.delete(&key, entry.modify_index).await.unwrap());
}
