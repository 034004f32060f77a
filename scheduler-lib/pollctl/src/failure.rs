//! What goes wrong, and the exit code that tells it.

use std::io;

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It was done, and something is wrong: a file's line, a check.
    #[error("{0}")]
    Problem(String),
    /// The command line, a file that it names, or a setting.
    #[error("{0}")]
    Usage(String),
    /// The scheduler knows no such job or channel.
    #[error("{0}")]
    NotFound(String),
    /// The scheduler does not take the request.
    #[error("{0}")]
    Refused(String),
    /// No answer, or one that says to try again: whether it took effect is unknown.
    #[error("{0}")]
    NoAnswer(String),
    /// It was told in the place that is meant for it; what is left is the exit code of a check.
    #[error("")]
    Told(u8),
    /// Nothing can be written or read here.
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
}

impl Failure {
    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            // Whoever reads the output has seen enough, as `head`.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Problem(_) | Self::Io(_) => 1,
            Self::Told(code) => *code,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Refused(_) => 4,
            Self::NoAnswer(_) => 5,
        }
    }
}

/// For `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  done, and something is wrong: a line was refused, a check failed, a channel is not ready
  2  wrong command line, or a file that it names cannot be used
  3  no such job, channel or message
  4  the scheduler refuses the request: its token, its values, its size
  5  no answer in time, or the scheduler cannot do it at present: every command can be repeated";
