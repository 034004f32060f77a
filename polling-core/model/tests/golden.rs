//! Messages as version 1 writes them, in files that never change: whoever changes the format must
//! still read them, since a rolling restart mixes versions, and messages wait in queues for days.
//!
//! A new version gets a folder of its own, beside these.
#![allow(clippy::unwrap_used)]

use polling_model::{
    Allowance, Completion, Context, EncodedContext, ErrorClass, Failure, Job, Nonce, Outcome,
    Token, wire,
};

fn token() -> Token {
    Token {
        incarnation: Nonce(0xa1),
        generation: 7,
        nonce: Nonce(0xffff_ffff_ffff_fffe),
    }
}

fn job() -> Job {
    Job {
        id: "posts:42".parse().unwrap(),
        channel: "mastodon".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        account: "42".parse().unwrap(),
        level: "gold".parse().unwrap(),
        token: token(),
        due_ms: 1_700_000_040_000,
        not_after_ms: 1_700_000_550_000,
        context: context(),
    }
}

fn context() -> Context {
    Context::from_iter([
        ("since_id", 109_876_543_210_987_654_i64.into()),
        ("name", "Zo\u{eb} \u{1f980} \u{ffff}".into()),
    ])
}

fn completion(outcome: Outcome<Context>) -> Completion<Context> {
    Completion {
        id: "posts:42".parse().unwrap(),
        job_type: "posts".parse().unwrap(),
        token: token(),
        outcome,
        allowances: vec![Allowance {
            limit: Some(300),
            remaining: Some(0),
            reset_at_ms: Some(1_700_000_300_000),
            window_ms: Some(300_000),
            ..Allowance::of("account:42".parse().unwrap())
        }],
        saturated: true,
        events: 20,
        created_ms: vec![],
        calls: 1,
        finished_ms: 1_700_000_041_000,
        sent_ms: None,
    }
}

fn failure() -> Failure {
    Failure {
        code: Some("429".parse().unwrap()),
        retry_after_ms: Some(60_000),
        ..Failure::new(ErrorClass::RateLimited, "the channel answered 429")
    }
}

fn completions() -> [(&'static str, Completion<Context>); 5] {
    let (context, failed) = (context(), Outcome::Failed { failure: failure() });
    let stopped = Some(failure());
    let ended = Outcome::Succeeded {
        context: context.clone(),
        stopped: None,
    };
    [
        (
            include_str!("golden/v1/completion-succeeded.json"),
            completion(ended.clone()),
        ),
        (
            include_str!("golden/v1/completion-counted.json"),
            Completion {
                created_ms: vec![1_699_999_000_000, 1_700_000_040_500, 1_700_000_041_000],
                calls: 3,
                ..completion(ended.clone())
            },
        ),
        (
            include_str!("golden/v1/completion-traced.json"),
            Completion {
                sent_ms: Some(1_700_000_040_200),
                ..completion(ended)
            },
        ),
        (
            include_str!("golden/v1/completion-stopped.json"),
            completion(Outcome::Succeeded { context, stopped }),
        ),
        (
            include_str!("golden/v1/completion-failed.json"),
            completion(failed),
        ),
    ]
}

const JOB: &str = include_str!("golden/v1/job.json");

#[test]
fn a_job_of_version_1_is_read() {
    assert_eq!(wire::decode_job::<Context>(JOB.as_bytes()).unwrap(), job());
}

#[test]
fn completions_of_version_1_are_read() {
    for (golden, meant) in completions() {
        let read: Completion<Context> = wire::decode_completion(golden.as_bytes()).unwrap();
        assert_eq!(read, meant);
        // As the scheduler reads them, without a look into the context.
        assert!(wire::decode_completion::<EncodedContext>(golden.as_bytes()).is_ok());
    }
}

#[test]
fn version_1_is_still_written_so() {
    assert_eq!(wire::encode_job(&job()).unwrap(), JOB.trim_end());
    for (golden, meant) in completions() {
        assert_eq!(wire::encode_completion(&meant).unwrap(), golden.trim_end());
    }
}

/// Puts a field that nobody knows at the head of every object but the outcome, whose one field
/// names it: a new kind of outcome needs a new version.
fn with_unknown_fields(golden: &str) -> String {
    let padded = golden.replace('{', "{\"unknown\":{\"of\":[1,\"x\"]},");
    padded.replace(
        "\"outcome\":{\"unknown\":{\"of\":[1,\"x\"]},",
        "\"outcome\":{",
    )
}

#[test]
fn fields_that_a_later_version_adds_anywhere_are_ignored() {
    let read: Job<EncodedContext> = wire::decode_job(with_unknown_fields(JOB).as_bytes()).unwrap();
    assert_eq!((read.id, read.token), (job().id, job().token));
    for (golden, meant) in completions() {
        let padded = with_unknown_fields(golden);
        let read: Completion<EncodedContext> = wire::decode_completion(padded.as_bytes()).unwrap();
        assert_eq!((read.id, read.token), (meant.id, meant.token));
        assert_eq!(read.outcome.failure(), meant.outcome.failure());
        assert_eq!(read.allowances, meant.allowances);
    }
}
