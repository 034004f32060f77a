//! The encoding of jobs and completions on queues.
//!
//! JSON with a version, `{"v":1,"id":"posts:42","type":"posts",…}`, in ASCII only: some queues
//! refuse some characters of Unicode, and a message that cannot be sent again is a lost job, so
//! all but ASCII is escaped. Sizes are checked before a message is parsed and before it is sent.
//!
//! Fields that a reader does not know are ignored. A version that it does not know is an error of
//! its own, [`WireError::UnknownVersion`], so that the message can be left for a newer reader.

use std::{io, str};

use serde::{
    Deserialize, Serialize,
    de::{self, DeserializeOwned},
};
use serde_json::ser::{CharEscape, Formatter};

use crate::{Completion, Job, JobId, Token, caps::MAX_MESSAGE_SIZE_BYTES};

/// The version that this crate writes and reads.
pub const VERSION: u32 = 1;

/// Why a message cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The message is larger than a queue takes.
    #[error("message has {size_bytes} bytes: at most {MAX_MESSAGE_SIZE_BYTES} are allowed")]
    TooLarge {
        /// The size found, in bytes.
        size_bytes: usize,
    },
    /// The message is of another version; a newer reader may know it.
    #[error("message has version {found}: this reader knows {VERSION}")]
    UnknownVersion {
        /// The version found.
        found: u32,
    },
    /// The message is not of this format at all.
    #[error("message is not a valid version {VERSION} message")]
    Malformed(#[source] serde_json::Error),
}

/// Writes a job for a work queue.
///
/// # Errors
///
/// [`WireError::TooLarge`].
pub fn encode_job<C: Serialize>(job: &Job<C>) -> Result<String, WireError> {
    encode(job)
}

/// Reads a job from a work queue.
///
/// # Errors
///
/// [`WireError`]; the message must then be left where it is.
pub fn decode_job<C: DeserializeOwned>(body: &[u8]) -> Result<Job<C>, WireError> {
    decode(body)
}

/// Writes a completion for the completed queue.
///
/// # Errors
///
/// [`WireError::TooLarge`].
pub fn encode_completion<C: Serialize>(completion: &Completion<C>) -> Result<String, WireError> {
    encode(completion)
}

/// Reads a completion from the completed queue, [clamped](Completion::clamped).
///
/// # Errors
///
/// [`WireError`]; the message must then be left where it is.
pub fn decode_completion<C: DeserializeOwned>(body: &[u8]) -> Result<Completion<C>, WireError> {
    decode(body).map(Completion::clamped)
}

/// Which job and which dispatch a message of any version is about; every version has both.
///
/// # Errors
///
/// [`WireError`] when it is too large, or tells neither.
pub fn decode_head(body: &[u8]) -> Result<(JobId, Token), WireError> {
    check_size(body)?;
    let head: Head = serde_json::from_slice(body).map_err(malformed)?;
    Ok((head.id, head.token))
}

/// Any value as JSON in ASCII: every other character is escaped.
pub fn to_ascii_json<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    let mut out = Vec::with_capacity(USUAL_SIZE_BYTES);
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Ascii))?;
    Ok(ascii(out))
}

fn ascii(written: Vec<u8>) -> String {
    String::from_utf8(written).expect("the formatter writes ASCII")
}

fn encode<T: Serialize>(message: &T) -> Result<String, WireError> {
    let mut text = Vec::with_capacity(USUAL_SIZE_BYTES);
    text.extend_from_slice(OWN_HEAD.as_bytes());
    // The version goes in front of the message's own fields; both are objects and never empty: the
    // brace that opens the message becomes the comma after the version.
    let comma = text.len() - 1;
    text.truncate(comma);
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, Ascii);
    message
        .serialize(&mut serializer)
        .map_err(WireError::Malformed)?;
    text[comma] = b',';
    let text = ascii(text);
    if text.len() > MAX_MESSAGE_SIZE_BYTES {
        return Err(WireError::TooLarge {
            size_bytes: text.len(),
        });
    }
    Ok(text)
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, WireError> {
    check_size(body)?;
    // Checked once: the texts in it are many and short.
    let text = str::from_utf8(body).map_err(|error| malformed(de::Error::custom(error)))?;
    // What this crate wrote shows its version at once; anything else is asked for it.
    if !text.starts_with(OWN_HEAD) {
        let version: Version = serde_json::from_str(text).map_err(malformed)?;
        if version.v != VERSION {
            return Err(WireError::UnknownVersion { found: version.v });
        }
    }
    serde_json::from_str(text).map_err(malformed)
}

