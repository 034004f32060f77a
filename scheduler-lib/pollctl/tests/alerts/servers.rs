//! Programs of `dev/alerting`, each with a configuration of the test's.

use std::{env, fs, net::SocketAddr, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    time::{Instant, sleep},
};

use super::scene::Scene;

/// How long a real server may take for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// It is killed with the value.
pub(crate) struct Server(Child);

impl Server {
    /// A program that the environment names; what it says goes into a file of the scene.
    pub(crate) fn start(scene: &Scene, variable: &str, arguments: &[&str]) -> Self {
        let program = env::var_os(variable)
            .unwrap_or_else(|| panic!("no {variable}: eval \"$(dev/alerting)\" sets it"));
        let log = fs::File::create(scene.folder.join(format!("{variable}.log"))).unwrap();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true);
        Self(command.spawn().unwrap())
    }

    /// As an operator would.
    pub(crate) async fn stop(mut self) {
        let pid = self.0.id().unwrap().to_string();
        let asked = Command::new("kill").arg(pid).status().await.unwrap();
        assert!(asked.success());
        self.0.wait().await.unwrap();
    }
}

/// A port of loopback that was free just now.
pub(crate) async fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// An answer in JSON, if there is one.
pub(crate) async fn get(url: &str) -> Option<Value> {
    let answer = reqwest::get(url).await.ok()?;
    serde_json::from_slice(&answer.bytes().await.ok()?).ok()
}

/// Waits until something holds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

/// Nagios on the objects that were generated, each checked every five seconds.
pub(crate) fn nagios(scene: &Scene) -> Server {
    use std::os::unix::fs::MetadataExt as _;
    let folder = scene.folder.display();
    let owner = fs::metadata(&scene.folder).unwrap();
    scene.write("contacts.cfg", polling_ops::alerts::nagios::NOBODY);
    let main = format!(
        "nagios_user={}\nnagios_group={}\ncfg_file={folder}/out/polling.cfg\ncfg_file={folder}/contacts.cfg\n\
         log_file={folder}/nagios.log\nlock_file={folder}/nagios.lock\nquery_socket={folder}/nagios.qh\n\
         object_cache_file={folder}/objects\nstatus_file={folder}/status\nstatus_update_interval=1\n\
         temp_file={folder}/temp\ntemp_path={folder}\ncheck_result_path={folder}\nuse_syslog=0\n\
         check_external_commands=0\nenable_notifications=0\ninterval_length=5\n\
         service_inter_check_delay_method=n\nmax_service_check_spread=1\ncheck_result_reaper_frequency=1\n",
        owner.uid(),
        owner.gid(),
    );
    scene.write("nagios.cfg", &main);
    Server::start(scene, "POLLING_NAGIOS", &[&scene.path("nagios.cfg")])
}

/// The state of a service that Nagios has checked, with what the check said.
pub(crate) fn state_of(scene: &Scene, service: &str) -> Option<(u8, String)> {
    let status = scene.read("status");
    let mut blocks = status.split("servicestatus {").skip(1);
    let block = blocks.find(|block| block.contains(&format!("service_description={service}\n")))?;
    let value = |key: &str| {
        let mut lines = block.lines().map(str::trim);
        lines.find_map(|line| line.strip_prefix(key).map(str::to_owned))
    };
    let checked = value("has_been_checked=").as_deref() == Some("1");
    let state = value("current_state=")?.parse().ok()?;
    checked.then_some((state, value("plugin_output=")?))
}
