//! The bounds of a channel's calls.

use std::time::Duration;

use reqwest::Url;

use super::caps;

/// What one call may cost. Each bound has a default that suits a JSON API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// What the channel sees as the caller; say who runs it and where to reach them.
    pub user_agent: String,
    /// Longest time for a connection to be made. Default: 5 s.
    pub connect_timeout: Duration,
    /// Longest silence of the channel while its answer is awaited or read. Default: 10 s.
    pub read_timeout: Duration,
    /// Longest time of a call, redirects and body included, whatever the job's deadline leaves; at
    /// most [`caps::MAX_CALL_TIMEOUT`]. Default: 30 s.
    pub total_timeout: Duration,
    /// Largest body, in bytes; at most [`caps::MAX_BODY_SIZE_BYTES`]. Default: 8 MiB.
    pub max_body_size_bytes: usize,
    /// Most redirects to follow; at most [`caps::MAX_REDIRECTS`]. Default: 5.
    pub max_redirects: usize,
    /// Hosts that may have loopback, private or link-local addresses, as URLs write them: a channel
    /// of your own network, `127.0.0.1` in a test, without port, IPv6 in brackets. All others are
    /// refused, be they written out, resolved to, or redirected to. Default: none.
    pub private_hosts: Vec<String>,
}

impl HttpConfig {
    /// The defaults, calling itself `user_agent`, such as `acme-posts/1.2 (+https://acme.example)`.
    #[must_use]
    pub fn new(user_agent: impl Into<String>) -> Self {
        Self {
            user_agent: user_agent.into(),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(30),
            max_body_size_bytes: 8 * 1024 * 1024,
            max_redirects: 5,
            private_hosts: Vec::new(),
        }
    }

    /// The first setting that is out of its bounds, in words.
    pub(super) fn fault(&self) -> Option<String> {
        let timeouts = [
            ("connect_timeout", self.connect_timeout),
            ("read_timeout", self.read_timeout),
            ("total_timeout", self.total_timeout),
        ];
        let longest = caps::MAX_CALL_TIMEOUT;
        let wrong = |(_, timeout): &(_, Duration)| timeout.is_zero() || *timeout > longest;
        if let Some((name, timeout)) = timeouts.into_iter().find(wrong) {
            return Some(format!(
                "{name} is {timeout:?}, not above 0 and at most {longest:?}"
            ));
        }
        let sizes = [
            (
                "max_body_size_bytes",
                self.max_body_size_bytes,
                caps::MAX_BODY_SIZE_BYTES,
            ),
            ("max_redirects", self.max_redirects, caps::MAX_REDIRECTS),
        ];
        if let Some((name, size, bound)) = sizes.into_iter().find(|(_, size, bound)| size > bound) {
            return Some(format!("{name} is {size}, not at most {bound}"));
        }
        let odd = self.private_hosts.iter().find(|host| !is_host(host))?;
        Some(format!(
            "private_hosts has {odd:?}, not a host as URLs write it, such as db.example or [::1]"
        ))
    }
}

/// Whether URLs write a host this way, so that it can be found again.
fn is_host(text: &str) -> bool {
    let host = text.to_ascii_lowercase();
    let url = Url::parse(&format!("http://{host}/"));
    url.is_ok_and(|url| url.host_str() == Some(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_host_that_no_url_writes_is_named() {
        let with = |host: &str| HttpConfig {
            private_hosts: vec!["localhost".to_owned(), host.to_owned()],
            ..HttpConfig::new("test")
        };
        for host in [
            "Intranet.example",
            "10.0.0.7",
            "[fd12::1]",
            "xn--caf-dma.example",
        ] {
            assert_eq!(with(host).fault(), None, "{host}");
        }
        for odd in [
            "", "::1", "127.1", "a:80", "a:8080", "http://a", "a/b", "a b", "me@a", "a?",
        ] {
            let fault = with(odd).fault().unwrap_or_else(|| panic!("{odd} passes"));
            assert!(
                fault.starts_with(&format!("private_hosts has {odd:?}, ")),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_setting_out_of_bounds_is_named() {
        let config = HttpConfig::new("test");
        assert_eq!(config.fault(), None);
        let endless = HttpConfig {
            total_timeout: Duration::MAX,
            ..config.clone()
        };
        assert!(endless.fault().unwrap().starts_with("total_timeout is "));
        let none = HttpConfig {
            read_timeout: Duration::ZERO,
            ..config.clone()
        };
        assert_eq!(
            none.fault().unwrap(),
            "read_timeout is 0ns, not above 0 and at most 3600s"
        );
        let many = HttpConfig {
            max_redirects: 21,
            ..config.clone()
        };
        assert_eq!(many.fault().unwrap(), "max_redirects is 21, not at most 20");
        let large = HttpConfig {
            max_body_size_bytes: usize::MAX,
            ..config
        };
        assert!(
            large
                .fault()
                .unwrap()
                .starts_with("max_body_size_bytes is ")
        );
    }
}
