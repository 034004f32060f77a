//! Calls to Consul.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{
    Certificate, Method, Response, StatusCode, Url, header::HeaderValue, redirect::Policy,
};
use serde::Deserialize;
use serde_json::Value;

use super::ConsulSource;
use crate::config::{Key, MAX_KEYS};

/// Longest time for a call that does not wait for a change.
pub const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Largest answer, bytes: all keys with values of a common length.
const MAX_ANSWER_SIZE_BYTES: usize = MAX_KEYS * 1024;

/// Keys below a prefix in one Consul. Clones share its connections.
#[derive(Clone)]
pub struct Consul(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base: Url,
    /// Without slashes at its ends.
    prefix: String,
    token: Option<HeaderValue>,
    datacenter: Option<String>,
}

/// Gathers what it takes to reach Consul.
#[derive(Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct ConsulBuilder {
    address: String,
    prefix: String,
    token: Option<String>,
    datacenter: Option<String>,
    ca_pem: Option<Vec<u8>>,
}

/// A value in Consul.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its key below the prefix. Whoever writes to Consul may write what is no [`Key`].
    pub key: String,
    /// What is written there; what is not UTF-8 is shown as �.
    pub text: String,
    /// Changes at each write: [`Check::Unchanged`] compares it.
    pub modify_index: u64,
}

/// What must hold for a write to take place; compared by Consul itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// The key is not there.
    Missing,
    /// It is as it was when its entry was read.
    Unchanged(u64),
}

/// Consul cannot be reached, or refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsulError {
    /// Not what is needed to reach a server.
    #[error("Consul cannot be reached with {what}")]
    Setting {
        /// Which setting, and what it needs.
        what: &'static str,
        /// Why not.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// No answer: whether a write took place is not known.
    #[error("Consul at {address} does not answer")]
    Unanswered {
        /// Where it should be.
        address: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// An answer that says no.
    #[error("Consul at {address} answers {status}: {said}")]
    Refused {
        /// Where it is.
        address: String,
        /// HTTP's status.
        status: u16,
        /// Its first words.
        said: String,
    },
    /// An answer that cannot be read.
    #[error("the answer of Consul at {address} is not as documented: {what}")]
    Strange {
        /// Where it is.
        address: String,
        /// What is wrong with it.
        what: String,
    },
}

/// As Consul writes an entry.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    key: String,
    value: Option<String>,
    modify_index: u64,
}

impl Consul {
    /// Starts with the address of an agent: `http://127.0.0.1:8500`, or `https://`.
    pub fn builder(address: impl Into<String>) -> ConsulBuilder {
        ConsulBuilder {
            address: address.into(),
            prefix: "polling".to_owned(),
            token: None,
            datacenter: None,
            ca_pem: None,
        }
    }

    /// A source of settings that follows it.
    #[must_use]
    pub fn source(&self) -> ConsulSource {
        ConsulSource::new(self.clone())
    }

    /// The key as Consul has it.
    #[must_use]
    pub fn full_key(&self, key: &str) -> String {
        format!("{}/{key}", self.0.prefix)
    }

    pub(super) fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// All entries below the prefix, by key.
    ///
    /// # Errors
    ///
    /// [`ConsulError`].
    pub async fn list(&self) -> Result<Vec<Entry>, ConsulError> {
        let (entries, _) = self.list_after(0, Duration::ZERO).await?;
        Ok(entries)
    }

    /// The entry of a key.
    ///
    /// # Errors
    ///
    /// [`ConsulError`].
    pub async fn get(&self, key: &Key) -> Result<Option<Entry>, ConsulError> {
        let url = self.url(key.as_str());
        let response = self.send(Method::GET, url, None, CALL_DEADLINE).await?;
        Ok(self.entries(response).await?.into_iter().next())
    }

    /// Writes a value if `check` holds; whether it did.
    ///
    /// # Errors
    ///
    /// [`ConsulError`]; of [`Unanswered`](ConsulError::Unanswered) the outcome is not known.
    pub async fn put(&self, key: &Key, text: &str, check: Check) -> Result<bool, ConsulError> {
        let url = self.checked(key, check);
        let body = Some(text.to_owned());
        let response = self.send(Method::PUT, url, body, CALL_DEADLINE).await?;
        self.said_true(response).await
    }

