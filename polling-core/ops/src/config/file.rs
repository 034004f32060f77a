//! A file that is read again when it changes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use toml::{Table, Value};

use super::{Found, Source, SourceError, source::differing};

/// Largest file, bytes.
const MAX_FILE_SIZE_BYTES: u64 = 16 * 1024 * 1024;

/// A TOML file whose tables are the parts of keys: `interval` in `[mastodon.posts]` is `mastodon/posts/interval`. A file
/// that is not there holds nothing.
#[derive(Debug)]
pub struct FileSource {
    name: String,
    path: PathBuf,
    told: Option<Found>,
}

impl FileSource {
    /// This file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: format!("file {}", path.display()),
            path,
            told: None,
        }
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Found, SourceError>> {
        let Self { path, told, .. } = self;
        differing(told, || read(path)).boxed()
    }
}

/// What is in a file is compared, not when it was written: volumes of Kubernetes are swapped under it.
async fn read(path: &Path) -> Result<Found, SourceError> {
    let failed = |error: io::Error| SourceError::new("the file cannot be read").because(error);
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_bounded(&path)).await;
    let text = read.map_err(|error| failed(error.into()))?;
    found_in(&text.map_err(failed)?)
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let size_bytes = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    if size_bytes > MAX_FILE_SIZE_BYTES {
        let what = format!("it has {size_bytes} bytes, more than {MAX_FILE_SIZE_BYTES}");
        return Err(io::Error::other(what));
    }
    fs::read_to_string(path)
}

/// What a text of TOML holds, by keys, as [`FileSource`] reads it.
///
/// # Errors
///
/// That it is not TOML, or has a list or a date, which are no values of a setting.
pub fn found_in(text: &str) -> Result<Found, SourceError> {
    let table: Table = text
        .parse()
        .map_err(|error| SourceError::new("the file is not TOML").because(error))?;
    let mut found = Found::new();
    flatten("", table, &mut found)?;
    Ok(found)
}

fn flatten(prefix: &str, table: Table, found: &mut Found) -> Result<(), SourceError> {
    for (name, value) in table {
        let key = format!("{prefix}{name}");
        let text = match value {
            Value::Table(inner) => {
                flatten(&format!("{key}/"), inner, found)?;
                continue;
            }
            Value::String(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            Value::Datetime(_) | Value::Array(_) => {
                let what = format!("{key} is a date or a list: write it as a text");
                return Err(SourceError::new(what));
            }
        };
        found.insert(key, text);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_parts_of_keys() {
        let text =
            "[mastodon]\nconcurrency = 8\n[mastodon.posts]\ninterval = '5m'\ncushion = 0.5\n";
        let found = found_in(text).unwrap();
        let found: Vec<_> = found.iter().map(|(key, text)| (&**key, &**text)).collect();
        assert_eq!(
            found,
            [
                ("mastodon/concurrency", "8"),
                ("mastodon/posts/cushion", "0.5"),
                ("mastodon/posts/interval", "5m"),
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_told_again_once_it_differs() {
        let folder = tempfile();
        let path = folder.join("settings.toml");
        let mut source = FileSource::new(&path);
        assert!(source.next().await.unwrap().is_empty(), "it is not there");
        std::fs::write(&path, "a = 1").unwrap();
        assert_eq!(source.next().await.unwrap()["a"], "1");
        std::fs::write(&path, "a = ").unwrap();
        assert!(source.next().await.is_err());
        std::fs::write(&path, "a = 1").unwrap();
        assert_eq!(source.next().await.unwrap()["a"], "1", "it is right again");
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn tempfile() -> PathBuf {
        let name = format!(
            "polling-config-{}",
            polling_model::Generator::from_os().next_u64()
        );
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    }
}
