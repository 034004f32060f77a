//! The client: one for all calls of a worker.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, header};
use reqwest::{Client, Response, Url, redirect::Policy};

use super::{Call, HttpConfig, caps, classify, dialect::Dialect, guard::Guard, redirect};
use crate::{AccountId, Job, PollError, SharedClock};

/// Calls a channel. Cheap to clone; clones share their connections.
///
/// ```
/// use std::sync::Arc;
/// use polling_core::{SystemClock, http::{HttpClient, HttpConfig, dialect::Dialect}};
///
/// let config = HttpConfig::new("acme-posts/1.2 (+https://acme.example)");
/// let client = HttpClient::new(config, Dialect::mastodon(), Arc::new(SystemClock))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
    guard: Guard,
    pub(super) config: Arc<HttpConfig>,
    pub(super) dialect: Arc<Dialect>,
    pub(super) clock: SharedClock,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpClientError {
    /// A setting is out of its bounds.
    #[error("the HTTP client's {fault}")]
    Config {
        /// Which, and its bounds.
        fault: String,
    },
    /// TLS has no root certificates, or the user agent is no value of a header.
    #[error("the HTTP client cannot be built")]
    Build(#[source] reqwest::Error),
}

/// A request but for its place.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// What was meant for one server is none of the other's business.
    fn for_another_server(mut self) -> Self {
        let accept = self.headers.remove(header::ACCEPT);
        let accept = accept.map(|value| (header::ACCEPT, value));
        Self {
            method: self.method,
            headers: accept.into_iter().collect(),
            body: Vec::new(),
        }
    }
}

impl HttpClient {
    /// A client with these bounds, for a channel that tells its limits in `dialect`.
    ///
    /// # Errors
    ///
    /// [`HttpClientError`] if a setting is out of its bounds, or the system has no certificates.
    pub fn new(
        config: HttpConfig,
        dialect: Dialect,
        clock: SharedClock,
    ) -> Result<Self, HttpClientError> {
        if let Some(fault) = config.fault() {
            return Err(HttpClientError::Config { fault });
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Whoever was first wins, which is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let guard = Guard::new(&config.private_hosts);
        // Unasked, a server may compress as it likes.
        let plain = HeaderValue::from_static("identity");
        let builder = Client::builder()
            .user_agent(&config.user_agent)
            .default_headers(HeaderMap::from_iter([(header::ACCEPT_ENCODING, plain)]))
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .pool_idle_timeout(caps::MAX_IDLE_TIME)
            // Each place is looked at before it is called: see `exchange`.
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            // Whoever else in the program uses reqwest may have turned them on.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .dns_resolver(guard.clone());
        Ok(Self {
            client: builder.build().map_err(HttpClientError::Build)?,
            guard,
            config: Arc::new(config),
            dialect: Arc::new(dialect),
            clock,
        })
    }

    /// A GET of `url` for `job`, whose deadline it keeps. Each request that is sent for it, those to
    /// where it is redirected included, is [counted](Job::count_call).
    pub fn get<'a>(&'a self, job: &'a Job, url: impl AsRef<str>) -> Call<'a> {
        Call::new(self, (&job.account, Some(job)), Method::GET, url.as_ref())
    }

    /// A POST to `url` for `job`, as [`get`](Self::get): for channels that are asked that way.
    pub fn post<'a>(&'a self, job: &'a Job, url: impl AsRef<str>) -> Call<'a> {
        Call::new(self, (&job.account, Some(job)), Method::POST, url.as_ref())
    }

    /// A GET of `url` for `account`, outside of any poll: of a token endpoint that is asked that
    /// way. It has [`HttpConfig::total_timeout`] alone, and counts as no call of a job.
    pub fn get_for<'a>(&'a self, account: &'a AccountId, url: impl AsRef<str>) -> Call<'a> {
        Call::new(self, (account, None), Method::GET, url.as_ref())
    }

    /// A POST to `url` for `account`, outside of any poll, as [`get_for`](Self::get_for): to a token
    /// endpoint.
    pub fn post_for<'a>(&'a self, account: &'a AccountId, url: impl AsRef<str>) -> Call<'a> {
        Call::new(self, (account, None), Method::POST, url.as_ref())
    }

    /// Sends a request, and again to where it is redirected; `job` counts them.
    pub(super) async fn exchange(
        &self,
        job: Option<&Job>,
        mut request: Request,
        mut url: Url,
    ) -> Result<(Response, Url), PollError> {
        for _ in 0..=self.config.max_redirects {
            let response = self.send(job, &request, &url).await?;
            if !redirect::is_redirect(response.status()) {
                return Ok((response, url));
            }
            if request.method != Method::GET {
                return Err(classify::redirected("though only a GET may be"));
            }
            let target = redirect::target(&url, response.headers())?;
            if !redirect::same_server(&url, &target) {
                request = request.for_another_server();
            }
            url = target;
        }
        let most = self.config.max_redirects;
        Err(classify::redirected(&format!("more than {most} times")))
    }

    async fn send(
        &self,
        job: Option<&Job>,
        request: &Request,
        url: &Url,
    ) -> Result<Response, PollError> {
        self.guard
            .check(url)
            .map_err(|_| classify::private(url.host_str().unwrap_or_default()))?;
        let call = self.client.request(request.method.clone(), url.clone());
        let call = call
            .headers(request.headers.clone())
            .body(request.body.clone());
        if let Some(job) = job {
            job.count_call();
        }
        call.send().await.map_err(classify::transport)
    }
}
