//! Certificates for Redis.

use std::{
    fs,
    path::{Path, PathBuf},
};

use scheduler_lib::store::LinkOptions;
use serde::Deserialize;

/// Files that `rediss://` needs beyond the system's roots; PEM. They are read when the program
/// starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RedisTls {
    /// Roots that vouch for the servers, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// This program's certificate, for servers that ask for one.
    pub cert_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
}

impl RedisTls {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// The key of the configuration, and what is wrong with it.
    pub(super) fn read(&self) -> Result<LinkOptions, (&'static str, String)> {
        let options = LinkOptions::default();
        if *self == Self::default() {
            return Ok(options);
        }
        let ca = read("ca_file", self.ca_file.as_deref(), CERTIFICATE)?;
        let certificate = read("cert_file", self.cert_file.as_deref(), CERTIFICATE)?;
        let key = read("key_file", self.key_file.as_deref(), KEY)?;
        let own = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(("cert_file", "key_file is missing: set both".to_owned()));
            }
            (None, Some(_)) => {
                return Err(("key_file", "cert_file is missing: set both".to_owned()));
            }
        };
        with_certificates(options, ca, own)
    }
}

/// What a file of certificates has.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// What a file with a key has, whatever its kind.
const KEY: &str = "PRIVATE KEY-----";

fn read(
    key: &'static str,
    file: Option<&Path>,
    expected: &str,
) -> Result<Option<String>, (&'static str, String)> {
    let Some(file) = file else { return Ok(None) };
    let text = fs::read_to_string(file)
        .map_err(|error| (key, format!("{} cannot be read: {error}", file.display())))?;
    if !text.contains(expected) {
        let what = format!(
            "{} has no line {expected:?}: it is no PEM file of that kind",
            file.display()
        );
        return Err((key, what));
    }
    Ok(Some(text))
}

#[cfg(feature = "redis-tls")]
fn with_certificates(
    mut options: LinkOptions,
    ca: Option<String>,
    own: Option<(String, String)>,
) -> Result<LinkOptions, (&'static str, String)> {
    if let Some(ca) = ca {
        options = options.root_certificates(ca);
    }
    if let Some((certificate, key)) = own {
        options = options.client_certificate(certificate, key);
    }
    Ok(options)
}

#[cfg(not(feature = "redis-tls"))]
fn with_certificates(
    _: LinkOptions,
    _: Option<String>,
    _: Option<(String, String)>,
) -> Result<LinkOptions, (&'static str, String)> {
    let what = "this program was built without TLS to Redis: build it with --features redis-tls";
    Err(("", what.to_owned()))
}
