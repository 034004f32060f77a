//! How the server is reached, who may call, and its bounds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use scheduler_lib::duration;
use serde::{Deserialize, Deserializer};

use crate::{access::Role, secret::Secret};

/// The settings of a [`Web`](crate::Web).
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// The address to listen on. Off loopback it needs a token or users.
    pub listen: SocketAddr,
    /// The secret of the operator called `operator`.
    pub token: Option<Secret>,
    /// A file that holds the token, instead.
    pub token_file: Option<PathBuf>,
    /// Who else may call, by name.
    pub users: BTreeMap<String, User>,
    /// Reverse proxies that say who calls.
    pub proxy: Option<Proxy>,
    /// Largest body of a request, bytes.
    pub max_body_size_bytes: usize,
    /// Most requests at the same time; the next are answered 503.
    pub max_requests: usize,
    /// Longest time for one request.
    #[serde(deserialize_with = "deadline")]
    pub request_timeout: Duration,
    /// A scheduler that has not looked at its slots for so long is not alive.
    #[serde(deserialize_with = "deadline")]
    pub max_tick_age: Duration,
}

/// Somebody who may call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct User {
    /// What they may do.
    pub role: Role,
    /// Sent as `authorization: Bearer …`, as the password of basic authentication, or to the console's form.
    pub secret: Option<Secret>,
    /// A file that holds the secret, instead.
    pub secret_file: Option<PathBuf>,
}

/// Reverse proxies that say in headers who calls. Whoever reaches the server from one of their addresses is believed: they
/// must take these headers out of what they are sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Proxy {
    /// Their addresses.
    pub from: BTreeSet<IpAddr>,
    /// The header with the user's name.
    #[serde(default = "user_header")]
    pub user: String,
    /// The header with the user's groups, between commas.
    #[serde(default = "groups_header")]
    pub groups: String,
    /// Groups whose members are operators; everybody else is a reader.
    #[serde(default)]
    pub operators: BTreeSet<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            token: None,
            token_file: None,
            users: BTreeMap::new(),
            proxy: None,
            max_body_size_bytes: 2 * 1024 * 1024,
            max_requests: 64,
            request_timeout: Duration::from_secs(30),
            max_tick_age: Duration::from_secs(60),
        }
    }
}

/// Shortest secret, bytes: shorter ones can be guessed.
const MIN_SECRET_LEN: usize = 16;

/// Longest name of a user, bytes.
const MAX_NAME_LEN: usize = 64;

/// Where something is wrong, below these options, and what.
pub type Problem = (Vec<String>, String);

impl Options {
    /// Fills in secrets from their files, and returns everything that is wrong.
    pub fn settle(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut report = |path: &[&str], what: String| {
            problems.push((path.iter().map(|key| (*key).to_owned()).collect(), what));
        };
        if let Err((key, what)) = settle_secret(&mut self.token, self.token_file.as_deref()) {
            report(&[key.in_token()], what);
        }
        for (name, user) in &mut self.users {
            if name.is_empty() || name.len() > MAX_NAME_LEN || name.contains(':') {
                let what = format!("a name has 1 to {MAX_NAME_LEN} bytes and no colon");
                report(&["users", name], what);
            }
            match settle_secret(&mut user.secret, user.secret_file.as_deref()) {
                Err((key, what)) => report(&["users", name, key.in_user()], what),
                Ok(()) if user.secret.is_none() => {
                    report(
                        &["users", name],
                        "it needs a secret or a secret_file".to_owned(),
                    );
                }
                Ok(()) => {}
            }
        }
        let somebody = self.token.is_some() || !self.users.is_empty();
        if self.proxy.is_some() && !somebody {
            let what = "set admin.token as well: it signs what browsers are given";
            report(&["proxy"], what.to_owned());
        }
        let given = self.token_file.is_some();
        if !somebody && !given && !self.listen.ip().is_loopback() {
            let what = format!(
                "{} is not loopback, so others may reach it: set admin.token or admin.token_file",
                self.listen
            );
            report(&["listen"], what);
        }
        for (key, found) in [
            ("max_body_size_bytes", self.max_body_size_bytes),
            ("max_requests", self.max_requests),
        ] {
            if found == 0 {
                report(&[key], "0: it needs at least 1".to_owned());
            }
        }
        problems
    }
}

/// Which of two keys.
enum Of {
    Text,
    File,
}

impl Of {
    const fn in_token(&self) -> &'static str {
        match self {
            Self::Text => "token",
            Self::File => "token_file",
        }
    }

    const fn in_user(&self) -> &'static str {
        match self {
            Self::Text => "secret",
            Self::File => "secret_file",
        }
    }
}

/// Reads a secret from its file, if it has one, and looks at its length.
fn settle_secret(secret: &mut Option<Secret>, file: Option<&Path>) -> Result<(), (Of, String)> {
    match file {
        Some(_) if secret.is_some() => {
            let what = "it is set in place as well: keep one of the two";
            return Err((Of::File, what.to_owned()));
        }
        Some(file) => {
            let text = fs::read_to_string(file);
            let text = text.map_err(|error| {
                (
                    Of::File,
                    format!("{} cannot be read: {error}", file.display()),
                )
            })?;
            *secret = Some(Secret::new(text.trim()));
        }
        None => {}
    }
    match secret {
        Some(secret) if secret.expose().len() < MIN_SECRET_LEN => {
            let what = format!(
                "it has {} bytes: it needs at least {MIN_SECRET_LEN}, such as from `openssl rand -hex 32`",
                secret.expose().len()
            );
            Err((Of::Text, what))
        }
        _ => Ok(()),
    }
}

impl User {
    /// Somebody with this secret.
    #[must_use]
    pub fn new(role: Role, secret: Secret) -> Self {
        Self {
            role,
            secret: Some(secret),
            secret_file: None,
        }
    }
}

fn user_header() -> String {
    "x-forwarded-user".to_owned()
}

fn groups_header() -> String {
    "x-forwarded-groups".to_owned()
}

fn deadline<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    const MIN: Duration = Duration::from_millis(100);
    const MAX: Duration = Duration::from_secs(3600);
    duration::deserialize_within(deserializer, MIN, MAX)
}
