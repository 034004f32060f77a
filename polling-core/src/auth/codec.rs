//! Credentials as bytes, readable or sealed.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[cfg(feature = "auth-sealed")]
use super::Keyring;
use super::{Credentials, Secret, TokenKey};

/// The format that this version writes, and the newest that it reads.
const FORMAT: u32 = 1;

/// What a cache needs beside the two secrets: names, numbers, punctuation.
const FRAME_LEN: usize = 256;

/// How credentials are written for the cache.
#[derive(Debug, Default)]
pub(super) enum Codec {
    /// As JSON that whoever reads the cache can read.
    #[default]
    Plain,
    /// The same JSON, encrypted.
    #[cfg(feature = "auth-sealed")]
    Sealed(Keyring),
}

/// Why bytes from the cache are no credentials of the account.
#[derive(Debug, thiserror::Error)]
pub(super) enum CodecError {
    #[error("it is no token")]
    Unreadable,
    #[error(
        "it has version {found}, this program knows {FORMAT} at most: finish the deployment of a newer one"
    )]
    Newer { found: u32 },
    #[cfg(not(feature = "auth-sealed"))]
    #[error("it is sealed: build with the feature auth-sealed and configure its key")]
    Sealed,
    #[cfg(feature = "auth-sealed")]
    #[error("it is sealed: configure the keyring that holds its key")]
    Sealed,
    #[cfg(feature = "auth-sealed")]
    #[error(transparent)]
    Seal(#[from] super::SealError),
}

/// What every version of the document has.
#[derive(Deserialize)]
struct Versioned {
    v: u32,
}

/// The document that is kept.
#[derive(Serialize, Deserialize)]
struct Document<'a> {
    v: u32,
    #[serde(borrow)]
    access: std::borrow::Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    refresh: Option<std::borrow::Cow<'a, str>>,
    issued_at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at_ms: Option<i64>,
}

// A plain token is bound to nobody.
#[cfg_attr(not(feature = "auth-sealed"), allow(unused_variables))]
impl Codec {
    pub(super) fn encode(&self, key: &TokenKey, credentials: &Credentials) -> Zeroizing<Vec<u8>> {
        let plain = document(credentials);
        match self {
            Self::Plain => plain,
            #[cfg(feature = "auth-sealed")]
            Self::Sealed(keyring) => Zeroizing::new(keyring.seal(key, &plain)),
        }
    }

    pub(super) fn decode(&self, key: &TokenKey, bytes: &[u8]) -> Result<Credentials, CodecError> {
        match self {
            Self::Plain if is_sealed(bytes) => Err(CodecError::Sealed),
            Self::Plain => read(bytes),
            #[cfg(feature = "auth-sealed")]
            Self::Sealed(keyring) if !is_sealed(bytes) => {
                keyring.check_unsealed_is_allowed()?;
                read(bytes)
            }
            #[cfg(feature = "auth-sealed")]
            Self::Sealed(keyring) => read(&keyring.open(key, bytes)?),
        }
    }
}

/// The first byte of a sealed token. A document begins with a brace.
pub(super) const SEALED: u8 = 0xA1;

fn is_sealed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&SEALED)
}

fn document(credentials: &Credentials) -> Zeroizing<Vec<u8>> {
    let (access, refresh) = (&credentials.access, credentials.refresh.as_ref());
    let refresh = refresh.map(Secret::expose);
    // Room for every byte escaped, so that it never moves and leaves a copy behind.
    let secrets_len = access.expose().len() + refresh.map_or(0, str::len);
    let mut bytes = Zeroizing::new(Vec::with_capacity(FRAME_LEN + 6 * secrets_len));
    let document = Document {
        v: FORMAT,
        access: access.expose().into(),
        refresh: refresh.map(Into::into),
        issued_at_ms: credentials.issued_at_ms,
        expires_at_ms: credentials.expires_at_ms,
    };
    serde_json::to_writer(&mut *bytes, &document).expect("strings and numbers make JSON");
    bytes
}

fn read(bytes: &[u8]) -> Result<Credentials, CodecError> {
    // The parser's own error may quote a secret.
    let unreadable = |_| CodecError::Unreadable;
    let Versioned { v } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if v > FORMAT {
        return Err(CodecError::Newer { found: v });
    }
    let document: Document<'_> = serde_json::from_slice(bytes).map_err(unreadable)?;
    Ok(Credentials {
        access: Secret::new(document.access),
        refresh: document.refresh.map(Secret::new),
        issued_at_ms: document.issued_at_ms,
        expires_at_ms: document.expires_at_ms,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> TokenKey {
        TokenKey {
            channel: "mastodon".parse().unwrap(),
            account: "42".parse().unwrap(),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            access in ".*", refresh in proptest::option::of(".*"),
            issued_at_ms: i64, expires_at_ms: Option<i64>,
        ) {
            let credentials = Credentials {
                access: Secret::new(access.as_str()),
                refresh: refresh.clone().map(Secret::new),
                issued_at_ms,
                expires_at_ms,
            };
            let bytes = Codec::Plain.encode(&key(), &credentials);
            let read = Codec::Plain.decode(&key(), &bytes).unwrap();
            prop_assert_eq!(read.access.expose(), access);
            prop_assert_eq!(read.refresh.map(|secret| secret.expose().to_owned()), refresh);
            prop_assert_eq!((read.issued_at_ms, read.expires_at_ms), (issued_at_ms, expires_at_ms));
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Codec::Plain.decode(&key(), &bytes);
        }
    }

    #[test]
    fn a_newer_format_is_left_alone() {
        let newer = br#"{"v":2,"access":"a","issued_at_ms":0}"#;
        let error = Codec::Plain.decode(&key(), newer).unwrap_err();
        assert!(matches!(error, CodecError::Newer { found: 2 }));
    }

    #[test]
    fn a_sealed_token_says_what_is_missing() {
        let error = Codec::Plain.decode(&key(), &[SEALED, 1, 2]).unwrap_err();
        assert!(error.to_string().contains("it is sealed"), "{error}");
    }
}
