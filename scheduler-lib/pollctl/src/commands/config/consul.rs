//! Consul itself, as deployment pipelines reach it.

use std::{env, fs, path::PathBuf};

use clap::Args;
use polling_model::chain;
use polling_ops::config::{Consul, ConsulError};

use crate::failure::Failure;

/// Where it is.
#[derive(Debug, Args)]
pub(super) struct Address {
    /// An agent of Consul.
    #[arg(
        long = "consul",
        value_name = "URL",
        default_value = "http://127.0.0.1:8500"
    )]
    url: String,

    /// What the keys are below, as in the scheduler's configuration.
    #[arg(long, default_value = "polling")]
    prefix: String,

    /// A file that holds a token which may read and write the keys, and those of PREFIX.history; CONSUL_HTTP_TOKEN otherwise.
    #[arg(long, value_name = "FILE", env = "CONSUL_HTTP_TOKEN_FILE")]
    consul_token_file: Option<PathBuf>,

    /// Another datacenter than the agent's.
    #[arg(long, value_name = "NAME")]
    datacenter: Option<String>,

    /// Roots that vouch for the agent, instead of the system's; PEM.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl Address {
    pub(super) fn client(&self) -> Result<Consul, Failure> {
        let read = |file: &PathBuf| {
            let failed =
                |error| Failure::Usage(format!("{} cannot be read: {error}", file.display()));
            fs::read_to_string(file).map_err(failed)
        };
        let token = self.consul_token_file.as_ref().map(read).transpose()?;
        let token = token.or_else(|| env::var("CONSUL_HTTP_TOKEN").ok());
        let authorities = self.ca_file.as_ref().map(read).transpose()?;
        let built = Consul::builder(&self.url)
            .prefix(&self.prefix)
            .token(token.map(|token| token.trim().to_owned()))
            .datacenter(self.datacenter.clone())
            .authorities_pem(authorities.map(String::into_bytes))
            .build();
        built.map_err(|error| Failure::Usage(chain(&error)))
    }
}

/// What a call that failed means to who made it.
pub(super) fn failed(error: &ConsulError) -> Failure {
    let what = chain(error);
    match error {
        ConsulError::Refused { .. } => Failure::Refused(what),
        ConsulError::Unanswered { .. } => Failure::NoAnswer(what),
        _ => Failure::Problem(what),
    }
}
