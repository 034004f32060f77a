//! Where an answer sends its caller.

use http::{HeaderMap, StatusCode, header};
use reqwest::Url;

use crate::PollError;

/// Whether `status` asks to repeat the call elsewhere.
pub(super) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The target of a redirect from `from`, which keeps to https once it is there.
pub(super) fn target(from: &Url, headers: &HeaderMap) -> Result<Url, PollError> {
    let location = headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| invalid("a redirect without a place to go"))?;
    let target = from.join(location);
    let mut target = target.map_err(|_| invalid("a redirect to what is no URL"))?;
    // Credentials in a URL are not ours to send.
    let _ = target.set_username("");
    let _ = target.set_password(None);
    match (from.scheme(), target.scheme()) {
        (_, "https") | ("http", "http") => Ok(target),
        ("https", "http") => Err(invalid("a redirect from https to http")),
        _ => Err(invalid("a redirect to what is not HTTP")),
    }
}

/// Whether two URLs belong to one server, so that one may get what is meant for the other. From
/// http to https of the same host counts.
pub(super) fn same_server(one: &Url, other: &Url) -> bool {
    let upgraded = one.scheme() == "http" && one.port().is_none() && other.port().is_none();
    one.origin() == other.origin() || (upgraded && one.host_str() == other.host_str())
}

fn invalid(what: &str) -> PollError {
    PollError::invalid(format!("the channel answered {what}")).with_code("redirect")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    fn follow(from: &str, location: &'static str) -> Result<String, String> {
        let location = (header::LOCATION, HeaderValue::from_static(location));
        let target = target(&url(from), &HeaderMap::from_iter([location]));
        target
            .map(String::from)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_redirect_is_followed_within_http_and_never_down() {
        let from = "https://a.example/x?token=1";
        assert_eq!(follow(from, "/y").unwrap(), "https://a.example/y");
        assert_eq!(follow(from, "//b.example").unwrap(), "https://b.example/");
        assert_eq!(
            follow("http://a.example", "https://a.example/").unwrap(),
            "https://a.example/"
        );
        assert_eq!(
            follow(from, "https://me:secret@b.example/").unwrap(),
            "https://b.example/"
        );
        let refused = |location| follow(from, location).unwrap_err();
        assert_eq!(
            refused("http://a.example/"),
            "the channel answered a redirect from https to http"
        );
        assert_eq!(
            refused("file:///etc/passwd"),
            "the channel answered a redirect to what is not HTTP"
        );
        assert_eq!(
            refused("https://"),
            "the channel answered a redirect to what is no URL"
        );
    }

    #[test]
    fn another_port_is_another_server() {
        assert!(same_server(
            &url("https://a.example/x"),
            &url("https://a.example:443/y")
        ));
        assert!(same_server(
            &url("http://a.example/"),
            &url("https://a.example/")
        ));
        assert!(!same_server(
            &url("https://a.example/"),
            &url("https://a.example:444/")
        ));
        assert!(!same_server(
            &url("https://a.example/"),
            &url("http://a.example/")
        ));
        assert!(!same_server(
            &url("https://a.example/"),
            &url("https://b.a.example/")
        ));
    }
}
