//! The text of a configuration file with the environment's overrides, and where each value came
//! from.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::problem::{ConfigError, Origin, Problem};
use scheduler_web::suggest::{self, UnknownName};

/// Variables that begin with this override the file; further double underscores go deeper:
/// `POLLING__ADMIN__LISTEN` is `admin.listen`.
pub const ENVIRONMENT_PREFIX: &str = "POLLING__";

/// More tables within each other than any setting has. Deeper ones could overflow the stack of
/// whoever walks through them.
const MAX_DEPTH: usize = 16;

/// A configuration before its types are known.
pub(super) struct Document<'a> {
    name: &'a str,
    text: &'a str,
    table: Table,
    /// By the path that each variable sets.
    overrides: BTreeMap<Vec<String>, Override>,
}

struct Override {
    variable: String,
    text: String,
}

impl<'a> Document<'a> {
    /// Reads the text. `name` is that of its file.
    pub(super) fn parse(name: &'a str, text: &'a str) -> Result<Self, ConfigError> {
        let table = text.parse::<Table>().map_err(|error| {
            let line = error.span().map_or(0, |span| line_at(text, span.start));
            let origin = Origin::File {
                name: name.to_owned(),
                line,
            };
            let what = format!("this is not TOML: {}", error.message());
            ConfigError {
                problems: vec![Problem {
                    origin,
                    path: String::new(),
                    what,
                }],
            }
        })?;
        Ok(Self {
            name,
            text,
            table,
            overrides: BTreeMap::new(),
        })
    }

    /// Sets what a variable of the environment names, if it has the prefix.
    pub(super) fn set(&mut self, variable: &str, text: &str) -> Result<(), ConfigError> {
        let Some(names) = variable.strip_prefix(ENVIRONMENT_PREFIX) else {
            return Ok(());
        };
        if names.matches("__").count() >= MAX_DEPTH {
            return Err(too_deep(variable));
        }
        let mut path = Vec::new();
        let mut table = &mut self.table;
        let mut names = names.split("__").peekable();
        while let Some(name) = names.next() {
            let key = key_named(table, name);
            path.push(key.clone());
            if names.peek().is_none() {
                // The type is not known yet; `read` converts the text where it must.
                table.insert(key, Value::String(text.to_owned()));
                break;
            }
            let inner = table
                .entry(key)
                .or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = inner else {
                return Err(not_a_table(variable, &path));
            };
            table = inner;
        }
        let set = Override {
            variable: variable.to_owned(),
            text: text.to_owned(),
        };
        self.overrides.insert(path, set);
        Ok(())
    }

    /// Reads the whole as a `T`.
    pub(super) fn read<T: DeserializeOwned>(&mut self) -> Result<T, ConfigError> {
        // Each turn converts one override or ends.
        for _ in 0..=self.overrides.len() {
            let error = match serde_path_to_error::deserialize(Value::Table(self.table.clone())) {
                Ok(typed) => return Ok(typed),
                Err(error) => error,
            };
            let path = segments(error.path());
            if !self.convert(&path) {
                return Err(self.refused(path, error.into_inner().message()));
            }
        }
        unreachable!("a converted override is not converted again")
    }

    /// Makes the text of an override, which was refused as text, the number, boolean or array that
    /// it reads as. Whether it did.
    fn convert(&mut self, path: &[String]) -> bool {
        let Some(set) = self.overrides.get(path) else {
            return false;
        };
        let Ok(parsed) = format!("x = {}", set.text).parse::<Table>() else {
            return false;
        };
        let converted = parsed.into_iter().next().map(|(_, value)| value);
        let current = value_at(&mut self.table, path);
        match (current, converted) {
            (Some(current @ Value::String(_)), Some(converted)) if !converted.is_str() => {
                *current = converted;
                true
            }
            _ => false,
        }
    }

