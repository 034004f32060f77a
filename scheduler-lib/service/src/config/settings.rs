//! Where settings come from that change while the scheduler runs.

use std::{fs, path::PathBuf};

use polling_ops::config::{Consul, ConsulError};
use serde::Deserialize;

use scheduler_web::Secret;

/// Sources of settings, the strongest last: a file, Redis, Consul.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// A TOML file that is read again when it changes; it need not be there.
    pub file: Option<PathBuf>,
    /// A hash in Redis.
    pub redis: Option<RedisSettings>,
    /// Keys in Consul.
    pub consul: Option<ConsulSettings>,
    /// A file in which what they said last is kept for the next start.
    pub keep: Option<PathBuf>,
}

/// A hash in Redis whose fields are keys of settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisSettings {
    /// The address, `redis://user:password@host:port/database`.
    pub url: Secret,
    /// The hash.
    #[serde(default = "default_hash")]
    pub key: String,
}

fn default_hash() -> String {
    "polling:settings".to_owned()
}

/// Keys below a prefix in Consul.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ConsulSettings {
    /// An agent's address, `http://127.0.0.1:8500`.
    pub address: String,
    /// What the keys are below.
    #[serde(default = "default_prefix")]
    pub prefix: String,
    /// A token that may read them.
    pub token: Option<Secret>,
    /// A file that holds the token, instead.
    pub token_file: Option<PathBuf>,
    /// Another datacenter than the agent's.
    pub datacenter: Option<String>,
    /// Roots that vouch for the agent, instead of the system's; PEM.
    pub ca_file: Option<PathBuf>,
}

fn default_prefix() -> String {
    "polling".to_owned()
}

impl Settings {
    /// Whether there is any.
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.file.is_some() || self.redis.is_some() || self.consul.is_some()
    }
}

impl ConsulSettings {
    /// Reads its files, and makes the client.
    ///
    /// # Errors
    ///
    /// The key of the configuration, and what is wrong with it.
    pub fn client(&self) -> Result<Consul, (&'static str, String)> {
        let read = |key, file: &PathBuf| {
            let failed = |error| (key, format!("{} cannot be read: {error}", file.display()));
            fs::read_to_string(file).map_err(failed)
        };
        if self.token.is_some() && self.token_file.is_some() {
            let what = "token is set as well: keep one of the two";
            return Err(("token_file", what.to_owned()));
        }
        let of_file = self.token_file.as_ref();
        let of_file = of_file.map(|file| read("token_file", file)).transpose()?;
        let set = self.token.as_ref().map(|token| token.expose().to_owned());
        let token = set.or(of_file.map(|text| text.trim().to_owned()));
        let authorities = self.ca_file.as_ref();
        let authorities = authorities.map(|file| read("ca_file", file)).transpose()?;
        let built = Consul::builder(&self.address)
            .prefix(&self.prefix)
            .token(token)
            .datacenter(self.datacenter.clone())
            .authorities_pem(authorities.map(String::into_bytes))
            .build();
        built.map_err(|error: ConsulError| ("address", error.to_string()))
    }
}
