//! HTTP/1.1: bodies of a known length, in chunks, or as long as the connection.

use super::{Protocol, Side, Unreadable};

/// The longest head that is taken.
const MAX_HEAD_SIZE_BYTES: usize = 64 * 1024;

/// The header that names the action, as in `AmazonSQS.ReceiveMessage`.
const TARGET: &str = "x-amz-target";

/// A request or a reply, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::proxy) struct Message {
    /// The first line.
    start: String,
    headers: Vec<(String, String)>,
    pub(in crate::proxy) body: Vec<u8>,
}

impl Message {
    /// A reply of SQS.
    pub(in crate::proxy) fn json_reply(status: &str, body: Vec<u8>) -> Self {
        let content_type = (
            "content-type".to_owned(),
            "application/x-amz-json-1.0".to_owned(),
        );
        Self {
            start: format!("HTTP/1.1 {status}"),
            headers: vec![content_type],
            body,
        }
    }

    /// None unless all of it is there.
    pub(in crate::proxy) fn parse(side: Side, bytes: &[u8]) -> Option<Self> {
        let (head, body_from) = head(bytes)?;
        let (start, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        };
        let body = match body_of(side, head).ok()? {
            Body::Sized(length) => bytes
                .get(body_from..body_from.checked_add(length)?)?
                .to_vec(),
            Body::Chunked => dechunk(&bytes[body_from..])?,
            Body::UntilClose => bytes[body_from..].to_vec(),
            Body::None => Vec::new(),
        };
        Some(Self {
            start: start.to_owned(),
            headers: headers.split("\r\n").filter_map(header).collect(),
            body,
        })
    }

    pub(in crate::proxy) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The action of SQS that a request asks for.
    pub(in crate::proxy) fn action(&self) -> Option<&str> {
        self.header(TARGET)?.strip_prefix("AmazonSQS.")
    }

    /// With the length that the body has now.
    pub(in crate::proxy) fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            if !["content-length", "transfer-encoding"].contains(&name.as_str()) {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        let mut bytes = head.into_bytes();
        bytes.extend(&self.body);
        bytes
    }
}

/// How long the body is.
enum Body {
    None,
    Sized(usize),
    Chunked,
    UntilClose,
}

/// A reply that only says "go on" (1xx) counts as the beginning of the one that it announces.
pub(super) fn length(side: Side, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
    let Some((head, body_from)) = head(bytes) else {
        let none_yet = bytes.len() <= MAX_HEAD_SIZE_BYTES;
        return none_yet
            .then_some(None)
            .ok_or(unreadable("a head without end"));
    };
    if side == Side::Reply && status(head)? / 100 == 1 {
        let rest = length(side, &bytes[body_from..])?;
        return Ok(rest.map(|rest| body_from + rest));
    }
    Ok(match body_of(side, head)? {
        Body::None => Some(body_from),
        Body::Sized(length) => Some(body_from.saturating_add(length)),
        Body::Chunked => chunks(&bytes[body_from..])?.map(|length| body_from + length),
        Body::UntilClose => None,
    })
}

/// The action of SQS, else the method.
pub(super) fn name(request: &[u8]) -> String {
    let message = Message::parse(Side::Request, request);
    let action = message.as_ref().and_then(Message::action);
    let method = || {
        request
            .split(|&byte| byte == b' ')
            .next()
            .unwrap_or_default()
    };
    match action {
        Some(action) => action.to_owned(),
        None => String::from_utf8_lossy(method()).into_owned(),
    }
}

/// The head without its empty line, and where the body begins.
fn head(bytes: &[u8]) -> Option<(&str, usize)> {
    let length = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some((std::str::from_utf8(&bytes[..length]).ok()?, length + 4))
}

