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

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy() -> Proxy {
        Proxy {
            from: ["10.0.0.1".parse().unwrap()].into(),
            user: "x-forwarded-user".to_owned(),
            groups: "x-forwarded-groups".to_owned(),
            operators: ["sre".to_owned()].into(),
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_the_proxy_is_believed_and_its_groups_decide_the_role() {
        let said = headers(&[
            ("x-forwarded-user", "ada"),
            ("x-forwarded-groups", "dev, sre"),
        ]);
        let of = |peer: &str| of_proxy(&proxy(), &said, Some(peer.parse().unwrap()));
        assert_eq!(of("10.0.0.1").unwrap().role, Role::Operator);
        assert_eq!(of("::ffff:10.0.0.1").unwrap().role, Role::Operator);
        assert_eq!(of("10.0.0.2"), None);
        assert_eq!(of_proxy(&proxy(), &said, None), None);
    }

    #[test]
    fn without_a_group_one_is_a_reader_and_without_one_name_nobody() {
        let of =
            |pairs: &[_]| of_proxy(&proxy(), &headers(pairs), Some("10.0.0.1".parse().unwrap()));
        assert_eq!(
            of(&[("x-forwarded-user", "ada")]).unwrap().role,
            Role::Reader
        );
        assert_eq!(of(&[("x-forwarded-groups", "sre")]), None);
        assert_eq!(of(&[("x-forwarded-user", "")]), None);
        // One of them may be the caller's own.
        assert_eq!(
            of(&[("x-forwarded-user", "ada"), ("x-forwarded-user", "eve")]),
            None
        );
    }
}
