//! "Did you mean …?": the nearest of the names that would have been right.

/// Names less alike than this are no suggestion; 1 is equal.
const LEAST_ALIKE: f64 = 0.75;

/// The known name most like `unknown`, if any is alike.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .filter(|(alike, _)| *alike >= LEAST_ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What to say about a name that is none of the known: `unknown key "lisen": did you mean
/// "listen"? Known are listen, token`.
#[must_use]
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let hint = match nearest(name, known.iter().copied()) {
        Some(nearest) => format!(": did you mean {nearest:?}?"),
        None => ":".to_owned(),
    };
    match known {
        [] => format!("unknown {what} {name:?}: there are none"),
        known => {
            let mut known = known.to_vec();
            known.sort_unstable();
            let known_are = if hint == ":" {
                "known are"
            } else {
                "Known are"
            };
            format!(
                "unknown {what} {name:?}{hint} {known_are} {}",
                known.join(", ")
            )
        }
    }
}

/// Serde's words about a key or a variant that it does not know.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownName<'a> {
    /// `key` or `value`.
    pub what: &'static str,
    /// What was found.
    pub name: &'a str,
    /// What is known.
    pub known: Vec<&'a str>,
}

impl<'a> UnknownName<'a> {
    /// Reads ``unknown field `x`, expected one of `a`, `b` ``; `None` for any other message.
    #[must_use]
    pub fn read(message: &'a str) -> Option<Self> {
        let what = if message.starts_with("unknown field `") {
            "key"
        } else if message.starts_with("unknown variant `") {
            "value"
        } else {
            return None;
        };
        let mut quoted = message.split('`').skip(1).step_by(2);
        let name = quoted.next()?;
        Some(Self {
            what,
            name,
            known: quoted.collect(),
        })
    }
}

/// Serde's message, made clearer where it is about a name that serde does not know.
#[must_use]
pub fn explain(message: &str) -> String {
    match UnknownName::read(message) {
        Some(found) => unknown(found.what, found.name, &found.known),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let said = "unknown field `setlers`, expected one of `settlers`, `tick`";
        assert_eq!(
            explain(said),
            "unknown key \"setlers\": did you mean \"settlers\"? Known are settlers, tick"
        );
    }

    #[test]
    fn without_a_near_name_the_known_ones_are_told() {
        let said = "unknown variant `xyzzy`, expected `memory`";
        assert_eq!(explain(said), "unknown value \"xyzzy\": known are memory");
        assert_eq!(
            unknown("channel", "x", &[]),
            "unknown channel \"x\": there are none"
        );
    }

    #[test]
    fn other_messages_stay_as_they_are() {
        assert_eq!(
            explain("missing field `interval`"),
            "missing field `interval`"
        );
    }
}
