//! Tokens encrypted at rest.

use std::{collections::BTreeMap, fmt};

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

use super::{TokenKey, codec::SEALED};

/// Length of a key, in bytes.
pub const KEY_LEN: usize = 32;

/// Longest id of a key, in bytes.
pub const MAX_KEY_ID_LEN: usize = 32;

/// Most keys of a ring.
pub const MAX_KEYS: usize = 16;

/// What these ciphertexts are for: one made with the same key for another end is refused.
const PURPOSE: &str = "polling-core auth token 1";

/// Keys that seal tokens: one to write, any number up to [`MAX_KEYS`] to read.
///
/// ChaCha20-Poly1305. A sealed token is bound to its channel and its account: moved to another, it
/// is refused. Nonces are 96 random bits of the operating system, never of the
/// [`Generator`](crate::Generator): a seeded one would repeat them, which with this cipher gives
/// plaintexts away. Make a new key before 2³² tokens were sealed with one.
///
/// To rotate: give every worker the new key to read, then to write; take the old one away when all
/// tokens were refreshed since.
///
/// ```
/// use polling_core::auth::Keyring;
///
/// # let (old, new) = ([1; 32], [2; 32]);
/// let keyring = Keyring::new("2026-11", &new)?.with_key("2026-05", &old)?;
/// assert_eq!(format!("{keyring:?}"), r#"Keyring { writes: "2026-11", reads: ["2026-05", "2026-11"] }"#);
/// # Ok::<(), polling_core::auth::SealError>(())
/// ```
pub struct Keyring {
    writes: String,
    keys: BTreeMap<String, LessSafeKey>,
    takes_unsealed: bool,
    random: SystemRandom,
}

/// Why a key or a sealed token is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The key has the wrong length.
    #[error("key {id:?} has {len} bytes: {KEY_LEN} random bytes are needed")]
    KeyLength {
        /// Its id.
        id: String,
        /// Its length, in bytes.
        len: usize,
    },
    /// The id of a key cannot be used.
    #[error(
        "key id {id:?}: 1 to {MAX_KEY_ID_LEN} letters, digits, - and _ are needed, and no two keys may share one"
    )]
    KeyId {
        /// The id.
        id: String,
    },
    /// There are too many keys.
    #[error("more than {MAX_KEYS} keys: take away those with which no token is sealed any more")]
    TooManyKeys,
    /// The token was sealed with a key that is not there.
    #[error(
        "it is sealed with key {id:?}, which is not among this worker's keys ({known}): give it that key to read"
    )]
    UnknownKey {
        /// The id of the key.
        id: String,
        /// The ids of those that are there.
        known: String,
    },
    /// The token cannot be opened.
    #[error(
        "it was not sealed for {key}: it was moved from elsewhere, or altered; store the account's token anew"
    )]
    Refused {
        /// Whose token it was taken for.
        key: String,
    },
    /// The bytes are no sealed token.
    #[error("it is no sealed token that this version can read")]
    Malformed,
    /// The token is not sealed at all.
    #[error("it is not sealed: allow that with taking_unsealed() until all tokens are")]
    Unsealed,
}

impl Keyring {
    /// Seals and opens with `key`, [`KEY_LEN`] random bytes, which every sealed token names as
    /// `id`.
    ///
    /// # Errors
    ///
    /// [`SealError::KeyLength`], [`SealError::KeyId`].
    pub fn new(id: &str, key: &[u8]) -> Result<Self, SealError> {
        let empty = Self {
            writes: id.to_owned(),
            keys: BTreeMap::new(),
            takes_unsealed: false,
            random: SystemRandom::new(),
        };
        empty.with_key(id, key)
    }

    /// Opens, but does not seal, with `key` too.
    ///
    /// # Errors
    ///
    /// [`SealError::KeyLength`], [`SealError::KeyId`], [`SealError::TooManyKeys`].
    pub fn with_key(mut self, id: &str, key: &[u8]) -> Result<Self, SealError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_valid = (1..=MAX_KEY_ID_LEN).contains(&id.len()) && id.bytes().all(allowed);
        if !is_valid || self.keys.contains_key(id) {
            return Err(SealError::KeyId { id: id.to_owned() });
        }
        if self.keys.len() >= MAX_KEYS {
            return Err(SealError::TooManyKeys);
        }
        let unbound =
            UnboundKey::new(&CHACHA20_POLY1305, key).map_err(|_| SealError::KeyLength {
                id: id.to_owned(),
                len: key.len(),
            })?;
        self.keys.insert(id.to_owned(), LessSafeKey::new(unbound));
        Ok(self)
    }

    /// Takes tokens that are not sealed too, while a deployment moves over; each is sealed at its
    /// next refresh. Meanwhile whoever can write to the cache can replace tokens.
    #[must_use]
    pub fn taking_unsealed(mut self) -> Self {
        self.takes_unsealed = true;
        self
    }

    pub(super) fn check_unsealed_is_allowed(&self) -> Result<(), SealError> {
        match self.takes_unsealed {
            true => Ok(()),
            false => Err(SealError::Unsealed),
        }
    }

    /// `plain` under the key to write: marker, length of the key's id, id, nonce, ciphertext.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give; nothing safe can run then.
    pub(super) fn seal(&self, key: &TokenKey, plain: &[u8]) -> Vec<u8> {
        let id = self.writes.as_str();
        let mut nonce = [0; NONCE_LEN];
        let filled = self.random.fill(&mut nonce);
        filled.expect("the operating system gives randomness");
        let mut sealed = header(id, &nonce);
        let mut body = Zeroizing::new(plain.to_vec());
        let tag = self.keys[id]
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(binding(id, key)),
                &mut body,
            )
            .expect("a token is shorter than the cipher's limit of 256 GiB");
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// What was sealed for `key`.
    pub(super) fn open(
        &self,
        key: &TokenKey,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (id, nonce, body) = parts(sealed).ok_or(SealError::Malformed)?;
        let opener = self.keys.get(id).ok_or_else(|| self.unknown(id))?;
        let mut body = Zeroizing::new(body.to_vec());
        let binding = Aad::from(binding(id, key));
        let len = opener
            .open_in_place(Nonce::assume_unique_for_key(nonce), binding, &mut body)
            .map_err(|_| SealError::Refused {
                key: key.to_string(),
            })?
            .len();
        body.truncate(len);
        Ok(body)
    }

    fn unknown(&self, id: &str) -> SealError {
        let known: Vec<_> = self.keys.keys().map(String::as_str).collect();
        SealError::UnknownKey {
            id: id.to_owned(),
            known: known.join(", "),
        }
    }
}

