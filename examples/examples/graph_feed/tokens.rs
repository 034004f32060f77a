//! Gets the token of a page, from that of a user who manages it.

use polling_core::{
    AccountId, ErrorClass, PollError,
    auth::{Credentials, FreshToken, RefreshError, Secret, TokenEndpoint},
};
use serde::Deserialize;

use super::api::{Api, is_of_token, refused};

/// Asks with one token for all pages: of a system user, or a long-lived one of a user. A page's
/// token then has no end of its own: it is good until the API refuses it.
pub(crate) struct PageTokens {
    api: Api,
    user_token: Secret,
}

/// A page as it is seen by its user. Who has no task on it gets no token.
#[derive(Deserialize)]
struct Page {
    access_token: Option<String>,
}

impl PageTokens {
    pub(crate) fn new(api: Api, user_token: Secret) -> Self {
        Self { api, user_token }
    }
}

impl TokenEndpoint for PageTokens {
    async fn refresh(
        &self,
        account: &AccountId,
        _current: Option<&Credentials>,
    ) -> Result<FreshToken, RefreshError> {
        let call = self.api.http.get_for(account, &self.api.base);
        let call = call
            .path([account.as_str()])
            .query("fields", "access_token")
            .bearer(self.user_token.expose());
        let answer = call.send_any().await.map_err(not_given)?;
        if let Some(error) = refused(&answer) {
            return Err(not_given(error));
        }
        let page: Page = answer.json().map_err(not_given)?;
        let token = page
            .access_token
            .ok_or_else(|| RefreshError::refused("no_page_token"))?;
        Ok(FreshToken::new(token))
    }
}

fn not_given(error: PollError) -> RefreshError {
    match error.class() {
        // Every page depends on it.
        ErrorClass::Unauthorized if is_of_token(&error) => {
            RefreshError::invalid("the user's token has ended: set a new one as GRAPH_USER_TOKEN")
        }
        ErrorClass::Unauthorized | ErrorClass::Gone => {
            RefreshError::refused(error.code().map_or("no_page", |code| code.as_str()))
        }
        ErrorClass::RateLimited | ErrorClass::Transient => {
            RefreshError::unavailable(error.message()).with_source(error)
        }
        _ => RefreshError::invalid(error.message()).with_source(error),
    }
}
