//! An error with everything that caused it. No error of the SDK prints its source, so whoever logs
//! one asks for the chain.

use std::error::Error;

/// The error's words and those of its causes, from the outside in: `a: b: c`. Causes that only
/// repeat what was said are left out.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{words}")]
    struct Said {
        words: &'static str,
        source: Option<Box<Said>>,
    }

    fn said(words: &'static str, source: Option<Said>) -> Said {
        let source = source.map(Box::new);
        Said { words, source }
    }

    #[test]
    fn every_cause_is_told_and_none_twice() {
        let refused = || said("connection refused", None);
        let plain = said("receive failed", Some(said("no answer", Some(refused()))));
        assert_eq!(
            chain(&plain),
            "receive failed: no answer: connection refused"
        );
        let repeating = said("connect: connection refused", Some(refused()));
        assert_eq!(chain(&repeating), "connect: connection refused");
    }
}
