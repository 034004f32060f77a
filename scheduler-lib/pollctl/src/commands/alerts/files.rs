//! The files: what is in them, and whose they are.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use polling_ops::alerts::{
    HEADER, Refused,
    nagios::{Nagios, Source},
};
use serde_json::{Value, json};

use super::watch::Watch;
use crate::{failure::Failure, session::Session};

pub(super) const RULES: &str = "polling.rules.yaml";
pub(super) const TESTS: &str = "polling.rules.test.yaml";
pub(super) const OBJECTIVES: &str = "polling.objectives.yaml";
pub(super) const ALERTMANAGER: &str = "alertmanager.yaml";
pub(super) const NAGIOS: &str = "polling.cfg";

/// All of them.
pub(super) const NAMES: [&str; 5] = [RULES, TESTS, OBJECTIVES, ALERTMANAGER, NAGIOS];

/// Which, from what, and where.
#[derive(Debug, Args)]
pub(super) struct Files {
    #[command(flatten)]
    watch: Watch,

    /// The folder of the files.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,

    /// Where Nagios asks Prometheus.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9090",
        conflicts_with = "graphite"
    )]
    prometheus: String,

    /// Where Nagios asks Graphite instead: its web application.
    #[arg(long, value_name = "URL")]
    graphite: Option<String>,

    /// What stands before metrics in Graphite.
    #[arg(
        long,
        value_name = "PATTERN",
        default_value = "polling.*.*",
        requires = "graphite"
    )]
    graphite_prefix: String,

    /// Where this program is on the machine of Nagios.
    #[arg(long, value_name = "FILE", default_value = "/usr/local/bin/pollctl")]
    program: String,

    /// A list of Alertmanager's receivers, YAML, among them polling-critical and polling-warning; nobody is told without.
    #[arg(long, value_name = "FILE")]
    receivers: Option<PathBuf>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) text: String,
}

/// What became of it.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) path: PathBuf,
    pub(super) changed: bool,
}

impl Files {
    pub(super) fn out(&self) -> &Path {
        &self.out
    }

    pub(super) async fn generate(
        &self,
        session: &mut Session<'_>,
    ) -> Result<(Vec<File>, Vec<Refused>), Failure> {
        let (alerts, refused) = self.watch.alerts(session).await?;
        let receivers = self.receivers.as_deref().map(|path| {
            fs::read_to_string(path).map_err(|error| {
                Failure::Usage(format!("{} cannot be read: {error}", path.display()))
            })
        });
        let receivers = receivers.transpose()?;
        let source = match &self.graphite {
            Some(url) => Source::Graphite {
                url: url.clone(),
                prefix: self.graphite_prefix.clone(),
            },
            None => Source::Prometheus(self.prometheus.clone()),
        };
        let nagios = Nagios {
            program: self.program.clone(),
            source,
        };
        let files = [
            (RULES, alerts.prometheus_rules()),
            (TESTS, alerts.prometheus_tests(RULES)),
            (OBJECTIVES, alerts.objective_rules()),
            (ALERTMANAGER, alerts.alertmanager(receivers.as_deref())),
            (NAGIOS, alerts.nagios(&nagios)),
        ];
        let files = files.map(|(name, text)| File { name, text });
        Ok((files.into(), refused))
    }
}

/// Whether each file that is there was written by this command.
pub(super) fn all_ours(out: &Path, files: &[File]) -> Result<(), Failure> {
    for file in files {
        let path = out.join(file.name);
        if read(&path)?.is_some_and(|text| !text.starts_with(HEADER)) {
            return Err(Failure::Usage(format!(
                "{} was not written by this command: --force replaces it",
                path.display()
            )));
        }
    }
    Ok(())
}

/// What is in a file, if it is there.
pub(super) fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read(path) {
        // What is not UTF-8 is not ours, and differs.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::Usage(format!(
            "{} cannot be read: {error}",
            path.display()
        ))),
    }
}

impl Written {
    pub(super) fn json(&self) -> Value {
        json!({ "file": self.path.display().to_string(), "changed": self.changed })
    }
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.changed { "written" } else { "unchanged" };
        write!(f, "{} {state}", self.path.display())
    }
}
