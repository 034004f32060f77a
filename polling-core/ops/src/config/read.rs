//! Reading a configuration with texts laid over it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::Fault;

/// Texts, by the path of what each sets.
pub(super) type Overlay<'a> = BTreeMap<&'a [String], &'a str>;

/// Reads `base` with `overlay` over it as a `T`.
///
/// A text is taken as it is; where a text is refused, as the number, boolean, string, array or table that it reads as.
pub(super) fn read<T: DeserializeOwned>(base: &Table, overlay: &Overlay<'_>) -> Result<T, Fault> {
    let mut table = base.clone();
    for (path, text) in overlay {
        set(&mut table, path, Value::String((*text).to_owned()))?;
    }
    // Each turn converts one text or ends.
    let mut texts = overlay.clone();
    loop {
        let error = match serde_path_to_error::deserialize(Value::Table(table.clone())) {
            Ok(typed) => return Ok(typed),
            Err(error) => error,
        };
        let at = segments(error.path());
        let text = texts.remove(at.as_slice());
        let Some(value) = text.and_then(parsed) else {
            return Err(Fault::at(at, error.into_inner().message()));
        };
        set(&mut table, &at, value)?;
    }
}

/// What a text says in TOML, if anything.
fn parsed(text: &str) -> Option<Value> {
    let table = format!("x = {text}").parse::<Table>().ok()?;
    // A text with a line break could bring more keys.
    (table.len() == 1)
        .then(|| table.into_iter().next())?
        .map(|(_, value)| value)
}

fn set(table: &mut Table, path: &[String], value: Value) -> Result<(), Fault> {
    let (last, parents) = path.split_last().expect("a setting's path has a part");
    let mut table = table;
    for (depth, name) in parents.iter().enumerate() {
        let inner = table
            .entry(name.clone())
            .or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = inner else {
            let at = &path[..=depth];
            return Err(Fault::at(
                at,
                "this is a single value: nothing can be set within it",
            ));
        };
        table = inner;
    }
    table.insert(last.clone(), value);
    Ok(())
}

/// The keys of a path, as far as they are known.
fn segments(path: &serde_path_to_error::Path) -> Vec<String> {
    path.iter()
        .take_while(|segment| !matches!(segment, serde_path_to_error::Segment::Unknown))
        .map(|segment| segment.to_string().trim_matches(['[', ']']).to_owned())
        .collect()
}