    /// Removes a value that is as it was when its entry was read; whether it was.
    ///
    /// # Errors
    ///
    /// [`ConsulError`]; of [`Unanswered`](ConsulError::Unanswered) the outcome is not known.
    pub async fn delete(&self, key: &Key, modify_index: u64) -> Result<bool, ConsulError> {
        let url = self.checked(key, Check::Unchanged(modify_index));
        let response = self.send(Method::DELETE, url, None, CALL_DEADLINE).await?;
        self.said_true(response).await
    }

    /// All entries, once the prefix has changed after `index` or `wait` is over, and the index that they have. 0 waits
    /// for nothing.
    pub(super) async fn list_after(
        &self,
        index: u64,
        wait: Duration,
    ) -> Result<(Vec<Entry>, u64), ConsulError> {
        let mut url = self.url("");
        url.query_pairs_mut().append_pair("recurse", "true");
        if index > 0 {
            let wait = format!("{}ms", wait.as_millis());
            let index = index.to_string();
            url.query_pairs_mut()
                .extend_pairs([("index", &index), ("wait", &wait)]);
        }
        // Consul adds up to a sixteenth of the wait.
        let deadline = wait + wait / 16 + CALL_DEADLINE;
        let response = self.send(Method::GET, url, None, deadline).await?;
        let index = response.headers().get("x-consul-index");
        let index = index.and_then(|index| index.to_str().ok()?.parse().ok());
        let index = index.ok_or_else(|| self.strange("it has no X-Consul-Index"))?;
        Ok((self.entries(response).await?, index))
    }

    fn url(&self, key: &str) -> Url {
        self.url_of(&self.0.prefix, key)
    }

