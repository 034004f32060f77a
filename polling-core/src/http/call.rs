//! One call of the channel.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use reqwest::Url;
use tokio::time::{Instant, timeout_at};

use super::{Answer, HttpClient, Validators, body, classify, client::Request};
use crate::{AccountId, Job, PollError, ScopeKey};

/// A call that is being put together. What is wrong with it is told when it is sent.
#[must_use = "a call does nothing until it is sent"]
pub struct Call<'a> {
    client: &'a HttpClient,
    account: &'a AccountId,
    job: Option<&'a Job>,
    url: Result<Url, PollError>,
    request: Request,
    validators: Validators,
    scope: Option<ScopeKey>,
}

impl<'a> Call<'a> {
    /// For `account`, and over by the deadline of `job` if it is for one.
    pub(super) fn new(
        client: &'a HttpClient,
        (account, job): (&'a AccountId, Option<&'a Job>),
        method: Method,
        url: &str,
    ) -> Self {
        let headers = HeaderMap::new();
        let body = Vec::new();
        Self {
            client,
            account,
            job,
            url: parse(url),
            request: Request {
                method,
                headers,
                body,
            },
            validators: Validators::default(),
            scope: None,
        }
    }

    /// Adds segments to the URL's path, escaped: what comes from outside, such as an account, can
    /// lead nowhere else. One that is `.` or `..` is an error.
    pub fn path<'s>(mut self, segments: impl IntoIterator<Item = &'s str>) -> Self {
        for segment in segments {
            match &mut self.url {
                Ok(_) if matches!(segment, "." | "..") => {
                    let message = format!("{segment:?} is no segment of a path");
                    self.url = Err(PollError::invalid(message));
                }
                Ok(url) => {
                    let mut path = url.path_segments_mut().expect("an HTTP URL has a path");
                    path.pop_if_empty().push(segment);
                }
                Err(_) => {}
            }
        }
        self
    }

    /// Adds `name=value` to the URL's query, escaped. A query never shows in errors and logs.
    pub fn query(mut self, name: &str, value: impl fmt::Display) -> Self {
        if let Ok(url) = &mut self.url {
            url.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    /// Sets a header. Its value shows in no error and no log, and is sent to this server alone,
    /// wherever it redirects to.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.request.headers.insert(name, value);
            }
            _ if self.url.is_err() => {}
            // The value may be a secret.
            _ => {
                self.url = Err(PollError::invalid(format!(
                    "{name:?} is no header, or has no such value"
                )));
            }
        }
        self
    }

    /// Sets the access token.
    pub fn bearer(self, token: &str) -> Self {
        self.header(header::AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// Makes the call conditional: if nothing has changed since, the answer is
    /// [`not_modified`](Answer::not_modified). A redirect to another server loses the condition:
    /// call where it leads.
    pub fn if_changed(mut self, since: &Validators) -> Self {
        since.apply(&mut self.request.headers);
        self.validators = since.clone();
        self
    }

    /// Sets the body, and its type such as `application/json`.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.request.body = body.into();
        self.header(header::CONTENT_TYPE.as_str(), content_type)
    }

    /// Sets a form as the body: names and values, escaped here.
    pub fn form<'f>(self, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        // A query is written as a form is.
        let mut form = Url::parse("http://form/").expect("a URL");
        form.query_pairs_mut().extend_pairs(fields);
        let body = form.query().unwrap_or_default().to_owned();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// Whose limits the answer tells; the account's unless set.
    pub fn scope(mut self, scope: ScopeKey) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Sends the call, and reads the whole answer.
    ///
    /// # Errors
    ///
    /// [`PollError`], classified, if the channel refused the call or gave no answer within its
    /// bounds. It carries the allowances and the wait that the channel told, and as its code the
    /// status, or `connect`, `timeout`, `broken`, `redirect`, `too_large`, `private_address`.
    pub async fn send(self) -> Result<Answer, PollError> {
        self.send_any().await?.check()
    }

    /// Sends the call, and takes any status for an answer: for channels that tell their errors in
    /// the body. See [`Answer::check`].
    ///
    /// # Errors
    ///
    /// [`PollError`] if there is no answer within the bounds.
    pub async fn send_any(self) -> Result<Answer, PollError> {
        let time = Time::of(&self);
        Box::pin(self.exchange(time)).await
    }

    async fn exchange(self, time: Time) -> Result<Answer, PollError> {
        let (client, account) = (self.client, self.account);
        let response = client.exchange(self.job, self.request, self.url?);
        let (response, url) = time.bound(response).await?;
        let received_ms = client.clock.now_ms();
        let scope = self.scope.unwrap_or_else(|| {
            // An account's characters are a scope's, and the longest is shorter.
            ScopeKey::new(format!("account:{account}")).expect("an account makes a scope")
        });
        let (status, headers) = (response.status(), response.headers().clone());
        let reading = client.dialect.read(status, &headers, &scope, received_ms);
        for unread in &reading.unread {
            tracing::debug!(%unread, host = url.host_str(), "left a rate-limit header unread");
        }
        let body = if status.is_success() {
            let body = body::read(response, client.config.max_body_size_bytes);
            let body = time.bound(body).await;
            body.map_err(|error| classify::informed(error, &reading))?
        } else {
            body::read_error(response, time.over).await
        };
        Ok(Answer {
            status,
            headers,
            body,
            url,
            reading,
            validators: self.validators,
            received_ms,
        })
    }
}

/// How long a call may take.
#[derive(Clone, Copy)]
struct Time {
    within: Duration,
    over: Instant,
}

impl Time {
    fn of(call: &Call<'_>) -> Self {
        let (total, now) = (call.client.config.total_timeout, Instant::now());
        let left = call.job.map(Job::remaining);
        let within = left.map_or(total, |left| left.min(total));
        let over = now + within;
        Self { within, over }
    }

    async fn bound<T>(
        self,
        work: impl Future<Output = Result<T, PollError>>,
    ) -> Result<T, PollError> {
        let late = |_| {
            let message = format!("no whole answer within {:?}", self.within);
            PollError::transient(message).with_code("timeout")
        };
        timeout_at(self.over, work).await.map_err(late)?
    }
}

fn parse(text: &str) -> Result<Url, PollError> {
    let url = Url::parse(text);
    // The text may hold a secret.
    let url =
        url.map_err(|error| PollError::invalid(format!("the channel's URL is none: {error}")))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        _ => Err(PollError::invalid(
            "the channel's URL is neither http nor https",
        )),
    }
}

/// Without the query, the path, and the headers: each may hold a secret.
impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.request.method)
            .field("host", &self.url.as_ref().ok().and_then(Url::host_str))
            .finish_non_exhaustive()
    }
}
