//! Kafka: a length, and what has that length.

use super::{Protocol, Side, Unreadable};

const LENGTH_SIZE_BYTES: usize = 4;

pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
    let Some(length) = number(bytes, 0) else {
        return Ok(None);
    };
    let length = i32::from_be_bytes(length.to_be_bytes());
    let length =
        usize::try_from(length).map_err(|_| Protocol::Kafka.unreadable("a negative length"))?;
    Ok(Some(LENGTH_SIZE_BYTES + length))
}

/// The requests of producers and consumers by name, the rest by number.
pub(super) fn name(request: &[u8]) -> String {
    let key = request
        .get(4..6)
        .map(|key| i16::from_be_bytes([key[0], key[1]]));
    let name = match key {
        Some(0) => "Produce",
        Some(1) => "Fetch",
        Some(2) => "ListOffsets",
        Some(3) => "Metadata",
        Some(10) => "FindCoordinator",
        Some(18) => "ApiVersions",
        Some(19) => "CreateTopics",
        Some(22) => "InitProducerId",
        other => return format!("Api{}", other.unwrap_or(-1)),
    };
    name.to_owned()
}

/// A request names itself by a number behind its key and version, and its reply begins with that.
pub(super) fn correlation(frame: &[u8], side: Side) -> Option<u32> {
    match side {
        Side::Request => number(frame, 8),
        Side::Reply => number(frame, 4),
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_length_its_name_and_a_number_that_its_reply_repeats() {
        let request = b"\0\0\0\x0a\0\x12\0\x03\0\0\x01\x07\0\0";
        assert_eq!(length(request), Ok(Some(request.len())));
        assert_eq!(length(&request[..3]), Ok(None));
        assert_eq!(name(request), "ApiVersions");
        assert_eq!(correlation(request, Side::Request), Some(0x107));
        assert_eq!(
            correlation(b"\0\0\0\x04\0\0\x01\x07", Side::Reply),
            Some(0x107)
        );
    }

    #[test]
    fn a_negative_length_is_refused() {
        assert!(length(b"\xff\0\0\0").is_err());
    }
}
