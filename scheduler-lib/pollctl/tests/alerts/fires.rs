//! An error rate that is injected, and who tells it.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use polling_model::{Observation, SystemClock};
use polling_ops::{
    graphite::{Graphite, GraphiteConfig},
    metrics::Metrics,
    prometheus,
};
use tokio::{net::TcpListener, time::interval};

use super::{
    scene::Scene,
    servers::{Server, free_port, get, nagios, state_of, until},
};

/// The shortest window there is, and no wait.
const THRESHOLDS: &str = "\
[alerts.services.MeterIngest.Put.error-rate]
window = \"1m\"
for = \"0s\"
";

const ALERT: &str = "Put error-rate";

/// A server that is called all the time, and fails if it is told to.
fn serve(failing: &Arc<AtomicBool>) -> Metrics {
    let metrics = Metrics::new();
    let (observer, failing) = (metrics.observer(), Arc::clone(failing));
    tokio::spawn(async move {
        let mut calls = interval(Duration::from_millis(20));
        for number in 0_u64.. {
            calls.tick().await;
            let fails = failing.load(Ordering::Relaxed) && number.is_multiple_of(2);
            let (status, error) = match fails {
                true => ("INTERNAL", Some("INTERNAL")),
                false => ("OK", None),
            };
            observer.observe(Observation::Answered {
                side: "server",
                system: "grpc",
                method: "",
                route: "MeterIngest/Put",
                status,
                error,
                elapsed: Duration::from_millis(1),
            });
        }
    });
    metrics
}

/// Generates files whose checks are made by this build of the program.
async fn generate(scene: &Scene, source: &[&str]) {
    scene.write("thresholds.toml", THRESHOLDS);
    let (proto, out, thresholds) = (
        scene.path("meters.proto"),
        scene.path("out"),
        scene.path("thresholds.toml"),
    );
    let mut arguments = vec!["--proto", &proto, "--no-channels", "--out", &out];
    arguments.extend(["--thresholds", &thresholds]);
    arguments.extend(["--program", env!("CARGO_BIN_EXE_pollctl")]);
    arguments.extend(source);
    let done = scene.run("generate", &arguments).await;
    assert_eq!((done.code, &*done.err), (0, ""));
}

async fn nagios_tells(scene: &Scene, state: u8) {
    let told = format!("{ALERT} is in state {state}");
    until(&told, async || {
        state_of(scene, ALERT).is_some_and(|(found, _)| found == state)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/alerting"]
async fn an_error_rate_fires_in_prometheus_reaches_alertmanager_and_is_critical_to_nagios() {
    let (scene, failing) = (Scene::new(), Arc::default());
    let exporter = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scraped = exporter.local_addr().unwrap();
    let routes = prometheus::router(serve(&failing));
    tokio::spawn(async move { axum::serve(exporter, routes).await });
    let (prometheus_at, alertmanager_at) = (free_port().await, free_port().await);
    let prometheus_url = format!("http://{prometheus_at}");
    generate(&scene, &["--prometheus", &prometheus_url]).await;

    let rules = scene.path("out/polling.rules.yaml");
    let config = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
         rule_files: ['{rules}']\n\
         scrape_configs: [{{ job_name: meters, static_configs: [{{ targets: ['{scraped}'] }}] }}]\n\
         alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['{alertmanager_at}'] }}] }}] }}\n"
    );
    scene.write("prometheus.yml", &config);
    let prometheus = Server::start(
        &scene,
        "POLLING_PROMETHEUS",
        &[
            &format!("--config.file={}", scene.path("prometheus.yml")),
            &format!("--storage.tsdb.path={}", scene.path("series")),
            &format!("--web.listen-address={prometheus_at}"),
        ],
    );
    let alertmanager = Server::start(
        &scene,
        "POLLING_ALERTMANAGER",
        &[
            &format!("--config.file={}", scene.path("out/alertmanager.yaml")),
            &format!("--storage.path={}", scene.path("alertmanager")),
            &format!("--web.listen-address={alertmanager_at}"),
            "--cluster.listen-address=",
        ],
    );
    let query =
        format!("{prometheus_url}/api/v1/query?query=rpc_server_call_duration_seconds_count");
    until("calls are scraped", async || {
        let answer = get(&query).await.unwrap_or_default();
        answer["data"]["result"]
            .as_array()
            .is_some_and(|series| !series.is_empty())
    })
    .await;
    let nagios = nagios(&scene);

    nagios_tells(&scene, 0).await;
    let alerts = format!("http://{alertmanager_at}/api/v2/alerts");
    until("Alertmanager answers", async || {
        get(&alerts).await.is_some()
    })
    .await;
    assert_eq!(
        get(&alerts).await,
        Some(serde_json::json!([])),
        "nothing is wrong yet"
    );

    failing.store(true, Ordering::Relaxed);
    nagios_tells(&scene, 2).await;
    let (_, said) = state_of(&scene, ALERT).unwrap();
    assert!(said.starts_with("CRITICAL: error-rate is 0."), "{said}");
    until("Alertmanager has the alert", async || {
        let told = get(&alerts).await.unwrap_or_default();
        told.as_array().is_some_and(|alerts| {
            alerts.iter().any(|alert| {
                let labels = &alert["labels"];
                labels["alertname"] == "RpcCallsFail"
                    && labels["severity"] == "critical"
                    && labels["method"] == "Put"
                    && alert["receivers"][0]["name"] == "polling-critical"
            })
        })
    })
    .await;
    let firing = get(&format!("{prometheus_url}/api/v1/alerts"))
        .await
        .unwrap();
    let firing = firing["data"]["alerts"].as_array().unwrap().clone();
    assert!(
        firing.iter().any(|alert| alert["state"] == "firing"),
        "{firing:?}"
    );
    for server in [nagios, prometheus, alertmanager] {
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/alerting and dev/services"]
async fn an_error_rate_in_graphite_is_critical_to_nagios() {
    let (scene, failing) = (Scene::new(), Arc::default());
    let address = env::var("POLLING_GRAPHITE_ADDRESS").unwrap();
    let url = env::var("POLLING_GRAPHITE_URL").unwrap();
    let root = format!("alerts{}", std::process::id());
    let config = GraphiteConfig::new(address, format!("{root}.{{host}}"))
        .variable("host", "worker-7.internal")
        .every(Duration::from_secs(1));
    let graphite = Graphite::new(serve(&failing), config, Arc::new(SystemClock)).unwrap();
    tokio::spawn(graphite.run(std::future::pending()));
    let prefix = format!("{root}.*");
    generate(&scene, &["--graphite", &url, "--graphite-prefix", &prefix]).await;
    let nagios = nagios(&scene);

    nagios_tells(&scene, 0).await;
    let series =
        format!("{prefix}.rpc_server_call_duration_seconds_count.rpc_method.*.*.*.*.*.*.*");
    let render = format!("{url}/render?format=json&from=-60s&target={series}");
    until("calls are kept", async || {
        let answer = get(&render).await.unwrap_or_default();
        answer.as_array().is_some_and(|series| !series.is_empty())
    })
    .await;
    failing.store(true, Ordering::Relaxed);
    nagios_tells(&scene, 2).await;
    let (_, said) = state_of(&scene, ALERT).unwrap();
    assert!(said.starts_with("CRITICAL: error-rate is 0."), "{said}");
    nagios.stop().await;
}
