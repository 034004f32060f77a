//! Where requests and replies begin and end.

mod frames;
pub(super) mod http;
mod kafka;
mod redis;

pub(super) use frames::Frames;

/// The longest request or reply that is taken; nothing of ours comes near.
pub(super) const MAX_FRAME_SIZE_BYTES: usize = 64 * 1024 * 1024;

/// What is spoken between a client and a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Redis, pipelines included; no subscriptions.
    Redis,
    /// HTTP/1.1, and on it the JSON protocol of Amazon SQS.
    Http,
    /// Kafka, unencrypted.
    Kafka,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Reply,
}

/// This is not what the protocol looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {protocol:?}: {reason}")]
pub(super) struct Unreadable {
    protocol: Protocol,
    reason: &'static str,
}

impl Protocol {
    fn unreadable(self, reason: &'static str) -> Unreadable {
        Unreadable {
            protocol: self,
            reason,
        }
    }

    /// The length of the first request or reply, once all of it is there.
    fn length(self, side: Side, bytes: &[u8]) -> Result<Option<usize>, Unreadable> {
        let length = match self {
            Self::Redis => redis::length(side, bytes),
            Self::Http => http::length(side, bytes),
            Self::Kafka => kafka::length(bytes),
        }?;
        if length.unwrap_or(bytes.len()) > MAX_FRAME_SIZE_BYTES {
            return Err(self.unreadable("longer than anything we send"));
        }
        Ok(length.filter(|&length| length <= bytes.len()))
    }

    /// What a request asks for.
    pub(super) fn name(self, request: &[u8]) -> String {
        match self {
            Self::Redis => redis::name(request),
            Self::Http => http::name(request),
            Self::Kafka => kafka::name(request),
        }
    }

    /// What a reply must have in common with its request; protocols without it answer in order.
    pub(super) fn correlation(self, frame: &[u8], side: Side) -> Option<u32> {
        match self {
            Self::Kafka => kafka::correlation(frame, side),
            Self::Redis | Self::Http => None,
        }
    }

    /// True of what the server says without being asked.
    pub(super) fn is_unasked(self, reply: &[u8]) -> bool {
        self == Self::Redis && reply.first() == Some(&b'>')
    }
}
