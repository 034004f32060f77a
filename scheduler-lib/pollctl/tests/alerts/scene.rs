//! A folder, and a console in it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use clap::Parser;
use pollctl::{Cli, Io};
use polling_model::ManualClock;

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// It goes away with the value.
pub(crate) struct Scene {
    pub(crate) folder: PathBuf,
}

/// Unary methods alone, so that there are few checks.
pub(crate) const PROTO: &str = "\
syntax = \"proto3\";
service MeterIngest {
  rpc Put(Readings) returns (Readings);
}
message Readings {}
";

const CONFIGURATION: &str = "\
[channels.mastodon]
redis = \"redis://127.0.0.1:1/0\"
[channels.mastodon.job_types.posts]
interval = \"5m\"
[channels.mastodon.queues]
work = { posts = \"jobs.fifo\" }
[channels.mastodon.objectives]
staleness.gold = { within = \"5m\", share = 0.95 }
[scaling.channels.mastodon.posts]
max = 7
";

impl Scene {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Short, since a socket's path may have no more than 107 bytes.
        let name = format!("pollctl-alerts-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let scene = Self { folder };
        scene.write("meters.proto", PROTO);
        scene.write("scheduler.toml", CONFIGURATION);
        scene
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// `pollctl alerts COMMAND`, with these arguments.
    pub(crate) async fn run(&self, command: &str, arguments: &[&str]) -> Done {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let line = ["pollctl", "alerts", command].into_iter();
        let cli = Cli::try_parse_from(line.chain(arguments.iter().copied())).unwrap();
        let code = cli
            .execute(Io {
                out: &mut out,
                err: &mut err,
                input: &mut std::io::empty(),
                colours: false,
                asks: false,
                progress: false,
                token: None,
                clock: Arc::new(ManualClock::at(0)),
            })
            .await;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done {
            code,
            out: text(out),
            err: text(err),
        }
    }

    /// The same of the service and the channel of this scene, into its folder `out`.
    pub(crate) async fn of_all(&self, command: &str, more: &[&str]) -> Done {
        let [proto, config, out] =
            ["meters.proto", "scheduler.toml", "out"].map(|name| self.path(name));
        let mut arguments = vec!["--proto", &proto, "--config", &config, "--out", &out];
        arguments.extend(more);
        self.run(command, &arguments).await
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