    fn refused(&self, mut path: Vec<String>, message: &str) -> ConfigError {
        if let Some(unknown) = UnknownName::read(message)
            && unknown.what == "key"
        {
            // The key itself is told by the message; its place is where it was written.
            if path.last().map(String::as_str) != Some(unknown.name) {
                path.push(unknown.name.to_owned());
            }
            let problem = Problem {
                origin: self.origin(&path),
                path: path[..path.len() - 1].join("."),
                what: suggest::explain(message),
            };
            return ConfigError {
                problems: vec![problem],
            };
        }
        let what = if may_hold_secret(&path) && shows_text(message) {
            "a text cannot stand here; it is not shown, since secrets go by this name".to_owned()
        } else {
            suggest::explain(message)
        };
        ConfigError {
            problems: vec![self.problem(&path, what)],
        }
    }

    /// A problem with the value at `path`.
    pub(super) fn problem(&self, path: &[String], what: String) -> Problem {
        Problem {
            origin: self.origin(path),
            path: path.join("."),
            what,
        }
    }

    /// Where the value at `path`, or what of the path there is, was written.
    fn origin(&self, path: &[String]) -> Origin {
        for depth in (1..=path.len()).rev() {
            if let Some(set) = self.overrides.get(&path[..depth]) {
                return Origin::Environment {
                    variable: set.variable.clone(),
                };
            }
        }
        let line = line_of(self.text, path);
        Origin::File {
            name: self.name.to_owned(),
            line,
        }
    }
}

/// The key of `table` that a variable means: capitals, and hyphens that no shell allows in a name,
/// do not count.
fn key_named(table: &Table, name: &str) -> String {
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let wanted = plain(name);
    let known = table.keys().find(|key| plain(key) == wanted);
    known.cloned().unwrap_or_else(|| name.to_ascii_lowercase())
}

/// An address with its password is easily written one table too high.
fn may_hold_secret(path: &[String]) -> bool {
    let last = path.last().map(String::as_str);
    matches!(last, Some("redis" | "secret" | "token"))
}

/// Whether serde's message repeats the text that it refuses.
fn shows_text(message: &str) -> bool {
    [
        "invalid type: string",
        "invalid value: string",
        "unknown variant",
    ]
    .iter()
    .any(|start| message.starts_with(start))
}

fn too_deep(variable: &str) -> ConfigError {
    let start = &variable[..variable.floor_char_boundary(60)];
    ConfigError {
        problems: vec![Problem {
            origin: Origin::Environment {
                variable: format!("{start}…"),
            },
            path: String::new(),
            what: "this is deeper than any setting: remove the variable".to_owned(),
        }],
    }
}

fn not_a_table(variable: &str, path: &[String]) -> ConfigError {
    let origin = Origin::Environment {
        variable: variable.to_owned(),
    };
    let what = "this is a single value: nothing can be set within it".to_owned();
    ConfigError {
        problems: vec![Problem {
            origin,
            path: path.join("."),
            what,
        }],
    }
}

fn value_at<'t>(table: &'t mut Table, path: &[String]) -> Option<&'t mut Value> {
    let (last, parents) = path.split_last()?;
    let parent = parents
        .iter()
        .try_fold(table, |table, key| table.get_mut(key)?.as_table_mut())?;
    parent.get_mut(last)
}

/// The keys of a path. One that was read as something else than text is not known: within the
/// path it is told as `?`, at its end it is left out.
fn segments(path: &serde_path_to_error::Path) -> Vec<String> {
    let text = |segment: &serde_path_to_error::Segment| match segment {
        serde_path_to_error::Segment::Unknown => UNKNOWN_KEY.to_owned(),
        segment => segment.to_string().trim_matches(['[', ']']).to_owned(),
    };
    let mut keys: Vec<_> = path.iter().map(text).collect();
    while keys.last().is_some_and(|key| key == UNKNOWN_KEY) {
        keys.pop();
    }
    keys
}

const UNKNOWN_KEY: &str = "?";

/// The line, from 1, where the deepest key of `path` that exists was written; 0 if none does.
fn line_of(text: &str, path: &[String]) -> usize {
    let Ok(table) = DeTable::parse(text) else {
        return 0;
    };
    let mut offset = None;
    let mut inner = Some(table.get_ref());
    for segment in path {
        let found = inner.and_then(|table| {
            table
                .iter()
                .find(|(key, _)| key.get_ref() == segment.as_str())
        });
        let Some((key, value)) = found else { break };
        offset = Some(key.span().start);
        inner = DeValue::as_table(value.get_ref());
    }
    offset.map_or(0, |offset| line_at(text, offset))
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}
