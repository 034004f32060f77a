//! The command line.

use std::{ffi::OsString, time::Duration};

use clap::Parser;

/// The exit code for a command line that cannot be followed.
pub const WRONG_USAGE: u8 = 1;

/// Longest timeout that can be asked for.
const MAX_TIMEOUT: Duration = Duration::from_secs(3_600);

const LONG_HELP: &str = "\
Examples:
  health-probe --addr localhost:7072                       is everything ready?
  health-probe --addr localhost:7072 --service liveness    is it alive?
  health-probe --http http://localhost:7070/readyz         the same over HTTP

As an exec probe of Kubernetes:
  readinessProbe:
    exec: { command: [/health-probe, --addr, localhost:7072] }
    timeoutSeconds: 2          # more than --timeout, so that the reason is told

Exit codes: 0 serving; 1 wrong command line; 2 no connection, or not in time; 3 the call failed, or
was not answered in time; 4 answered, but not serving. These are the codes of grpc_health_probe.";

/// Asks a server for its health; the exit code says what it answered.
#[derive(Debug, Parser)]
#[command(name = "health-probe", version, after_help = LONG_HELP)]
#[non_exhaustive]
pub struct Arguments {
    /// A server of grpc.health.v1; without HOST it is localhost.
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "http")]
    pub addr: Option<String>,

    /// The address of a page instead: an answer of 200 to 399 means that it serves.
    #[arg(long, value_name = "URL", conflicts_with_all = ["addr", "service"])]
    pub http: Option<String>,

    /// Which of the server's services; the server as a whole unless given.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub service: String,

    /// For connecting and the answer together.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = timeout)]
    pub timeout: Duration,

    /// How to encrypt.
    #[cfg(feature = "tls")]
    #[command(flatten)]
    pub tls: crate::tls::Options,
}

impl Arguments {
    /// Reads a command line; the first of `arguments` is the program's name.
    ///
    /// # Errors
    ///
    /// What is wrong, or the help that was asked for.
    pub fn parse<A: Into<OsString> + Clone>(
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = humantime::parse_duration(text)
        .map_err(|error| format!("no duration such as 1s or 500ms: {error}"))?;
    if timeout.is_zero() || timeout > MAX_TIMEOUT {
        return Err(format!("it needs 1ms to {MAX_TIMEOUT:?}"));
    }
    Ok(timeout)
}
