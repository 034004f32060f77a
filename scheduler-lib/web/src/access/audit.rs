//! What was changed, and by whom.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};

use super::{Caller, only_looks, peer_of};
use crate::Web;

/// Changes that the console shows; the log has all.
const MAX_KEPT: usize = 500;

/// A request that changed something, or was to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// When it was answered, UTC milliseconds.
    pub at_ms: i64,
    /// Who asked; none if nobody was let in.
    pub by: Option<String>,
    /// From where, if that is known.
    pub from: Option<String>,
    /// How it was asked.
    pub method: Method,
    /// For what.
    pub path: String,
    /// What came of it, an HTTP status.
    pub status: u16,
    /// More of what was asked, such as a reason.
    pub note: Option<String>,
}

/// What an answer tells the audit log.
#[derive(Debug, Clone)]
pub(crate) struct Note(pub(crate) String);

/// The last changes.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<VecDeque<Entry>>);

impl Audit {
    /// Newest first.
    pub(crate) fn last(&self) -> Vec<Entry> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().cloned().collect()
    }

    fn add(&self, entry: Entry) {
        tracing::info!(
            target: "audit",
            by = entry.by,
            from = entry.from,
            method = entry.method.as_str(),
            path = entry.path,
            status = entry.status,
            note = entry.note,
            "a change"
        );
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(entry);
        kept.truncate(MAX_KEPT);
    }
}

/// Keeps every request that was to change something, whatever came of it.
pub(crate) async fn record(State(web): State<Web>, request: Request, next: Next) -> Response {
    if only_looks(request.method()) {
        return next.run(request).await;
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let from = peer_of(&request).map(|peer| peer.to_string());
    let response = next.run(request).await;
    let caller = response.extensions().get::<Caller>();
    web.0.audit.add(Entry {
        at_ms: web.0.clock.now_ms(),
        by: caller.map(|caller| caller.name.to_string()),
        from,
        method,
        path,
        status: response.status().as_u16(),
        note: response.extensions().get().map(|Note(text)| text.clone()),
    });
    response
}
