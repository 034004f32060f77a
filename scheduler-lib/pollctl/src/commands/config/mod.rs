//! `pollctl config`: settings that change while the scheduler runs.

mod consul;
mod load;
mod one;
mod plan;

use clap::Subcommand;

use self::{
    load::Load,
    one::{Get, History, Set, Unset},
};
use crate::{failure::Failure, session::Session};

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// What is in force, from where, and what is refused.
    Get(Get),
    /// Changes a setting, for every replica and over restarts.
    Set(Set),
    /// Gives a changed setting up.
    Unset(Unset),
    /// Only what is not as the configuration has it.
    Diff,
    /// Who changed a setting, when, and why.
    History(History),
    /// Puts defaults into Consul where there is none, never over what somebody has changed.
    Load(Box<Load>),
}

impl Config {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        match self {
            Self::Get(get) => get.run(session).await,
            Self::Set(set) => set.run(session).await,
            Self::Unset(unset) => unset.run(session).await,
            Self::Diff => one::diff(session).await,
            Self::History(history) => history.run(session).await,
            Self::Load(load) => load.run(session).await,
        }
    }
}
