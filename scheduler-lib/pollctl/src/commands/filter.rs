//! What jobs have in common.

use clap::{Args, ValueEnum};
use polling_model::{AccountId, JobType, ServiceLevel};

use crate::client::Call;

/// Which jobs; what is left out does not matter.
#[derive(Debug, Clone, Args)]
pub(crate) struct Filter {
    /// Jobs of an account.
    #[arg(long)]
    pub(crate) account: Option<AccountId>,
    /// Jobs of a type.
    #[arg(long)]
    pub(crate) job_type: Option<JobType>,
    /// Jobs of a service level.
    #[arg(long)]
    pub(crate) level: Option<ServiceLevel>,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum At {
    /// It waits for its time.
    Slot,
    /// A worker has it, or its queue.
    InFlight,
    /// It is due beyond the ring of slots.
    Later,
    /// By any hold.
    Held,
    /// By hand, or by a rule.
    Paused,
    /// The account or the resource is gone, or somebody has looked at it.
    Parked,
    /// After too many dead letters.
    Quarantined,
    /// Its queue refused its message for good.
    Refused,
}

impl At {
    /// As the server calls it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::InFlight => "in_flight",
            Self::Later => "later",
            Self::Held => "held",
            Self::Paused => "paused",
            Self::Parked => "parked",
            Self::Quarantined => "quarantined",
            Self::Refused => "refused",
        }
    }
}

impl Filter {
    pub(crate) fn is_empty(&self) -> bool {
        self.account.is_none() && self.job_type.is_none() && self.level.is_none()
    }

    /// The same in words: `of account 42 and level gold`.
    pub(crate) fn told(&self) -> String {
        let of = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}"));
        let parts = [
            of("account", self.account.as_ref().map(ToString::to_string)),
            of("type", self.job_type.as_ref().map(ToString::to_string)),
            of("level", self.level.as_ref().map(ToString::to_string)),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        format!("of {}", parts.join(" and "))
    }

    /// The same as parameters.
    pub(crate) fn narrow(&self, call: Call) -> Call {
        call.query("account", self.account.as_ref())
            .query("job_type", self.job_type.as_ref())
            .query("level", self.level.as_ref())
    }
}
