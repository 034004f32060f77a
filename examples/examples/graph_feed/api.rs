//! What the API's answers tell beside the posts: limits, and errors with codes of their own.

use polling_core::{
    Allowance, ErrorClass, PollError, ScopeKey,
    http::{
        Answer, HttpClient,
        dialect::{Dialect, UsageHeader},
    },
};
use serde::Deserialize;

/// Where the API is, with its version.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) http: HttpClient,
    pub(crate) base: String,
}

impl Api {
    /// `http` speaks [`page_usage`].
    pub(crate) fn new(http: HttpClient, base: &str) -> Self {
        let base = base.to_owned();
        Self { http, base }
    }
}

/// How the limit of a page is told, with its own token. It is the client's dialect.
pub(crate) fn page_usage() -> Dialect {
    usage("x-business-use-case-usage")
}

fn usage(header: &'static str) -> Dialect {
    Dialect {
        usage: vec![UsageHeader::graph(header, 3600)],
        ..Dialect::default()
    }
}

/// The limits of the page and of the app, each for its scope.
pub(crate) fn allowances(answer: &Answer) -> Vec<Allowance> {
    let mut allowances = answer.allowances().to_vec();
    allowances.extend(of_app(answer));
    allowances
}

fn of_app(answer: &Answer) -> Vec<Allowance> {
    let (status, headers) = (answer.status(), answer.headers());
    let app = ScopeKey::new("app").expect("app is a valid scope");
    let told = usage("x-app-usage").read(status, headers, &app, answer.received_ms());
    told.allowances
}

#[derive(Deserialize)]
struct Refusal {
    error: GraphError,
}

#[derive(Deserialize)]
struct GraphError {
    code: u32,
    error_subcode: Option<u32>,
    #[serde(default)]
    is_transient: bool,
}

/// The error that an answer is; none if it is a success.
pub(crate) fn refused(answer: &Answer) -> Option<PollError> {
    if answer.status().is_success() {
        return None;
    }
    let of_app = of_app(answer).into_iter();
    Some(of_app.fold(error(answer), PollError::with_allowance))
}

/// Mostly the status is 400, and the code says it all. The message is left out: it may name people.
fn error(answer: &Answer) -> PollError {
    let Ok(Refusal { error }) = answer.json() else {
        return answer.refused();
    };
    let class = match (error.code, error.error_subcode) {
        // Of the app, the user, the page, a custom limit; and of each business use case.
        (4 | 17 | 32 | 341 | 613 | 80000..=80014, _) => ErrorClass::RateLimited,
        (10 | 102 | 190 | 200..=299, _) => ErrorClass::Unauthorized,
        // An id that is not there, or not for this token; an alias that is not there.
        (100, Some(33)) | (803, _) => ErrorClass::Gone,
        (1 | 2 | 368, _) => ErrorClass::Transient,
        _ if error.is_transient => ErrorClass::Transient,
        _ => answer.refused().class(),
    };
    let message = format!("the API answered error {}", error.code);
    answer
        .error(class, message)
        .with_code(error.code.to_string())
}

/// Whether the token has ended, so that another may help: not so if a permission is missing.
pub(crate) fn is_of_token(error: &PollError) -> bool {
    has_code(error, &["102", "190", "401"])
}

/// Whether it may be about the page token: 2642 where it is known to be one, or the code of any
/// parameter that is not valid.
pub(crate) fn is_of_cursor(error: &PollError) -> bool {
    error.class() == ErrorClass::Invalid && has_code(error, &["100", "2642"])
}

fn has_code(error: &PollError, codes: &[&str]) -> bool {
    error
        .code()
        .is_some_and(|code| codes.contains(&code.as_str()))
}
