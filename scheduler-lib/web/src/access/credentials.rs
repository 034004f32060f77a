//! Tokens and passwords.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::{Caller, Refusal, Role};
use crate::{Options, Secret};

/// What the operator is called who has the token.
const OPERATOR: &str = "operator";

/// Those who have a secret, by name.
#[derive(Debug)]
pub(super) struct Credentials(Vec<(Caller, Secret)>);

impl Credentials {
    pub(super) fn of(options: &Options) -> Self {
        let token = options
            .token
            .iter()
            .map(|token| (OPERATOR, Role::Operator, token));
        let users = options.users.iter();
        let users =
            users.filter_map(|(name, user)| Some((&**name, user.role, user.secret.as_ref()?)));
        let caller = |(name, role, secret): (&str, Role, &Secret)| {
            let name = Arc::from(name);
            (Caller { name, role }, secret.clone())
        };
        Self(token.chain(users).map(caller).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.iter().map(|(_, secret)| secret)
    }

    pub(super) fn named(&self, name: &str) -> Option<Caller> {
        let (caller, _) = self.0.iter().find(|(caller, _)| *caller.name == *name)?;
        Some(caller.clone())
    }

    /// Whose `authorization` header it is.
    pub(super) fn of_header(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return Err(Refusal::Nothing);
        };
        let known = self.bearer(value.as_bytes());
        known
            .or_else(|| self.basic(value.as_bytes()))
            .ok_or(Refusal::Wrong)
    }

    fn bearer(&self, value: &[u8]) -> Option<Caller> {
        self.find(None, after(value, b"Bearer ")?)
    }

    fn basic(&self, value: &[u8]) -> Option<Caller> {
        let decoded = BASE64_STANDARD.decode(after(value, b"Basic ")?).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let name = str::from_utf8(&decoded[..colon]).ok()?;
        self.find(Some(name), &decoded[colon + 1..])
    }

    /// Compares with every secret, each in constant time, so that the time of an answer tells nothing of them but their lengths.
    pub(super) fn find(&self, name: Option<&str>, secret: &[u8]) -> Option<Caller> {
        let mut found = u32::MAX;
        for (index, (caller, right)) in self.0.iter().enumerate() {
            let named = name.is_none_or(|name| *caller.name == *name);
            let right = right.expose().as_bytes().ct_eq(secret) & Choice::from(u8::from(named));
            found.conditional_assign(&(index as u32), right);
        }
        let (caller, _) = self.0.get(found as usize)?;
        Some(caller.clone())
    }
}

/// What follows a scheme, whose case does not matter.
fn after<'a>(value: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (begin, rest) = value.split_at_checked(scheme.len())?;
    begin.eq_ignore_ascii_case(scheme).then_some(rest)
}
