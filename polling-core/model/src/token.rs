//! The token that makes a completion valid at most once.

use std::{
    array,
    fmt::{self, Write as _},
    str::{self, FromStr},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A 64-bit random number, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub u64);

const HEX: &[u8; 16] = b"0123456789abcdef";

impl Nonce {
    /// Its digits. Every message has some of these, and the formatting machinery takes as long for
    /// them as all else in it.
    fn digits(self) -> [u8; 16] {
        array::from_fn(|at| HEX[(self.0 >> (60 - 4 * at)) as usize & 0xf])
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The first digits only: with a whole nonce anybody could complete the job.
impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}…", self.0 >> 48)
    }
}

const NO_DIGIT: u8 = u8::MAX;

/// By the byte.
static DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[HEX[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

impl FromStr for Nonce {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        // `from_str_radix` alone would also take a sign and upper case: one spelling, one token.
        if text.len() != 16 {
            return Err(TokenError);
        }
        // No way out before the end: most are right, and digits are random.
        let (mut number, mut wrong) = (0, false);
        for byte in text.bytes() {
            let digit = DIGITS[usize::from(byte)];
            number = number << 4 | u64::from(digit);
            wrong |= digit == NO_DIGIT;
        }
        if wrong {
            Err(TokenError)
        } else {
            Ok(Self(number))
        }
    }
}

/// One life of a job's record: from registration (or a context replaced by hand) to removal.
pub type Incarnation = Nonce;

/// What a drain gives a job, and what a completion must bring back unchanged.
///
/// Valid until the next drain, until it is accepted, or until the job is removed or its context
/// replaced by hand. The nonce is random per drain, so that two histories of a store that lost
/// its last writes never share a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    /// The life of the record.
    pub incarnation: Incarnation,
    /// Counts the drains of this incarnation, from 1.
    pub generation: u64,
    /// Random per drain.
    pub nonce: Nonce,
}

impl Token {
    /// The text that travels: `incarnation.generation.nonce`.
    #[must_use]
    pub fn to_wire(&self) -> String {
        // Two numbers of 16 digits, one of at most 20, and the dots.
        let mut text = String::with_capacity(54);
        push_ascii(&mut text, &self.incarnation.digits());
        // Writing to a text cannot fail.
        let _ = write!(text, ".{}.", self.generation);
        push_ascii(&mut text, &self.nonce.digits());
        text
    }

    /// Reads what [`to_wire`](Self::to_wire) wrote.
    ///
    /// # Errors
    ///
    /// [`TokenError`] on any other spelling.
    pub fn from_wire(text: &str) -> Result<Self, TokenError> {
        let mut parts = text.split('.');
        let (Some(incarnation), Some(generation), Some(nonce), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError);
        };
        Ok(Self {
            incarnation: incarnation.parse()?,
            generation: canonical(generation)?,
            nonce: nonce.parse()?,
        })
    }
}

fn push_ascii(text: &mut String, digits: &[u8; 16]) {
    text.push_str(str::from_utf8(digits).expect("digits are ASCII"));
}

/// A number in its one spelling: parsing alone would also take a sign and leading zeros.
fn canonical(number: &str) -> Result<u64, TokenError> {
    let padded = number.len() > 1 && number.starts_with('0');
    if padded || number.starts_with('+') {
        return Err(TokenError);
    }
    number.parse().map_err(|_| TokenError)
}

/// The generation only, for the same reason as [`Nonce`]'s.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(generation {}, {:?})", self.generation, self.nonce)
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_wire())
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

/// Reads a token from wherever its text lies.
struct Text;

impl de::Visitor<'_> for Text {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Token, E> {
        Token::from_wire(text).map_err(E::custom)
    }
}

/// A text that is no token. It does not repeat the text: a token is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a token: expected incarnation.generation.nonce, such as 00000000000000a1.7.00000000000000b2"
)]
pub struct TokenError;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_survives_the_wire(incarnation: u64, generation: u64, nonce: u64) {
            let token = Token { incarnation: Nonce(incarnation), generation, nonce: Nonce(nonce) };
            prop_assert_eq!(Token::from_wire(&token.to_wire()), Ok(token));
        }
    }

    #[test]
    fn only_one_spelling_is_a_token() {
        let good = "00000000000000a1.7.00000000000000b2";
        assert!(Token::from_wire(good).is_ok());
        for bad in [
            "",
            "a1.7.b2",
            &good.to_uppercase(),
            &good.replace(".7.", ".07."),
            &good.replace(".7.", ".+7."),
        ] {
            assert_eq!(Token::from_wire(bad), Err(TokenError), "{bad}");
        }
    }

    #[test]
    fn a_nonce_has_sixteen_small_digits() {
        assert_eq!("00000000000000a1".parse(), Ok(Nonce(0xa1)));
        for bad in [
            "a1",
            "00000000000000A1",
            "+0000000000000a1",
            "00000000000000a1 ",
        ] {
            assert_eq!(bad.parse::<Nonce>(), Err(TokenError), "{bad}");
        }
    }

    #[test]
    fn debug_hides_most_of_the_nonce() {
        let token = Token::from_wire("00000000000000a1.7.abcdef0123456789").unwrap();
        assert_eq!(format!("{token:?}"), "Token(generation 7, abcd…)");
    }
}