fn header(id: &str, nonce: &[u8; NONCE_LEN]) -> Vec<u8> {
    let id_len = u8::try_from(id.len()).expect("an id is at most MAX_KEY_ID_LEN long");
    let mut header = vec![SEALED, id_len];
    header.extend_from_slice(id.as_bytes());
    header.extend_from_slice(nonce);
    header
}

/// The key's id, the nonce and the ciphertext.
fn parts(sealed: &[u8]) -> Option<(&str, [u8; NONCE_LEN], &[u8])> {
    let (marker, rest) = sealed.split_first()?;
    let (id_len, rest) = rest.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*id_len))?;
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let is_ours = *marker == SEALED && id.iter().all(allowed);
    is_ours.then_some((std::str::from_utf8(id).ok()?, *nonce, body))
}

/// What a ciphertext is bound to. No part can hold a NUL, so no two bindings read the same.
fn binding(id: &str, key: &TokenKey) -> Vec<u8> {
    [PURPOSE, id, key.channel.as_str(), key.account.as_str()]
        .join("\0")
        .into_bytes()
}

/// Ids only.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("writes", &self.writes)
            .field("reads", &self.keys.keys().collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn key(channel: &str, account: &str) -> TokenKey {
        TokenKey {
            channel: channel.parse().unwrap(),
            account: account.parse().unwrap(),
        }
    }

    fn ring() -> Keyring {
        Keyring::new("new", &[2; 32]).unwrap()
    }

    #[test]
    fn a_token_sealed_with_the_old_key_is_read_with_the_new_ring() {
        let mine = key("mastodon", "42");
        let sealed = Keyring::new("old", &[1; 32]).unwrap().seal(&mine, b"token");
        let rotated = ring().with_key("old", &[1; 32]).unwrap();
        assert_eq!(rotated.open(&mine, &sealed).unwrap().as_slice(), b"token");
        let sealed = rotated.seal(&mine, b"token");
        assert_eq!(ring().open(&mine, &sealed).unwrap().as_slice(), b"token");
    }

    #[test]
    fn a_missing_key_is_named() {
        let mine = key("mastodon", "42");
        let sealed = Keyring::new("old", &[1; 32]).unwrap().seal(&mine, b"token");
        assert_eq!(
            ring().open(&mine, &sealed).unwrap_err().to_string(),
            "it is sealed with key \"old\", which is not among this worker's keys (new): give it that key to read"
        );
    }

    #[test]
    fn a_token_moved_to_another_account_or_channel_is_refused() {
        let sealed = ring().seal(&key("mastodon", "42"), b"token");
        for other in [key("mastodon", "43"), key("github", "42")] {
            let error = ring().open(&other, &sealed).unwrap_err();
            let key = other.to_string();
            assert_eq!(error, SealError::Refused { key });
        }
    }

    #[test]
    fn keys_are_checked() {
        assert!(matches!(
            Keyring::new("a", &[0; 16]),
            Err(SealError::KeyLength { len: 16, .. })
        ));
        assert!(matches!(
            ring().with_key("new", &[1; 32]),
            Err(SealError::KeyId { .. })
        ));
        assert!(matches!(
            ring().with_key("a b", &[1; 32]),
            Err(SealError::KeyId { .. })
        ));
        let full = (1..MAX_KEYS).fold(ring(), |ring, n| {
            ring.with_key(&n.to_string(), &[1; 32]).unwrap()
        });
        assert!(matches!(
            full.with_key("more", &[1; 32]),
            Err(SealError::TooManyKeys)
        ));
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_and_unreadable(plain in vec(any::<u8>(), 16..200)) {
            let mine = key("mastodon", "42");
            let sealed = ring().seal(&mine, &plain);
            let opened = ring().open(&mine, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
            prop_assert!(!sealed.windows(plain.len()).any(|window| window == plain));
            prop_assert_ne!(ring().seal(&mine, &plain), sealed, "each has a nonce of its own");
        }

        #[test]
        fn one_altered_bit_anywhere_is_refused(at: proptest::sample::Index, bit in 0u8..8) {
            let mine = key("mastodon", "42");
            let mut sealed = ring().seal(&mine, b"a token of some length");
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert!(ring().open(&mine, &sealed).is_err());
        }

        #[test]
        fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..80)) {
            prop_assert!(ring().open(&key("mastodon", "42"), &bytes).is_err());
        }
    }
}
