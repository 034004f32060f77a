//! What can be wrong with a configuration: then no scheduler runs that could be asked.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use polling_model::{Generator, SystemClock};
use scheduler::{check::check, config::Config, servers::create_queues};

use crate::{
    own_server::OwnServer,
    scene::{Told, config, doctor},
};

/// A program that answers `--config FILE --check --json` with a text, in a folder that goes with it.
struct Stub(PathBuf);

impl Stub {
    fn new(answer: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("stub-{}", Generator::from_os().nonce()));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("answer"), answer).unwrap();
        let program = folder.join("scheduler");
        let script = "#!/bin/sh\n[ \"$*\" = '--config s.toml --check --json' ] && cat \"$(dirname \"$0\")/answer\"\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    /// The doctor, where nobody listens.
    async fn doctor(&self) -> Told {
        let program = self.0.join("scheduler");
        let program = program.to_str().unwrap();
        let nobody = ["--url", "http://127.0.0.1:1"];
        let arguments = ["--config", "s.toml", "--scheduler", program];
        doctor(&nobody, &arguments).await
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[tokio::test]
async fn a_scheduler_that_does_not_answer_and_a_refused_configuration_are_both_told() {
    let refused =
        "s.toml:3: channels.mastodon.redis: store is \\\"memory\\\" as well: keep one of the two";
    let stub = Stub::new(&format!("{{\"ok\":false,\"problems\":[\"{refused}\"]}}"));
    let told = stub.doctor().await;
    assert_eq!(told.code, 1, "{}", told.text);
    told.names("problem", "no scheduler answers at 127.0.0.1:1", "start it");
    told.names(
        "problem",
        "s.toml:3: channels.mastodon.redis",
        "correct that line",
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dev/services"]
async fn a_configuration_that_the_store_contradicts_is_named_with_its_mend() {
    let redis = OwnServer::start(&[]).await;
    let text = config("mastodon", &redis.url(), "transport = \"redis\"", "");
    let checked = async |text: &str| {
        let config = Config::parse("s.toml", text, []).unwrap();
        create_queues(&config).await;
        let report = check(&config, &(Arc::new(SystemClock) as _)).await;
        Stub::new(&serde_json::to_string(&report).unwrap())
    };
    let told = checked(&text).await.doctor().await;
    told.names("problem", "no scheduler answers", "start it");
    let other = text.replace("slot_width = \"1s\"", "slot_width = \"2s\"");
    let told = checked(&other).await.doctor().await;
    let what = "has slots of 1000 ms, not 2000 ms";
    told.names(
        "problem",
        what,
        "put back the settings with which the store was created",
    );
    let short = config("github", &redis.url(), "transport = \"redis\"", "");
    let short = short.replace("slot_width = \"1s\"", "slot_width = \"2m\"");
    let told = checked(&short).await.doctor().await;
    told.names(
        "warning",
        "shorter than a slot",
        "change it in the configuration",
    );
}
