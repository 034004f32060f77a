//! An error with everything that caused it.

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
