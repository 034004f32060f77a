//! The scheduler's own program, for what only it can do: it knows configurations and servers.

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use clap::Args;
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::failure::Failure;

/// Longest time for one call: it opens every server, and creates queues.
const DEADLINE: Duration = Duration::from_secs(120);

/// Where it is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Program {
    /// The scheduler's program, which reads the configuration.
    #[arg(
        long = "scheduler",
        value_name = "PROGRAM",
        default_value = "scheduler",
        env = "POLLCTL_SCHEDULER"
    )]
    path: PathBuf,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; none after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// Calls it, and takes any exit code for an answer.
    pub(crate) async fn call(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Ended, Failure> {
        self.call_with(arguments, "").await
    }

    /// The same, with something to read.
    pub(crate) async fn call_with(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
        input: &str,
    ) -> Result<Ended, Failure> {
        let mut command = Command::new(&self.path);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let ended = tokio::time::timeout(DEADLINE, output(command, input)).await;
        let ended = ended.map_err(|_| {
            let program = self.path.display();
            Failure::NoAnswer(format!(
                "{program} did not end within {} s, and was ended: the command can be repeated",
                DEADLINE.as_secs()
            ))
        })?;
        let ended = ended.map_err(|error| {
            let program = self.path.display();
            Failure::Usage(format!(
                "{program} cannot be started: {error}; name the scheduler's program with --scheduler or POLLCTL_SCHEDULER"
            ))
        })?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Ended {
            code: ended.status.code(),
            out: text(ended.stdout),
            err: text(ended.stderr),
        })
    }
}

/// What came of it, once it has read `input`.
async fn output(mut command: Command, input: &str) -> io::Result<Output> {
    let mut child = command.spawn()?;
    let writing = child.stdin.take();
    let write = async {
        if let Some(mut writing) = writing {
            // Whoever ends without reading tells why by itself.
            let _ = writing.write_all(input.as_bytes()).await;
        }
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    output
}
