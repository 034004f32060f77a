//! Jobs and completions.

use std::{error::Error, fmt::Debug};

use polling_fuzz::{Taken, allocating_at_most};
use polling_model::{
    Completion, Context, EncodedContext, Job, JobId, Token,
    caps::{MAX_CONTEXT_SIZE_BYTES, MAX_MESSAGE_SIZE_BYTES},
    chain,
    wire::{self, WireError},
};

use crate::SECRET;

/// What an error costs.
const ERROR_SIZE_BYTES: usize = 4 * 1024;

/// What a byte of a message costs at most: an array of digits becomes a vector of values, which is
/// copied when it grows.
const COST_PER_BYTE: usize = 100;

pub(crate) fn job(bytes: &[u8]) -> Taken {
    let head = checked(bytes, wire::decode_head);
    let raw = checked(bytes, wire::decode_job::<EncodedContext>);
    let read = checked(bytes, wire::decode_job::<Context>);
    if let Ok(job) = &raw {
        check_head(&head, &job.id, job.token);
        check_context(&job.context);
        round_trip(job, wire::encode_job, wire::decode_job::<EncodedContext>);
        let context = &read
            .as_ref()
            .expect("what a scheduler takes, a worker takes")
            .context;
        assert_eq!(&job.context.decode().unwrap(), context);
    }
    if let Ok(job) = &read {
        round_trip(job, wire::encode_job, wire::decode_job::<Context>);
    }
    Taken::if_ok(&raw)
}

pub(crate) fn completion(bytes: &[u8]) -> Taken {
    let head = checked(bytes, wire::decode_head);
    let raw = checked(bytes, wire::decode_completion::<EncodedContext>);
    let read = checked(bytes, wire::decode_completion::<Context>);
    if let Ok(completion) = &raw {
        check_head(&head, &completion.id, completion.token);
        if let polling_model::Outcome::Succeeded { context, .. } = &completion.outcome {
            check_context(context);
            check_next_job(completion, context);
        }
        round_trip(
            completion,
            wire::encode_completion,
            wire::decode_completion::<EncodedContext>,
        );
        assert!(
            read.is_ok(),
            "what a scheduler takes, a worker takes: {read:?}"
        );
    }
    if let Ok(completion) = &read {
        round_trip(
            completion,
            wire::encode_completion,
            wire::decode_completion::<Context>,
        );
    }
    Taken::if_ok(&raw)
}

/// Decodes within bounds, and looks at the error.
fn checked<T: Debug>(
    bytes: &[u8],
    decode: impl FnOnce(&[u8]) -> Result<T, WireError>,
) -> Result<T, WireError> {
    let too_large = bytes.len() > MAX_MESSAGE_SIZE_BYTES;
    let cost = if too_large {
        0
    } else {
        bytes.len() * COST_PER_BYTE
    };
    let decoded = allocating_at_most(cost + ERROR_SIZE_BYTES, || decode(bytes));
    if let Err(error) = &decoded {
        let text = chain(error);
        assert!(
            !text.contains(SECRET) && !format!("{error:?}").contains(SECRET),
            "{text}"
        );
        assert!(
            text.len() < ERROR_SIZE_BYTES,
            "{} bytes of error",
            text.len()
        );
        assert_eq!(
            too_large,
            matches!(error, WireError::TooLarge { .. }),
            "{text}"
        );
        if let WireError::Malformed(_) = error {
            assert!(
                error
                    .source()
                    .is_some_and(|source| !source.to_string().is_empty())
            );
        }
    }
    assert!(!format!("{:?}", decoded.as_ref().err()).contains(SECRET));
    decoded
}

fn check_head(head: &Result<(JobId, Token), WireError>, id: &JobId, token: Token) {
    let (found, found_token) = head.as_ref().expect("what can be read has a head");
    assert_eq!((found, *found_token), (id, token));
}

/// A context that is taken can be read, sent and stored again.
fn check_context(context: &EncodedContext) {
    assert!(context.as_str().is_ascii() && context.size_bytes() <= MAX_CONTEXT_SIZE_BYTES);
    let decoded = context
        .decode()
        .expect("a context that was taken can be read");
    assert!(!format!("{context:?}").contains(SECRET));
    match decoded.encode() {
        Ok(again) => assert_eq!(again.decode().unwrap(), decoded),
        // Escapes such as 1E5 may be shorter than what is written for them.
        Err(error) => assert!(context.size_bytes() > MAX_CONTEXT_SIZE_BYTES / 4, "{error}"),
    }
}

/// The job that is sent next with this context can be sent, and read by a worker.
fn check_next_job(completion: &Completion<EncodedContext>, context: &EncodedContext) {
    let job = Job {
        id: completion.id.clone(),
        channel: "mastodon".parse().unwrap(),
        job_type: completion.job_type.clone(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: completion.token,
        due_ms: 0,
        not_after_ms: 1,
        context: context.clone(),
    };
    let sent = wire::encode_job(&job).expect("a context leaves room for the envelope");
    wire::decode_job::<Context>(sent.as_bytes()).expect("a worker reads it");
}

/// What every queue takes, and JSON may hold unescaped.
fn is_safe(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'\x7f')
}

fn round_trip<T: PartialEq + Debug>(
    message: &T,
    encode: impl Fn(&T) -> Result<String, WireError>,
    decode: impl Fn(&[u8]) -> Result<T, WireError>,
) {
    match encode(message) {
        Ok(text) => {
            assert!(text.bytes().all(is_safe), "a queue may refuse it");
            assert_eq!(&decode(text.as_bytes()).unwrap(), message);
            assert_eq!(encode(&decode(text.as_bytes()).unwrap()).unwrap(), text);
        }
        Err(error) => assert!(matches!(error, WireError::TooLarge { .. }), "{error}"),
    }
}
