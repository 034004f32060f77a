//! Lines of YAML.

/// A string takes whatever is written.
macro_rules! line {
    ($text:expr, $($written:tt)*) => {{
        use std::fmt::Write as _;
        let _ = writeln!($text, $($written)*);
    }};
}
pub(super) use line;

/// A string of YAML: what would end the line or the string cannot.
pub(super) fn string(text: &str) -> String {
    let text = text.replace('\'', "''");
    let visible = |char: char| match char.is_control() {
        true => ' ',
        false => char,
    };
    format!("'{}'", text.chars().map(visible).collect::<String>())
}
