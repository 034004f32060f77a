//! Who calls, what they may do, and what they did.

mod audit;
mod credentials;
mod form;
mod proxy;
mod seal;
mod session;

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

pub(crate) use self::{
    audit::{Audit, Note, record},
    form::Form,
    seal::Seal,
    session::{cookie_of, no_cookie},
};
use self::{credentials::Credentials, proxy::of_proxy};
use crate::{Options, Proxy, Web, api::error::ApiError, serve::Connection};

pub use self::audit::Entry;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See everything, change nothing.
    Reader,
    /// Everything.
    Operator,
}

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Their name, as it stands in the audit log.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
}

/// Everybody who may call, and the key that signs what is given to browsers.
#[derive(Debug)]
pub(crate) struct Access {
    credentials: Credentials,
    proxy: Option<Proxy>,
    pub(crate) seal: Seal,
}

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing was sent that tells who calls.
    Nothing,
    /// What was sent is of nobody.
    Wrong,
}

impl Access {
    pub(crate) fn new(options: &Options) -> Self {
        let credentials = Credentials::of(options);
        Self {
            seal: Seal::of(credentials.secrets()),
            credentials,
            proxy: options.proxy.clone(),
        }
    }

    /// Whether anybody has to say who they are.
    pub(crate) fn is_closed(&self) -> bool {
        !self.credentials.is_empty() || self.proxy.is_some()
    }

    /// Who has this secret, and this name if one is given.
    pub(crate) fn of_secret(&self, name: Option<&str>, secret: &[u8]) -> Option<Caller> {
        self.credentials.find(name, secret)
    }

    /// Who says so in headers.
    fn of_headers(&self, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Caller, Refusal> {
        match self.credentials.of_header(headers) {
            Err(Refusal::Nothing) => {}
            known => return known,
        }
        let proxy = self.proxy.as_ref().ok_or(Refusal::Nothing)?;
        of_proxy(proxy, headers, peer).ok_or(Refusal::Nothing)
    }

    /// Whose session a browser has, or who says so in headers.
    fn of_browser(
        &self,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
        now_ms: i64,
    ) -> Result<Caller, Refusal> {
        match self.of_headers(headers, peer) {
            Err(Refusal::Nothing) => {}
            known => return known,
        }
        let name = session::name_in(headers, &self.seal, now_ms).ok_or(Refusal::Nothing)?;
        self.credentials.named(&name).ok_or(Refusal::Wrong)
    }
}

impl Role {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Operator => "operator",
        }
    }
}

impl Caller {
    /// Whoever reaches loopback where no credentials are configured.
    fn anybody() -> Self {
        Self {
            name: "anybody".into(),
            role: Role::Operator,
        }
    }
}

/// Lets programs in: who sends credentials, or everybody where none are configured, which is only allowed on loopback.
/// Readers only look.
pub(crate) async fn of_program(
    State(web): State<Web>,
    mut request: Request,
    next: Next,
) -> Response {
    let access = &web.0.access;
    let caller = if access.is_closed() {
        access.of_headers(request.headers(), peer_of(&request))
    } else {
        Ok(Caller::anybody())
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(_) => {
            let error = "send the admin token as `authorization: Bearer TOKEN`";
            return ApiError::new(StatusCode::UNAUTHORIZED, error).into_response();
        }
    };
    if caller.role < Role::Operator && !only_looks(request.method()) {
        let error = format!(
            "{} is a reader: only operators change anything",
            caller.name
        );
        let refused = ApiError::new(StatusCode::FORBIDDEN, error).into_response();
        return by(caller, refused);
    }
    request.extensions_mut().insert(caller.clone());
    by(caller, next.run(request).await)
}

/// Lets people in: who has a session, or who programs would be. Everybody else is told by `otherwise`.
pub(crate) async fn of_person(
    web: Web,
    mut request: Request,
    next: Next,
    otherwise: impl FnOnce(&Web, &Request, Refusal) -> Response,
) -> Response {
    let now_ms = web.0.clock.now_ms();
    let access = &web.0.access;
    let peer = peer_of(&request);
    match access.of_browser(request.headers(), peer, now_ms) {
        Ok(caller) => {
            request.extensions_mut().insert(caller.clone());
            by(caller, next.run(request).await)
        }
        Err(refusal) => otherwise(&web, &request, refusal),
    }
}

/// The audit log reads from the answer who asked.
fn by(caller: Caller, mut response: Response) -> Response {
    response.extensions_mut().insert(caller);
    response
}

pub(crate) fn peer_of(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<Connection>()?.peer
}

fn only_looks(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// Behind [`of_program`] and [`of_person`] there is always a caller.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or(StatusCode::UNAUTHORIZED)
    }
}
