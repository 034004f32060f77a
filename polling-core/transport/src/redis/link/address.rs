//! The text of an address, and what it says.

use redis::ConnectionAddr;

/// What comes between the scheme of the client's own addresses and `://`, for sentinels.
const SENTINEL: &str = "+sentinel";

/// Parameters of an address that the client does not know.
const PARAMETERS: [&str; 3] = ["master", "sentinel_username", "sentinel_password"];

/// `scheme://credentials@host:port,host:port/database?parameters`, its parts as they were written.
pub(super) struct Address<'a> {
    scheme: &'a str,
    credentials: &'a str,
    hosts: &'a str,
    path: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Address<'a> {
    pub(super) fn new(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (credentials, hosts) = place.rsplit_once('@').unwrap_or(("", place));
        let parameters = query.split('&').filter(|text| !text.is_empty());
        let pair = |text: &'a str| text.split_once('=').unwrap_or((text, ""));
        Self {
            scheme,
            credentials,
            hosts,
            path,
            parameters: parameters.map(pair).collect(),
        }
    }

    /// Whether its hosts are sentinels.
    pub(super) fn names_sentinels(&self) -> bool {
        self.scheme.ends_with(SENTINEL)
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut found = self.parameters.iter().filter(|(key, _)| *key == name);
        found.next().map(|(_, value)| *value)
    }

    /// As an address of the servers themselves.
    pub(super) fn plain(&self) -> String {
        let parameters = self.parameters.iter();
        let known = parameters.filter(|(key, _)| !PARAMETERS.contains(key));
        let query: Vec<_> = known.map(|(key, value)| format!("{key}={value}")).collect();
        let mut url = self.url(self.credentials, self.path);
        if !query.is_empty() {
            url = format!("{url}?{}", query.join("&"));
        }
        url
    }

    /// As an address of the sentinels, which have credentials of their own.
    pub(super) fn sentinels(&self) -> String {
        let user = self.parameter("sentinel_username").unwrap_or_default();
        match self.parameter("sentinel_password") {
            Some(password) => self.url(&format!("{user}:{password}"), ""),
            None => self.url("", ""),
        }
    }

    fn url(&self, credentials: &str, path: &str) -> String {
        let scheme = self.scheme.strip_suffix(SENTINEL).unwrap_or(self.scheme);
        let at = if credentials.is_empty() { "" } else { "@" };
        format!("{scheme}://{credentials}{at}{}{path}", self.hosts)
    }
}

/// One address for each host of a list.
pub(super) fn each_host(url: &str, default_port: u16) -> Vec<String> {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..]
        .find(['/', '?'])
        .map_or(url.len(), |at| begin + at);
    let hosts = url[begin..end]
        .rfind('@')
        .map_or(begin, |at| begin + at + 1);
    let (before, after) = (&url[..hosts], &url[end..]);
    let with_port = |host: &str| match host_and_port(host) {
        // A path of this machine, or no address at all.
        _ if host.is_empty() || begin == 0 => host.to_owned(),
        Some(_) => host.to_owned(),
        None => format!("{host}:{default_port}"),
    };
    url[hosts..end]
        .split(',')
        .map(|host| format!("{before}{}{after}", with_port(host)))
        .collect()
}

pub(super) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    Some((host.trim_matches(['[', ']']), port.parse().ok()?))
}

/// The same way of connecting to another server. No host means the same host.
pub(super) fn elsewhere(from: &ConnectionAddr, host: &str, port: u16) -> Option<ConnectionAddr> {
    let mut to = from.clone();
    match &mut to {
        ConnectionAddr::Tcp(same, at)
        | ConnectionAddr::TcpTls {
            host: same,
            port: at,
            ..
        } => {
            if !host.is_empty() {
                host.clone_into(same);
            }
            *at = port;
            Some(to)
        }
        // A socket of this machine, or what a later client knows: nothing else is behind it.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_hosts_is_one_address_each() {
        let each = |url| each_host(url, 6379);
        assert_eq!(
            each("redis://u:p,w@a:1,b:2/3?protocol=resp3"),
            [
                "redis://u:p,w@a:1/3?protocol=resp3",
                "redis://u:p,w@b:2/3?protocol=resp3"
            ]
        );
        assert_eq!(each("redis://a"), ["redis://a:6379"]);
        assert_eq!(
            each("redis://[::1]:7,b/"),
            ["redis://[::1]:7/", "redis://b:6379/"]
        );
        assert_eq!(each("nonsense"), ["nonsense"]);
        assert_eq!(
            each("redis+unix:///run/redis.sock"),
            ["redis+unix:///run/redis.sock"]
        );
    }

    #[test]
    fn an_address_keeps_what_the_client_knows() {
        let url = "rediss+sentinel://u:p@a,b/1?master=m&protocol=resp3";
        let address = Address::new(url);
        assert!(address.names_sentinels());
        assert_eq!(address.plain(), "rediss://u:p@a,b/1?protocol=resp3");
        assert_eq!(address.sentinels(), "rediss://a,b");
        let url = "redis://u:p,w@a:1,b:2/3?protocol=resp3";
        assert_eq!(Address::new(url).plain(), url);
        assert!(!Address::new(url).names_sentinels());
    }
}