    fn url_of(&self, prefix: &str, key: &str) -> Url {
        let mut url = self.0.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(["v1", "kv"]);
            path.extend(prefix.split('/'));
            path.extend(key.split('/'));
        }
        self.add_datacenter(&mut url);
        url
    }

    /// Writes all of it, or nothing if one of its checks does not hold; whether it was written.
    pub(super) async fn transact(&self, operations: &Value) -> Result<bool, ConsulError> {
        let mut url = self.0.base.clone();
        url.set_path("/v1/txn");
        self.add_datacenter(&mut url);
        let body = Some(operations.to_string());
        match self.send(Method::PUT, url, body, CALL_DEADLINE).await {
            Ok(_) => Ok(true),
            Err(ConsulError::Refused { status: 409, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The entry of a key beside the prefix.
    pub(super) async fn get_beside(
        &self,
        ending: &str,
        key: &Key,
    ) -> Result<Option<Entry>, ConsulError> {
        let url = self.url_of(&format!("{}{ending}", self.0.prefix), key.as_str());
        let response = self.send(Method::GET, url, None, CALL_DEADLINE).await?;
        let written = self.written(response).await?;
        written
            .into_iter()
            .next()
            .map(|one| self.entry(one.key.clone(), one))
            .transpose()
    }

    fn add_datacenter(&self, url: &mut Url) {
        if let Some(datacenter) = &self.0.datacenter {
            url.query_pairs_mut().append_pair("dc", datacenter);
        }
    }

    fn checked(&self, key: &Key, check: Check) -> Url {
        let mut url = self.url(key.as_str());
        let cas = match check {
            Check::Missing => 0,
            Check::Unchanged(modify_index) => modify_index,
        };
        url.query_pairs_mut().append_pair("cas", &cas.to_string());
        url
    }

    /// An answer that says yes, or that there is nothing.
    async fn send(
        &self,
        method: Method,
        url: Url,
        body: Option<String>,
        deadline: Duration,
    ) -> Result<Response, ConsulError> {
        let mut request = self.0.http.request(method, url).timeout(deadline);
        if let Some(token) = &self.0.token {
            request = request.header("x-consul-token", token.clone());
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unanswered(error))?;
        match response.status() {
            status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(response),
            status => {
                let said = self.read(response).await.unwrap_or_default();
                let said = said.trim().chars().take(200).collect();
                Err(ConsulError::Refused {
                    address: self.address(),
                    status: status.as_u16(),
                    said,
                })
            }
        }
    }

    async fn written(&self, response: Response) -> Result<Vec<Written>, ConsulError> {
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        let text = self.read(response).await?;
        serde_json::from_str(&text).map_err(|error| self.strange(error.to_string()))
    }

    fn entry(&self, key: String, written: Written) -> Result<Entry, ConsulError> {
        let value = BASE64_STANDARD.decode(written.value.unwrap_or_default());
        let value =
            value.map_err(|error| self.strange(format!("a value is not base64: {error}")))?;
        Ok(Entry {
            key,
            text: String::from_utf8_lossy(&value).into_owned(),
            modify_index: written.modify_index,
        })
    }

    async fn entries(&self, response: Response) -> Result<Vec<Entry>, ConsulError> {
        let written = self.written(response).await?;
        let below = format!("{}/", self.0.prefix);
        let entry = |written: Written| {
            let key = written.key.strip_prefix(&below)?.to_owned();
            // The prefix itself, and folders that somebody made by hand.
            let is_folder = key.is_empty() || key.ends_with('/');
            (!is_folder).then(|| self.entry(key, written))
        };
        written.into_iter().filter_map(entry).collect()
    }

    async fn said_true(&self, response: Response) -> Result<bool, ConsulError> {
        match self.read(response).await?.trim() {
            "true" => Ok(true),
            "false" => Ok(false),
            other => Err(self.strange(format!(
                "{:?} is neither true nor false",
                other.chars().take(40).collect::<String>()
            ))),
        }
    }

    /// The body, up to a bound.
    async fn read(&self, mut response: Response) -> Result<String, ConsulError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.unanswered(error))?
        {
            if body.len() + chunk.len() > MAX_ANSWER_SIZE_BYTES {
                return Err(self.strange(format!("it has more than {MAX_ANSWER_SIZE_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|error| self.strange(error.to_string()))
    }

    /// Host and port.
    pub(super) fn address(&self) -> String {
        let host = self.0.base.host_str().unwrap_or_default();
        match self.0.base.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    fn unanswered(&self, error: reqwest::Error) -> ConsulError {
        ConsulError::Unanswered {
            address: self.address(),
            source: error.without_url(),
        }
    }

    fn strange(&self, what: impl Into<String>) -> ConsulError {
        ConsulError::Strange {
            address: self.address(),
            what: what.into(),
        }
    }
}

impl ConsulBuilder {
    /// The keys are below this; `polling` unless set. Slashes at its ends do not count.
    pub fn prefix(mut self, prefix: impl AsRef<str>) -> Self {
        self.prefix = prefix.as_ref().trim_matches('/').to_owned();
        self
    }

    /// A token of Consul's access control lists, if it has any. It needs to read the prefix, and to write it for who
    /// writes.
    pub fn token(mut self, token: Option<String>) -> Self {
        self.token = token;
        self
    }

    /// Another datacenter than the agent's own.
    pub fn datacenter(mut self, datacenter: Option<String>) -> Self {
        self.datacenter = datacenter;
        self
    }

    /// The authorities that signed the server's certificate, as PEM, instead of the system's.
    pub fn authorities_pem(mut self, pem: Option<Vec<u8>>) -> Self {
        self.ca_pem = pem;
        self
    }

    /// Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`ConsulError::Setting`] that names what is wrong.
    pub fn build(self) -> Result<Consul, ConsulError> {
        let wrong = |what, source| ConsulError::Setting { what, source };
        let bad_address = "its address: it needs http://HOST:PORT or https://HOST:PORT";
        let base =
            Url::parse(&self.address).map_err(|error| wrong(bad_address, Some(error.into())))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(wrong(bad_address, None));
        }
        if self.prefix.is_empty() {
            return Err(wrong("its prefix: it needs a name", None));
        }
        let token = self.token.as_deref().map(HeaderValue::from_str).transpose();
        // The error would not show it, but neither does it help.
        let mut token = token.map_err(|_| wrong("its token: it needs visible ASCII", None))?;
        if let Some(token) = &mut token {
            token.set_sensitive(true);
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Whoever was first wins, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        // A proxy, or another place that it is sent to, would see the token.
        let mut http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        if let Some(pem) = self.ca_pem {
            let bad =
                |error: reqwest::Error| wrong("its authorities: they need PEM", Some(error.into()));
            http = http.tls_certs_only(Certificate::from_pem_bundle(&pem).map_err(bad)?);
        }
        let http = http
            .build()
            .map_err(|error| wrong("these certificates", Some(error.into())))?;
        Ok(Consul(Arc::new(Inner {
            http,
            base,
            prefix: self.prefix,
            token,
            datacenter: self.datacenter,
        })))
    }
}

impl fmt::Debug for Consul {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consul")
            .field("address", &self.address())
            .field("prefix", &self.0.prefix)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ConsulBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsulBuilder")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