fn body_of(side: Side, head: &str) -> Result<Body, Unreadable> {
    if side == Side::Reply && [204, 304].contains(&status(head)?) {
        return Ok(Body::None);
    }
    let headers = head.split("\r\n").skip(1);
    let mut body = match side {
        Side::Request => Body::None,
        Side::Reply => Body::UntilClose,
    };
    for (name, value) in headers.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.parse();
            body = Body::Sized(length.map_err(|_| unreadable("a length that is no number"))?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(Body::Chunked);
        }
    }
    Ok(body)
}

fn status(head: &str) -> Result<u16, Unreadable> {
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or(unreadable("a reply without a status"))
}

/// One chunk: where its bytes are, and where the next chunk begins.
fn chunk(bytes: &[u8], from: usize) -> Result<Option<(usize, usize)>, Unreadable> {
    let rest = &bytes[from..];
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
        return Ok(None);
    };
    let size = std::str::from_utf8(&rest[..end]).unwrap_or_default();
    let size = size.split(';').next().unwrap_or_default().trim();
    let size = usize::from_str_radix(size, 16).map_err(|_| unreadable("a chunk without a size"))?;
    Ok(Some((from + end + 2, size)))
}

/// The length of all chunks, the last one and the trailers included.
fn chunks(bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
    let mut from = 0;
    while from <= bytes.len() {
        match chunk(bytes, from)? {
            None => return Ok(None),
            // The trailers end with an empty line, whose first half may be the last chunk's own.
            Some((at, 0)) => {
                let end = bytes[at - 2..]
                    .windows(4)
                    .position(|four| four == b"\r\n\r\n");
                return Ok(end.map(|end| at - 2 + end + 4));
            }
            Some((at, size)) => from = at.saturating_add(size).saturating_add(2),
        }
    }
    Ok(None)
}

fn dechunk(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut body, mut from) = (Vec::new(), 0);
    loop {
        let (at, size) = chunk(bytes, from).ok()??;
        if size == 0 {
            return Some(body);
        }
        body.extend(bytes.get(at..at.checked_add(size)?)?);
        from = at + size + 2;
        bytes.get(from..)?;
    }
}

fn unreadable(reason: &'static str) -> Unreadable {
    Protocol::Http.unreadable(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &str =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n";

    #[test]
    fn a_message_ends_where_its_body_does() {
        for (side, whole) in [
            (Side::Request, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
            (
                Side::Request,
                "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
            ),
            (Side::Reply, "HTTP/1.1 204 No Content\r\n\r\n"),
            (Side::Reply, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            (Side::Reply, CHUNKED),
            (
                Side::Reply,
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na",
            ),
        ] {
            let more = format!("{whole}HTTP/1.1 500 No\r\n\r\n");
            assert_eq!(
                length(side, more.as_bytes()),
                Ok(Some(whole.len())),
                "{whole:?}"
            );
            for cut in 0..whole.len() {
                let part = length(side, &whole.as_bytes()[..cut]).unwrap();
                assert!(part.is_none_or(|length| length > cut), "{whole:?} at {cut}");
            }
        }
    }

    #[test]
    fn a_reply_without_a_length_lasts_as_long_as_the_connection() {
        assert_eq!(length(Side::Reply, b"HTTP/1.0 200 OK\r\n\r\nabc"), Ok(None));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        assert!(length(Side::Reply, b"nonsense\r\n\r\n").is_err());
        assert!(length(Side::Request, &[b'a'; MAX_HEAD_SIZE_BYTES + 1]).is_err());
    }

    #[test]
    fn a_message_put_together_again_has_its_own_length() {
        let mut message = Message::parse(Side::Reply, CHUNKED.as_bytes()).unwrap();
        assert_eq!(message.body, b"abcd");
        message.body.push(b'e');
        let expected = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde";
        assert_eq!(message.to_bytes(), expected.as_bytes());
    }

    #[test]
    fn a_request_is_named_after_its_action() {
        assert_eq!(name(b"GET / HTTP/1.1\r\n\r\n"), "GET");
        let receive = b"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n\r\n";
        assert_eq!(name(receive), "ReceiveMessage");
    }
}
