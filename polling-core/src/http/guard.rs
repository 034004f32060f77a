//! Which addresses may be called: those of the public internet, and of hosts that are named.
//!
//! A URL may come from a job's context, a link or a redirect, and with it the wish to reach what
//! only this network can reach. Names are judged by what they resolve to, at each connection.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

/// A private address that was not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is private")]
pub(super) struct PrivateAddress;

impl PrivateAddress {
    /// Whether it is among the causes of `error`.
    pub(super) fn caused(error: &(dyn Error + 'static)) -> bool {
        let mut causes = std::iter::successors(Some(error), |error| (*error).source());
        causes.any(|cause| cause.is::<Self>())
    }
}

/// The hosts that may have private addresses, and everything public.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    private_hosts: Arc<[String]>,
}

impl Guard {
    pub(super) fn new(private_hosts: &[String]) -> Self {
        Self {
            private_hosts: private_hosts.into(),
        }
    }

    /// Refuses a URL whose host is a private address written out. A name is looked at when it is
    /// resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), PrivateAddress> {
        let Some(host) = url.host_str() else {
            return Ok(());
        };
        // An IPv6 address stands in brackets.
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        match literal.parse::<IpAddr>() {
            Ok(address) if !is_public(address) && !self.may_be_private(host) => Err(PrivateAddress),
            _ => Ok(()),
        }
    }

    fn may_be_private(&self, host: &str) -> bool {
        let mut hosts = self.private_hosts.iter();
        hosts.any(|private| private.eq_ignore_ascii_case(host))
    }
}

/// The system's resolver, less the private addresses.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let any = self.may_be_private(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let (allowed, refused): (Vec<SocketAddr>, Vec<_>) =
                found.partition(|address| any || is_public(address.ip()));
            if allowed.is_empty() && !refused.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet, by IANA's registries of special purposes.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network; private; loopback.
        (0 | 10 | 127, _, _) => true,
        // Shared by carriers; link-local, where clouds keep credentials.
        (100, 64..=127, _) | (169, 254, _) => true,
        (172, 16..=31, _) | (192, 168, _) => true,
        // Protocols; documentation; 6to4 relays; benchmarks.
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 18 | 19, _) => true,
        (198, 51, 100) | (203, 0, 113) => true,
        // Multicast, reserved, broadcast.
        (224.., _, _) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [one, two] = high.to_be_bytes();
        let [three, four] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(one, two, three, four))
    };
    match (a, b, c, d, e, f) {
        // IPv4 in another dress: mapped, translated, 6to4.
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => embedded(high, low),
        (0x2002, ..) => embedded(b, c),
        // Teredo, benchmarks, ORCHID and the like; documentation.
        (0x2001, 0..=0x1ff, ..) | (0x2001, 0xdb8, ..) | (0x3fff, 0..=0xfff, ..) => false,
        // Only this is given out for the internet.
        (0x2000..=0x3fff, ..) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_not_public_in_any_dress() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.0.1",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn addresses_are_seen_however_a_url_writes_them() {
        for private in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://127.0.0.1./",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://①②⑦.⓪.⓪.①/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://[::1]:80/",
            "http://[::ffff:7f00:1]/",
            "http://[::ffff:0:127.0.0.1]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "https://user@10.0.0.1/",
        ] {
            let url: Url = private.parse().unwrap();
            assert_eq!(guard(&[]).check(&url), Err(PrivateAddress), "{private}");
        }
        for other in [
            "http://1.1.1.1/",
            "http://localhost/",
            "https://example.org/127.0.0.1",
        ] {
            assert_eq!(guard(&[]).check(&other.parse().unwrap()), Ok(()), "{other}");
        }
    }

    #[test]
    fn one_private_host_opens_no_other() {
        let guard = guard(&["10.0.0.7", "[::1]"]);
        for (url, allowed) in [
            ("http://10.0.0.7:8080/x", true),
            ("http://[::1]/", true),
            ("http://10.0.0.8/", false),
            ("http://169.254.169.254/", false),
        ] {
            assert_eq!(guard.check(&url.parse().unwrap()).is_ok(), allowed, "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_private_addresses_is_refused_unless_it_is_allowed() {
        let resolve =
            |guard: Guard| async move { guard.resolve("localhost".parse().unwrap()).await };
        let error = resolve(guard(&["example.org"])).await.err().unwrap();
        assert!(PrivateAddress::caused(error.as_ref()));
        assert!(resolve(guard(&["LocalHost"])).await.unwrap().count() > 0);
    }

    fn guard(private_hosts: &[&str]) -> Guard {
        let hosts: Vec<_> = private_hosts.iter().map(|&host| host.to_owned()).collect();
        Guard::new(&hosts)
    }
}
