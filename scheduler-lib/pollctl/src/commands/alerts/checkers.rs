//! The programs that read the files, asked whether they would.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use clap::Args;
use polling_ops::alerts::nagios::NOBODY;
use tokio::{process::Command, time::timeout};

use super::files::{ALERTMANAGER, NAGIOS, OBJECTIVES, RULES, TESTS};

/// Longest time for one of them.
const DEADLINE: Duration = Duration::from_secs(300);

/// Where they are.
#[derive(Debug, Args)]
pub(super) struct Checkers {
    /// Prometheus's program that checks rules.
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "promtool",
        env = "POLLING_PROMTOOL",
        hide_env_values = true
    )]
    promtool: PathBuf,

    /// Alertmanager's program that checks its configuration.
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "amtool",
        env = "POLLING_AMTOOL",
        hide_env_values = true
    )]
    amtool: PathBuf,

    /// Nagios itself.
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "nagios4",
        env = "POLLING_NAGIOS",
        hide_env_values = true
    )]
    nagios: PathBuf,
}

/// What one of them said.
#[derive(Debug)]
pub(super) enum Outcome {
    Passed,
    Missing,
    Failed(String),
}

/// The main file of Nagios, for a check alone: all that it could write goes into the same folder.
const NAGIOS_MAIN: &str = "\
illegal_macro_output_chars=`~$&|'\"<>
nagios_user={user}
nagios_group={group}
cfg_file={folder}/polling.cfg
cfg_file={folder}/contacts.cfg
log_file={folder}/nagios.log
object_cache_file={folder}/objects.cache
precached_object_file={folder}/objects.precache
status_file={folder}/status.dat
temp_file={folder}/nagios.tmp
temp_path={folder}
lock_file={folder}/nagios.lock
command_file={folder}/nagios.cmd
check_result_path={folder}
";

impl Checkers {
    /// Asks each about the files in this folder.
    pub(super) async fn check(&self, folder: &Path) -> Vec<(String, Outcome)> {
        let mut outcomes = Vec::new();
        let rules = [
            &["check", "rules", RULES, OBJECTIVES][..],
            &["test", "rules", TESTS],
        ];
        for arguments in rules {
            outcomes.push(ask(&self.promtool, arguments, folder).await);
        }
        let arguments = ["check-config", ALERTMANAGER];
        outcomes.push(ask(&self.amtool, &arguments, folder).await);
        outcomes.push(match nagios_main(folder) {
            Ok(main) => ask(&self.nagios, &["-v", &main], folder).await,
            Err(error) => (NAGIOS.to_owned(), Outcome::Failed(error.to_string())),
        });
        // promtool is asked twice, and missing once.
        outcomes.dedup_by(|two, one| {
            one.0 == two.0 && matches!((&one.1, &two.1), (Outcome::Missing, Outcome::Missing))
        });
        outcomes
    }
}

fn nagios_main(folder: &Path) -> io::Result<String> {
    let main = folder.join("nagios.cfg");
    // It gives up what it may do as root, and has to know for whom: for whoever asks.
    let owner = fs::metadata(folder)?;
    let text = NAGIOS_MAIN
        .replace("{folder}", &folder.display().to_string())
        .replace("{user}", &owner.uid().to_string())
        .replace("{group}", &owner.gid().to_string());
    fs::write(&main, text)?;
    fs::write(folder.join("contacts.cfg"), NOBODY)?;
    Ok(main.display().to_string())
}

async fn ask(program: &Path, arguments: &[&str], folder: &Path) -> (String, Outcome) {
    let name = program.display().to_string();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let outcome = match timeout(DEADLINE, command.output()).await {
        Ok(Ok(ended)) if ended.status.success() => Outcome::Passed,
        Ok(Ok(ended)) => {
            let said = [ended.stdout, ended.stderr].concat();
            Outcome::Failed(String::from_utf8_lossy(&said).into_owned())
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Outcome::Missing,
        Ok(Err(error)) => Outcome::Failed(format!("it cannot be started: {error}")),
        Err(_) => Outcome::Failed(format!("it did not end within {} s", DEADLINE.as_secs())),
    };
    (name, outcome)
}
