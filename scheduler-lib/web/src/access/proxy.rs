//! What a reverse proxy says of who calls.

use std::net::IpAddr;

use axum::http::HeaderMap;

use super::{Caller, Role};
use crate::Proxy;

/// Who it is, if one of the proxies says so.
pub(super) fn of_proxy(proxy: &Proxy, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<Caller> {
    let believed = peer.is_some_and(|peer| proxy.from.contains(&peer.to_canonical()));
    let name = only(headers, &proxy.user).filter(|name| believed && !name.is_empty())?;
    let groups = only(headers, &proxy.groups).unwrap_or_default();
    let operator = groups
        .split(',')
        .any(|group| proxy.operators.contains(group.trim()));
    Some(Caller {
        name: name.into(),
        role: if operator {
            Role::Operator
        } else {
            Role::Reader
        },
    })
}

/// A header that is there once: of several, nobody knows which the proxy wrote.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}
