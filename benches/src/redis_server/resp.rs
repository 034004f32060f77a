//! Where a command, or an answer to it, ends.

use anyhow::{Context as _, bail};

/// The end of the value that begins at `at`; `None` if some of it is still to come.
///
/// # Errors
///
/// That it is no value of the protocol's second version.
pub(super) fn end(bytes: &[u8], at: usize) -> anyhow::Result<Option<usize>> {
    let mut at = at;
    // Values still to come: an array is as many more as it has.
    let mut open = 1i64;
    while open > 0 {
        let Some((kind, number, next)) = head(bytes, at)? else {
            return Ok(None);
        };
        at = next;
        open -= 1;
        match kind {
            b'*' => open += number.max(0),
            b'$' if number >= 0 => at += usize::try_from(number)? + 2,
            _ => {}
        }
        if at > bytes.len() {
            return Ok(None);
        }
    }
    Ok(Some(at))
}

/// The first line of a value: its kind, its number where it has one, and where the next line
/// begins.
fn head(bytes: &[u8], at: usize) -> anyhow::Result<Option<(u8, i64, usize)>> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(length) = rest.iter().position(|&byte| byte == b'\r') else {
        return Ok(None);
    };
    if rest.len() < length + 2 {
        return Ok(None);
    }
    let (&kind, line) = rest[..length].split_first().context("an empty line")?;
    let line = str::from_utf8(line)?;
    let number = match kind {
        b'*' | b'$' | b':' => line.parse().context("no number")?,
        b'+' => 0,
        b'-' => bail!("the server answers {line}"),
        _ => bail!("no value of the protocol"),
    };
    Ok(Some((kind, number, at + length + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_last_part_does() {
        let bytes = b"*3\r\n$3\r\nGET\r\n*1\r\n:7\r\n$-1\r\n+OK\r\n";
        let length = bytes.len() - 5;
        assert_eq!(end(bytes, 0).unwrap(), Some(length));
        assert_eq!(end(bytes, length).unwrap(), Some(bytes.len()));
    }

    #[test]
    fn a_value_without_its_end_is_still_to_come() {
        let bytes = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n";
        for length in 0..bytes.len() {
            assert_eq!(end(&bytes[..length], 0).unwrap(), None, "{length}");
        }
    }

    #[test]
    fn an_error_of_the_server_is_told() {
        let error = end(b"-NOSCRIPT no such script\r\n", 0).unwrap_err();
        assert!(error.to_string().contains("NOSCRIPT"), "{error}");
    }
}
