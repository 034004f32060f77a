//! The nearest of the names that would have been right.

/// Names less alike than this are no suggestion; 1 is equal.
const LEAST_ALIKE: f64 = 0.75;

/// The known name most like `unknown`, if any is alike.
pub(crate) fn nearest<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(alike, _)| *alike >= LEAST_ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
