//! Samples as lines of Graphite's plaintext protocol.

use std::fmt::Write as _;

use crate::metrics::samples;

/// A line for each sample of a scrape whose value is a number.
pub(super) fn lines(text: &str, prefix: &str, at_s: i64) -> String {
    let mut lines = String::with_capacity(text.len());
    for sample in samples(text).filter(|sample| sample.value.is_finite()) {
        lines.push_str(prefix);
        if !prefix.is_empty() {
            lines.push('.');
        }
        lines.push_str(sample.name);
        for (label, value) in &sample.labels {
            // Without a value there would be two dots in a row: an empty folder.
            let value = if value.is_empty() { "none" } else { value };
            let _ = write!(lines, ".{label}.{}", cleaned(value));
        }
        let _ = writeln!(lines, " {} {at_s}", sample.value);
    }
    lines
}

/// A part of a path: a dot would begin the next, a space the value, and a slash a folder.
pub(crate) fn cleaned(part: &str) -> String {
    let clean = |char: char| match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => char,
        '+' => 'p',
        _ => '_',
    };
    part.chars().map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_parts_of_the_path() {
        let text = "# HELP a A.\n# TYPE a counter\na_total{queue=\"jobs.fifo \\\"x\\\"\",call=\"send\"} 3\n\
                    b_bucket{le=\"0.5\"} 1\nb_bucket{le=\"+Inf\"} 2\nc 1.5\nd NaN\ne{f=\"\"} 1\n# EOF\n";
        assert_eq!(
            lines(text, "polling.host", 7),
            "polling.host.a_total.queue.jobs_fifo__x_.call.send 3 7\n\
             polling.host.b_bucket.le.0_5 1 7\n\
             polling.host.b_bucket.le.pInf 2 7\n\
             polling.host.c 1.5 7\n\
             polling.host.e.f.none 1 7\n"
        );
        assert_eq!(lines("c 1\n", "", 7), "c 1 7\n");
    }
}
