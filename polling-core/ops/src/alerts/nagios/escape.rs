//! How a text gets through Nagios unchanged.
//!
//! On its way from a file to a program, Nagios 4 takes a text apart four times: at a `;` begins a comment unless a `\`
//! stands before it; at a `!` the next argument, unless a `\` stands before it; any other `\` stays. `$` begins a macro, and
//! two are one; then a shell reads the command.

/// An argument of a check command, for a place within single quotes of the shell.
pub(super) fn argument(text: &str) -> String {
    value(&arguments(&macros(&shell(text))))
}

/// Text for the line of a command, which has no arguments to be taken apart.
pub(super) fn command(text: &str) -> String {
    value(&macros(&shell(text)))
}

/// The value of a directive: one line.
pub(super) fn value(text: &str) -> String {
    let visible = |char: char| match char.is_control() {
        true => ' ',
        false => char,
    };
    let text: String = text.chars().map(visible).collect();
    text.replace(';', "\\;")
}

/// A name of a host or a service: without the characters that Nagios takes for none.
pub(super) fn name(text: &str) -> String {
    let allowed = |char: char| match char {
        '`' | '~' | '!' | '$' | '%' | '^' | '&' | '*' | '|' | '\'' | '"' | '<' | '>' | '?'
        | ',' | '(' | ')' | '=' | ';' | '\\' => '_',
        char if char.is_control() => '_',
        char => char,
    };
    text.chars().map(allowed).collect()
}

/// Within single quotes: a quote ends them, stands for itself, and begins them again.
fn shell(text: &str) -> String {
    text.replace('\'', "'\\''")
}

fn macros(text: &str) -> String {
    text.replace('$', "$$")
}

fn arguments(text: &str) -> String {
    text.replace('!', "\\!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_to_nagios_is_escaped() {
        assert_eq!(argument("a!=b"), "a\\!=b");
        assert_eq!(argument("a;b"), "a\\;b");
        assert_eq!(argument("a\\.b$"), "a\\.b$$");
        assert_eq!(argument("it's"), "it'\\''s");
        assert_eq!(command("it's;$1"), "it'\\''s\\;$$1");
        assert_eq!(name("a;b!c$d"), "a_b_c_d");
        assert_eq!(value("two\nlines"), "two lines");
    }
}
