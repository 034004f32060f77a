//! The two ids of the W3C's trace context.

use std::{fmt, str::FromStr};

use super::TraceparentError;

/// The id of a trace: 16 bytes, not all zero. Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// The id of a span within its trace: 8 bytes, not all zero. Shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// `None` if all are zero, which is no id.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The span that stands for the whole cycle: its id is the first half of the trace's, so that
    /// whoever knows the trace knows the parent of all.
    #[must_use]
    pub fn root(self) -> SpanId {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        SpanId::new([a, b, c, d, e, f, g, h]).unwrap_or(SpanId([0, 0, 0, 0, 0, 0, 0, 1]))
    }

    /// The low 56 bits, which sampling goes by: random, by the W3C's second level.
    pub(super) fn randomness(self) -> u64 {
        let [.., b, c, d, e, f, g, h] = self.0;
        u64::from_be_bytes([0, b, c, d, e, f, g, h])
    }
}

impl SpanId {
    /// `None` if all are zero, which is no id.
    #[must_use]
    pub fn new(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes the digits of `bytes` to the beginning of `to`, which has room for them.
pub(super) fn write_hex(bytes: &[u8], to: &mut [u8]) {
    for (byte, digits) in bytes.iter().zip(to.chunks_exact_mut(2)) {
        digits[0] = HEX[usize::from(byte >> 4)];
        digits[1] = HEX[usize::from(byte & 0xf)];
    }
}

/// Reads `N` bytes from exactly twice as many digits, in small letters only.
pub(super) fn read_hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

fn fmt_hex<const DIGITS: usize>(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut digits = [0; DIGITS];
    write_hex(bytes, &mut digits);
    f.write_str(std::str::from_utf8(&digits).expect("digits are ASCII"))
}

macro_rules! hex_id {
    ($id:ident, $digits:literal) => {
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt_hex::<$digits>(&self.0, f)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $id {
            type Err = TraceparentError;

            fn from_str(text: &str) -> Result<Self, TraceparentError> {
                let id = read_hex(text.as_bytes()).and_then(Self::new);
                id.ok_or(TraceparentError)
            }
        }
    };
}

hex_id!(TraceId, 32);
hex_id!(SpanId, 16);
