//! What was ticked, and what is to be done with it.

use axum::{
    Extension,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::{access::Note, console::Sorry};

/// Ids that the audit log names; of more it tells how many.
const MAX_NAMED: usize = 5;

/// The fields of a form over a table, in which a name comes as often as it is ticked.
pub(super) type Fields = Vec<(String, String)>;

/// What was done with what was ticked.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Done {
    Resume,
    Park,
    Unregister,
    Send,
    Forget,
}

/// What was ticked.
pub(super) struct Selected<'a> {
    pub(super) done: Done,
    pub(super) ids: Vec<&'a str>,
}

impl Done {
    /// Of how many it was done, comes before.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Resume => "jobs are polled again.",
            Self::Park => "jobs are parked: they are left out until somebody resumes them.",
            Self::Unregister => "jobs are registered no more.",
            Self::Send => "messages were sent again.",
            Self::Forget => "messages are kept no longer.",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Park => "park",
            Self::Unregister => "unregister",
            Self::Send => "send",
            Self::Forget => "forget",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Resume,
            Self::Park,
            Self::Unregister,
            Self::Send,
            Self::Forget,
        ];
        all.into_iter().find(|done| done.as_str() == text)
    }
}

/// A field that is there once.
pub(super) fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str())
}

impl<'a> Selected<'a> {
    pub(super) fn read(fields: &'a Fields) -> Result<Self, Sorry> {
        let done = field(fields, "do").and_then(Done::parse);
        let done = done.ok_or_else(|| Sorry::bad_request("say what is to be done"))?;
        let ids = fields.iter().filter(|(name, _)| name == "id");
        let ids: Vec<_> = ids.map(|(_, id)| id.as_str()).collect();
        if ids.is_empty() {
            return Err(Sorry::bad_request("nothing is ticked: tick what is meant"));
        }
        Ok(Self { done, ids })
    }

    /// Back to the page, which tells of how many it was done; the audit log is told of which.
    pub(super) fn answer(&self, here: &str, count: usize) -> Response {
        let named = &self.ids[..self.ids.len().min(MAX_NAMED)];
        let more = match self.ids.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let done = self.done.as_str();
        let note = Note(format!("{done} {}{more}", named.join(", ")));
        let to = Redirect::to(&format!("{here}?done={done}&count={count}"));
        (Extension(note), to).into_response()
    }
}
