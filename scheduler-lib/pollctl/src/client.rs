//! Calls to the admin server of a scheduler.

use std::time::Duration;

use polling_model::chain;
use reqwest::{Method, Response, StatusCode, Url, header, redirect::Policy};
use serde_json::Value;

use crate::{failure::Failure, token::Token};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer, bytes: a page of a hundred contexts of 256 KiB fits.
const MAX_ANSWER_SIZE_BYTES: usize = 64 * 1024 * 1024;

/// How often a call is made that gets no answer, where a long command depends on it.
const TRIES: u32 = 4;

/// Pause before the second try; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// One scheduler.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<Token>,
}

/// A call: its path's parts, which are encoded, and its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<String>,
    text: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    /// The server's clock, as it says.
    pub(crate) date: Option<String>,
}

impl Call {
    pub(crate) fn new<'a>(method: Method, path: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            method,
            path: path.into_iter().map(str::to_owned).collect(),
            query: Vec::new(),
            body: None,
            text: false,
        }
    }

    pub(crate) fn get<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn delete<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// A parameter, if there is one.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// In words rather than as JSON.
    pub(crate) fn in_words(mut self) -> Self {
        self.text = true;
        self
    }
}

impl Client {
    /// A client of the server at `url`, each of whose calls ends within `timeout`.
    pub(crate) fn new(url: &str, token: Option<Token>, timeout: Duration) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::Usage(format!(
                "{url:?} is no address of a scheduler, such as http://127.0.0.1:7070: {why}"
            ))
        };
        let base = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        match base.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err(wrong("this pollctl was built without the feature tls")),
            _ => return Err(wrong("it begins with neither http:// nor https://")),
        }
        #[cfg(feature = "tls")]
        choose_cryptography();
        // A proxy or another place that it is sent to would see the token.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .build()
            .map_err(|error| wrong(&chain(&error)))?;
        Ok(Self { http, base, token })
    }

    /// Host and port, without credentials.
    pub(crate) fn address(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Calls, and takes any status for an answer.
    pub(crate) async fn ask(&self, call: &Call) -> Result<Answer, Failure> {
        let sent = self.request(call)?.send().await;
        let response = sent.map_err(|error| self.unanswered(error))?;
        let status = response.status();
        let date = response.headers().get(header::DATE);
        let date = date.and_then(|date| date.to_str().ok()).map(str::to_owned);
        let text = self.read(response).await?;
        Ok(Answer { status, text, date })
    }

    /// Calls, and takes only success for an answer.
    pub(crate) async fn call(&self, call: &Call) -> Result<String, Failure> {
        let answer = self.ask(call).await?;
        match answer.status.is_success() {
            true => Ok(answer.text),
            false => Err(answer.failure()),
        }
    }

    /// The answer's JSON; null for one without a body.
    pub(crate) async fn json(&self, call: &Call) -> Result<Value, Failure> {
        let text = self.call(call).await?;
        self.parse(&text)
    }

    /// The same, repeated when there is no answer: a long command is not to end by one.
    pub(crate) async fn json_surely(&self, call: &Call) -> Result<Value, Failure> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.json(call).await {
                Err(Failure::NoAnswer(_)) => tokio::time::sleep(pause).await,
                answered => return answered,
            }
            pause *= 2;
        }
        self.json(call).await
    }

    pub(crate) fn parse(&self, text: &str) -> Result<Value, Failure> {
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(text).map_err(|_| {
            Failure::Refused(format!(
                "{} answers, but not as a scheduler's admin server: see --url",
                self.address()
            ))
        })
    }

    fn request(&self, call: &Call) -> Result<reqwest::RequestBuilder, Failure> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("http addresses have a path")
            .pop_if_empty()
            .extend(&call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = self.http.request(call.method.clone(), url);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token.header()?);
        }
        if call.text {
            request = request.header(header::ACCEPT, "text/plain");
        }
        Ok(match &call.body {
            Some(body) => request.body(body.clone()),
            None => request,
        })
    }

    async fn read(&self, mut response: Response) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        while let Some(more) = response
            .chunk()
            .await
            .map_err(|error| self.unanswered(error))?
        {
            if bytes.len() + more.len() > MAX_ANSWER_SIZE_BYTES {
                let error = format!("an answer of more than {MAX_ANSWER_SIZE_BYTES} bytes");
                return Err(Failure::Problem(error));
            }
            bytes.extend_from_slice(&more);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn unanswered(&self, error: reqwest::Error) -> Failure {
        let address = self.address();
        // The address may hold credentials.
        let error = error.without_url();
        Failure::NoAnswer(if error.is_connect() {
            format!(
                "no scheduler answers at {address}: see that it runs and that --url or POLLCTL_URL is right ({})",
                chain(&error)
            )
        } else if error.is_timeout() {
            format!(
                "{address} did not answer in time: whether it took effect is unknown, the command can be repeated"
            )
        } else {
            format!(
                "{address} broke off: whether it took effect is unknown, the command can be repeated ({})",
                chain(&error)
            )
        })
    }
}

impl Answer {
    /// The server's own words, or the status if there are none.
    pub(crate) fn failure(&self) -> Failure {
        let body: Option<Value> = serde_json::from_str(&self.text).ok();
        let said = |name: &str| body.as_ref()?.get(name)?.as_str();
        let mut what = said("error").map_or_else(
            || format!("the server answered {}", self.status),
            str::to_owned,
        );
        if let Some(field) = said("field") {
            what = format!("{field}: {what}");
        }
        match self.status {
            StatusCode::NOT_FOUND => Failure::NotFound(what),
            StatusCode::UNAUTHORIZED => Failure::Refused(
                "the scheduler wants its admin token: set POLLCTL_TOKEN, or --token-file"
                    .to_owned(),
            ),
            // What it was not set up for, such as a setting that can be written nowhere.
            StatusCode::NOT_IMPLEMENTED => Failure::Refused(what),
            status if status.is_client_error() => Failure::Refused(what),
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT => Failure::NoAnswer(what),
            _ => Failure::Problem(what),
        }
    }
}

/// The process's choice, unless it has made one.
#[cfg(feature = "tls")]
pub(crate) fn choose_cryptography() {
    // An error says that one is chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
