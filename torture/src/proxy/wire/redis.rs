//! RESP, versions 2 and 3.

use super::{Protocol, Side, Unreadable};

pub(super) fn length(side: Side, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
    if side == Side::Request && bytes.first().is_some_and(|&first| first != b'*') {
        return Ok(line(bytes, 0).map(|(_, end)| end)); // typed by hand, such as `PING`
    }
    let (mut at, mut left) = (0, 1_usize);
    while left > 0 {
        let Some((said, end)) = line(bytes, at) else {
            return Ok(None);
        };
        at = end;
        left -= 1;
        match said.first() {
            Some(b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(') => {}
            Some(b'$' | b'=' | b'!') => {
                if let Some(size_bytes) = number(said)? {
                    at = at.saturating_add(size_bytes).saturating_add(2);
                }
            }
            Some(b'*' | b'~' | b'>') => left = left.saturating_add(number(said)?.unwrap_or(0)),
            Some(b'%') => left = left.saturating_add(pairs(said)?),
            Some(b'|') => left = left.saturating_add(pairs(said)?).saturating_add(1),
            _ => return Err(Protocol::Redis.unreadable("a value of no known type")),
        }
    }
    Ok(Some(at))
}

/// The command in capitals.
pub(super) fn name(request: &[u8]) -> String {
    let words = match request.first() {
        Some(b'*') => line(request, 0)
            .and_then(|(_, end)| line(request, end))
            .and_then(|(_, end)| line(request, end)),
        _ => line(request, 0),
    };
    let words = words.map(|(said, _)| said).unwrap_or_default();
    let word = words.split(|&byte| byte == b' ').next().unwrap_or_default();
    String::from_utf8_lossy(word).to_ascii_uppercase()
}

/// The line that begins at `from`, and where the next one does.
fn line(bytes: &[u8], from: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(from..)?;
    let length = rest.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&rest[..length], from + length + 2))
}

/// The number behind the type; none if it is negative, which says that there is no value.
fn number(said: &[u8]) -> Result<Option<usize>, Unreadable> {
    let digits = std::str::from_utf8(&said[1..]).unwrap_or_default();
    let number: i64 = digits
        .parse()
        .map_err(|_| Protocol::Redis.unreadable("a length that is no number"))?;
    Ok(usize::try_from(number).ok())
}

fn pairs(said: &[u8]) -> Result<usize, Unreadable> {
    Ok(number(said)?.unwrap_or(0).saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_last_part_does() {
        for whole in [
            "+OK\r\n",
            "-ERR no\r\n",
            "$5\r\na\r\nb!\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "*0\r\n",
            "*2\r\n$1\r\na\r\n*1\r\n:7\r\n",
            "%1\r\n+k\r\n*2\r\n_\r\n#t\r\n",
            "|1\r\n+k\r\n+v\r\n+OK\r\n",
        ] {
            let more = format!("{whole}+NEXT\r\n");
            let length = |bytes: &str| length(Side::Reply, bytes.as_bytes()).unwrap();
            assert_eq!(length(&more), Some(whole.len()), "{whole:?}");
            for cut in 0..whole.len() {
                let part = length(&whole[..cut]);
                assert!(part.is_none_or(|length| length > cut), "{whole:?} at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        assert!(length(Side::Reply, b"HTTP/1.1 200 OK\r\n").is_err());
        assert!(length(Side::Reply, b"$five\r\n").is_err());
    }

    #[test]
    fn a_command_is_named_in_capitals() {
        assert_eq!(name(b"*2\r\n$3\r\nget\r\n$1\r\na\r\n"), "GET");
        assert_eq!(name(b"ping x\r\n"), "PING");
    }
}