/// Without the texts that the message holds: a token, or a secret of a context, may stand where
/// something else should.
fn malformed(error: serde_json::Error) -> WireError {
    let said = error.to_string();
    // serde's words: invalid type: string "…", expected …; unknown variant `…`, expected ….
    let quoted = [
        ("string \"", "\", expected "),
        ("variant `", "`, expected "),
    ];
    for (before, after) in quoted {
        if let Some((start, rest)) = said.split_once(before)
            && let Some((_, end)) = rest.rsplit_once(after)
        {
            let hidden = format!("{start}{before}…{after}{end}");
            return WireError::Malformed(de::Error::custom(hidden));
        }
    }
    WireError::Malformed(error)
}

/// What most messages have room in, so that they are written without growing.
const USUAL_SIZE_BYTES: usize = 1024;

/// How a message of this crate begins.
const OWN_HEAD: &str = "{\"v\":1,";

fn check_size(body: &[u8]) -> Result<(), WireError> {
    if body.len() > MAX_MESSAGE_SIZE_BYTES {
        return Err(WireError::TooLarge {
            size_bytes: body.len(),
        });
    }
    Ok(())
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

#[derive(Deserialize)]
struct Head {
    id: JobId,
    token: Token,
}

/// Escapes all that is not ASCII, and DEL, as UTF-16 code units.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Looks at all of them: without a way out it goes many bytes at a time.
        if fragment
            .bytes()
            .fold(true, |plain, byte| plain & (byte < 0x7f))
        {
            return out.write_all(fragment.as_bytes());
        }
        let mut plain = 0;
        for (at, c) in fragment
            .char_indices()
            .filter(|(_, c)| !c.is_ascii() || *c == '\x7f')
        {
            out.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        out.write_all(&fragment.as_bytes()[plain..])
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        serde_json::ser::CompactFormatter.write_char_escape(out, escape)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Allowance, Context, EncodedContext, ErrorClass, Failure, Nonce, Outcome, ScopeKey, Token,
    };

    fn job(context: Context) -> Job {
        Job {
            id: "posts:42".parse().unwrap(),
            channel: "mastodon".parse().unwrap(),
            job_type: "posts".parse().unwrap(),
            account: "42".parse().unwrap(),
            level: "gold".parse().unwrap(),
            token: Token {
                incarnation: Nonce(1),
                generation: 2,
                nonce: Nonce(3),
            },
            due_ms: 60_000,
            not_after_ms: 180_000,
            context,
        }
    }

    fn completion<C>(outcome: Outcome<C>) -> Completion<C> {
        let Job {
            id,
            job_type,
            token,
            ..
        } = job(Context::new());
        let allowances = vec![Allowance::of(ScopeKey::new("app").unwrap())];
        Completion {
            id,
            job_type,
            token,
            outcome,
            allowances,
            saturated: true,
            events: 3,
            created_ms: vec![4, 6],
            calls: 2,
            finished_ms: 7,
            sent_ms: None,
        }
    }

    proptest! {
        #[test]
        fn any_context_survives_in_ascii(entries: Vec<(String, String)>) {
            let context: Context = entries.into_iter().map(|(key, value)| (key, value.into())).collect();
            let text = encode_job(&job(context.clone())).unwrap();
            prop_assert!(text.is_ascii() && !text.contains('\x7f'));
            prop_assert_eq!(decode_job::<Context>(text.as_bytes()).unwrap().context, context);
        }

        #[test]
        fn creation_times_survive_the_wire_once_clamped(
            created_ms: Vec<i64>, ages_ms in prop::collection::vec(0..9_000_000_000i64, 0..150),
            finished_ms: i64, calls: u32,
        ) {
            let near = ages_ms.iter().map(|age_ms| finished_ms.saturating_sub(*age_ms));
            let sane = Completion {
                created_ms: created_ms.into_iter().chain(near).collect(),
                calls,
                finished_ms,
                ..completion(Outcome::Failed { failure: Failure::new(ErrorClass::Gone, "") })
            }
            .clamped();
            prop_assert!(sane.created_ms.is_sorted() && sane.created_ms.len() <= crate::caps::MAX_CREATED);
            let oldest = finished_ms.saturating_sub(crate::caps::MAX_CREATED_AGE_MS);
            prop_assert!(sane.created_ms.iter().all(|at_ms| (oldest..=finished_ms).contains(at_ms)));
            let text = encode_completion::<Context>(&sane).unwrap();
            prop_assert_eq!(decode_completion(text.as_bytes()).unwrap(), sane);
        }

        #[test]
        fn no_bytes_make_a_decoder_panic(body: Vec<u8>) {
            let _ = decode_job::<Context>(&body).is_ok();
            prop_assert!(decode_completion::<EncodedContext>(&body).is_err());
        }
    }

    #[test]
    fn the_context_passes_through_the_scheduler_byte_for_byte() {
        let text = encode_completion(&completion(Outcome::Succeeded {
            context: Context::from_iter([("b", 1.5.into()), ("a", "é".into())]),
            stopped: Some(Failure::new(ErrorClass::RateLimited, "page 4")),
        }))
        .unwrap();
        let seen: Completion<EncodedContext> = decode_completion(text.as_bytes()).unwrap();
        let Outcome::Succeeded { context, .. } = &seen.outcome else {
            panic!("{seen:?}")
        };
        assert_eq!(context.as_str(), "{\"a\":\"\\u00e9\",\"b\":1.5}");
        assert_eq!(encode_completion(&seen).unwrap(), text);
    }

    /// A completion that says so about its items and calls.
    fn counted(created_ms: &str, finished_ms: i64, calls: &str) -> Completion<EncodedContext> {
        let text = format!(
            r#"{{"v":1,"id":"posts:42","type":"posts","token":"00000000000000a1.7.00000000000000b2",
            "outcome":{{"succeeded":{{"context":{{}}}}}}{created_ms}{calls},"finished_ms":{finished_ms}}}"#
        );
        decode_completion(text.as_bytes()).unwrap()
    }

    #[test]
    fn creation_times_and_calls_are_told_from_the_newest_back_and_may_be_absent() {
        let silent = counted("", 5_000, "");
        assert_eq!((silent.created_ms, silent.calls), (vec![], 1));
        let told = counted(
            r#","created_ms":[4000,1000,0,2000]"#,
            5_000,
            r#","calls":0"#,
        );
        assert_eq!(told.created_ms, [1_000, 3_000, 3_000, 4_000]);
        assert_eq!(told.calls, 0);
        let text = encode_completion(&told).unwrap();
        assert!(
            text.contains(r#""created_ms":[4000,1000,0,2000],"calls":0,"#),
            "{text}"
        );
        let text = encode_completion(&counted("", 5_000, "")).unwrap();
        assert!(
            !text.contains("created_ms") && !text.contains("calls"),
            "{text}"
        );
    }

    #[test]
    fn absurd_creation_times_and_calls_are_mended() {
        let year_ms = crate::caps::MAX_CREATED_AGE_MS;
        // Later than its poll, then a newer one behind an older one, then one of before all time.
        let wild = counted(
            &format!(r#","created_ms":[{0},{0},-7,{0}]"#, i64::MAX),
            9,
            r#","calls":4294967295"#,
        );
        assert_eq!(wild.created_ms, [9 - year_ms, 0, 7, 9]);
        assert_eq!(wild.calls, crate::caps::MAX_CALLS);
        let many = format!(r#","created_ms":[1000{}]"#, ",1".repeat(500));
        let many = counted(&many, 2_000, "").created_ms;
        assert_eq!(
            many,
            (901..=1_000).collect::<Vec<i64>>(),
            "the newest are kept"
        );
    }

    #[test]
    fn fields_of_a_newer_writer_are_ignored() {
        let text = encode_job(&job(Context::new())).unwrap().replacen(
            "{\"v\":1,",
            "{\"v\":1,\"trace\":[{}],",
            1,
        );
        assert_eq!(
            decode_job::<Context>(text.as_bytes()).unwrap(),
            job(Context::new())
        );
    }

    #[test]
    fn another_spelling_of_the_same_version_is_read() {
        let text = encode_job(&job(Context::new())).unwrap();
        assert!(text.starts_with(&format!("{{\"v\":{VERSION},")));
        let spaced = text.replacen("{\"v\":1,", "{ \"v\" : 1 ,", 1);
        assert_eq!(
            decode_job::<Context>(spaced.as_bytes()).unwrap(),
            job(Context::new())
        );
    }

    #[test]
    fn an_unknown_version_is_told_from_garbage() {
        let newer = encode_job(&job(Context::new()))
            .unwrap()
            .replacen("\"v\":1", "\"v\":2", 1);
        assert!(matches!(
            decode_job::<Context>(newer.as_bytes()),
            Err(WireError::UnknownVersion { found: 2 })
        ));
        let (id, token) = decode_head(newer.as_bytes()).unwrap();
        assert_eq!((id.as_str(), token.generation), ("posts:42", 2));
        assert!(matches!(
            decode_job::<Context>(b"\xff"),
            Err(WireError::Malformed(_))
        ));
    }

    #[test]
    fn an_error_tells_the_field_and_hides_what_stood_there() {
        let text = encode_job(&job(Context::new())).unwrap();
        let wrong = text.replace("60000", "\"hunter2\\\", expected nothing\"");
        let error = decode_job::<Context>(wrong.as_bytes()).unwrap_err();
        assert_eq!(
            crate::chain(&error),
            "message is not a valid version 1 message: invalid type: string \"…\", expected i64 at line 1 column 173"
        );
        let wrong = text.replace("{}", "\"hunter2\"");
        let error = decode_job::<Context>(wrong.as_bytes()).unwrap_err();
        assert!(
            crate::chain(&error).contains("expected a context"),
            "{error:?}"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn size_is_checked_before_parsing_and_before_sending() {
        let bomb = vec![b'['; MAX_MESSAGE_SIZE_BYTES + 1];
        assert!(matches!(
            decode_job::<Context>(&bomb),
            Err(WireError::TooLarge {
                size_bytes: 262_145
            })
        ));
        let context = Context::from_iter([("x", "a".repeat(MAX_MESSAGE_SIZE_BYTES).into())]);
        assert!(matches!(
            encode_job(&job(context)),
            Err(WireError::TooLarge { .. })
        ));
    }

    #[test]
    fn a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        let room = MAX_MESSAGE_SIZE_BYTES - encode_job(&job(Context::new())).unwrap().len();
        let filled = |len: usize| Context::from_iter([("x", "a".repeat(len).into())]);
        let len = room - "\"x\":\"\"".len();
        let text = encode_job(&job(filled(len))).unwrap();
        assert_eq!(text.len(), MAX_MESSAGE_SIZE_BYTES);
        assert!(decode_job::<Context>(text.as_bytes()).is_ok());
        assert!(matches!(
            encode_job(&job(filled(len + 1))),
            Err(WireError::TooLarge {
                size_bytes: 262_145
            })
        ));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(200);
        let body = format!("{{\"v\":1,\"context\":{{\"x\":{deep}");
        assert!(matches!(
            decode_job::<Context>(body.as_bytes()),
            Err(WireError::Malformed(_))
        ));
    }

    #[test]
    fn the_largest_context_and_report_still_fit_a_message() {
        let filler = "a".repeat(crate::caps::MAX_CONTEXT_SIZE_BYTES - "{\"x\":\"\"}".len());
        let context = Context::from_iter([("x", filler.into())]).encode().unwrap();
        let worst = "\u{1f980}".repeat(crate::caps::MAX_ERROR_MESSAGE_SIZE_BYTES);
        let scope = ScopeKey::new("s".repeat(crate::caps::MAX_SCOPE_LEN)).unwrap();
        let full = Allowance {
            limit: Some(u64::MAX),
            remaining: Some(u64::MAX),
            reset_at_ms: Some(i64::MAX),
            window_ms: Some(i64::MAX),
            ..Allowance::of(scope)
        };
        let stopped = Some(Failure::new(ErrorClass::Invalid, &worst));
        let mut completion = completion(Outcome::Succeeded { context, stopped });
        completion.allowances = vec![full; crate::caps::MAX_ALLOWANCES];
        // More than travel, far apart, and in no order.
        completion.created_ms = [i64::MIN, i64::MAX].repeat(crate::caps::MAX_CREATED);
        completion.calls = u32::MAX;
        completion.finished_ms = i64::MIN;
        completion.id = JobId::new("i".repeat(crate::caps::MAX_JOB_ID_LEN)).unwrap();
        completion.events = u64::MAX;
        completion.job_type = "t".repeat(crate::caps::MAX_LABEL_LEN).parse().unwrap();
        completion.token.generation = u64::MAX;
        let text = encode_completion(&completion).unwrap();
        let read: Completion<EncodedContext> = decode_completion(text.as_bytes()).unwrap();
        assert_eq!(read.created_ms, vec![i64::MIN; crate::caps::MAX_CREATED]);
        assert_eq!(read.calls, crate::caps::MAX_CALLS);
        // The context is far larger than the rest may be.
        let envelope = text.len() - crate::caps::MAX_CONTEXT_SIZE_BYTES;
        assert!(
            envelope < crate::caps::MAX_ENVELOPE_SIZE_BYTES * 3 / 4,
            "{envelope}"
        );
    }
}
