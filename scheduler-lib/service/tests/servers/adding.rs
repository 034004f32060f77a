//! A channel added to a configuration, and its queues.

use std::{fs, process::Command};

use polling_model::Generator;

use crate::{service::variable, support::ConfigFile};

/// The exit code and the output of the program.
fn told(config: &ConfigFile, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_scheduler"))
        .arg("--config")
        .arg(&config.0)
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
#[ignore = "needs dev/services"]
fn an_added_channel_has_its_queues_and_the_scheduler_can_start() {
    let sqs = format!(
        "# ours\n[sqs]\nendpoint = \"{}\"\n",
        variable("POLLING_SQS_ENDPOINT")
    );
    let redis = variable("POLLING_REDIS_URL");
    for transport in ["sqs", "redis"] {
        let channel = format!("test-{}", Generator::from_os().nonce());
        let config = ConfigFile::new(&channel, &sqs);
        let add = [
            "add-channel",
            &channel,
            "--job-type",
            "posts=5m,cushion=20",
            "--redis",
            &redis,
            "--transport",
            transport,
        ];
        let dry = [&add[..], &["--dry-run"]].concat();
        let (code, text) = told(&config, &dry);
        assert!(code == Some(0) && text.contains("cushion = 20"), "{text}");
        assert_eq!(fs::read_to_string(&config.0).unwrap(), sqs);

        let (code, text) = told(&config, &add);
        assert_eq!(code, Some(0), "{text}");
        for ending in ["posts", "completed", "dead-letter"] {
            assert!(
                text.contains(&format!("ok      polling-{channel}-{ending} ")),
                "{text}"
            );
        }
        let written = fs::read_to_string(&config.0).unwrap();
        assert!(written.starts_with(&sqs), "{written}");
        let (code, checked) = told(&config, &["--check"]);
        assert!(code == Some(0), "{checked}");
        let redrive = format!("to polling-{channel}-dead-letter after 3 receives");
        assert!(checked.contains(&redrive), "{checked}");

        let (code, text) = told(&config, &add);
        assert!(
            code == Some(0) && text.contains("is there, and left as it is"),
            "{text}"
        );
        assert_eq!(fs::read_to_string(&config.0).unwrap(), written);
    }
}
