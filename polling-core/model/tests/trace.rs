//! The trace that a token names.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use polling_model::{
    JobId, Nonce, Token,
    trace::{Ending, SpanId, TraceContext, TraceId, TraceRatio, TraceparentError},
};
use proptest::prelude::*;

fn token() -> impl Strategy<Value = Token> {
    any::<(u64, u64, u64)>().prop_map(|(incarnation, generation, nonce)| Token {
        incarnation: Nonce(incarnation),
        generation,
        nonce: Nonce(nonce),
    })
}

fn job(id: &str) -> JobId {
    id.parse().unwrap()
}

fn context() -> impl Strategy<Value = TraceContext> {
    any::<([u8; 16], [u8; 8], bool)>().prop_filter_map("zero is no id", |(trace, span, sampled)| {
        Some(TraceContext::new(
            TraceId::new(trace)?,
            SpanId::new(span)?,
            sampled,
        ))
    })
}

proptest! {
    #[test]
    fn another_token_or_another_job_is_another_trace(one in token(), other in token()) {
        let trace = |id, token| TraceContext::of(&job(id), token);
        prop_assert_eq!(trace("posts:42", &one), trace("posts:42", &one));
        prop_assert_ne!(trace("posts:42", &one).trace_id(), trace("posts:43", &one).trace_id());
        prop_assert_eq!(one == other, trace("posts:42", &one) == trace("posts:42", &other));
    }

    #[test]
    fn a_context_survives_its_text(context in context()) {
        let text = context.to_traceparent();
        prop_assert_eq!(TraceContext::from_traceparent(&text), Ok(context));
        let ids = (context.trace_id().to_string(), context.span_id().to_string());
        prop_assert_eq!(ids.0.parse(), Ok(context.trace_id()));
        prop_assert_eq!(ids.1.parse(), Ok(context.span_id()));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text: String) {
        let _ = TraceContext::from_traceparent(&text);
    }

    #[test]
    fn a_higher_ratio_keeps_all_that_a_lower_one_does(
        context in context(), low in 0.0..=1.0, more in 0.0..=1.0,
    ) {
        let ratio = |ratio| TraceRatio::new(ratio).unwrap();
        let high: f64 = low + (1.0 - low) * more;
        let trace_id = context.trace_id();
        prop_assert!(!ratio(low).keeps(trace_id) || ratio(high.min(1.0)).keeps(trace_id));
        prop_assert!(ratio(1.0).keeps(trace_id) && !ratio(0.0).keeps(trace_id));
    }
}

/// These are in tracing services, and in the messages under way between versions.
#[test]
fn the_trace_of_a_token_never_changes() {
    let token = Token::from_wire("00000000000000a1.7.00000000000000b2").unwrap();
    let trace = TraceContext::of(&job("posts:42"), &token);
    let text = trace.with_sampled(true).to_traceparent();
    // The first 16 and 8 bytes of what `sha256sum` says.
    assert_eq!(
        text.as_str(),
        "00-3f26446124436a339cb21e0a48131e81-3f26446124436a33-03"
    );
}

#[test]
fn a_trace_id_has_no_part_of_its_token() {
    let token = Token::from_wire("0123456789abcdef.7.fedcba9876543210").unwrap();
    let text = TraceContext::of(&job("posts:42"), &token)
        .to_traceparent()
        .to_string();
    let secret = ["0123456789abcdef", "fedcba9876543210"];
    for at in 0..=12 {
        assert!(secret.iter().all(|part| !text.contains(&part[at..at + 4])));
    }
}

#[test]
fn a_ratio_keeps_about_that_many() {
    let ratio = TraceRatio::new(0.01).unwrap();
    let kept = (0..20_000).filter(|generation| {
        let token = Token {
            incarnation: Nonce(1),
            generation: *generation,
            nonce: Nonce(2),
        };
        ratio.keeps(TraceContext::of(&job("posts:42"), &token).trace_id())
    });
    // 200 expected, a standard deviation of 14.
    let kept = kept.count();
    assert!((140..=260).contains(&kept), "{kept} of 20000");
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(TraceRatio::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_text_of_other_tools_is_read_and_nonsense_is_not() {
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let read = |text: &str| TraceContext::from_traceparent(text);
    assert!(read(good).unwrap().is_sampled());
    assert!(!read(&good.replace("-01", "-02")).unwrap().is_sampled());
    assert_eq!(read(&good.replacen("00", "cc", 1)), read(good));
    assert_eq!(read(&format!("cc{}-more", &good[2..])), read(good));
    let zeros = |digits: usize| "0".repeat(digits);
    for bad in [
        "",
        &good[1..],
        &format!("{good}-more"),
        &good.to_uppercase(),
        &good.replacen("00", "ff", 1),
        &good.replace('-', "_"),
        &good.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zeros(32)),
        &good.replace("00f067aa0ba902b7", &zeros(16)),
        &format!("00-é{}", &good[5..]),
    ] {
        assert_eq!(read(bad), Err(TraceparentError), "{bad}");
    }
}

#[test]
fn every_ending_has_a_name_of_its_own() {
    let names: BTreeSet<_> = Ending::ALL.iter().map(|ending| ending.as_str()).collect();
    assert_eq!(names.len(), Ending::ALL.len());
    for ending in Ending::ALL {
        assert_eq!(Ending::from_name(ending.as_str()), Some(ending));
    }
    assert_eq!(Ending::from_name("other"), None);
}
