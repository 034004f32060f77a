//! What sources said last, in a file that outlives the process.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::super::Found;

/// Largest file, bytes.
const MAX_FILE_SIZE_BYTES: u64 = 16 * 1024 * 1024;

/// Of the file's format.
const VERSION: u32 = 1;

/// By the names of sources.
pub(super) type Kept = BTreeMap<String, Said>;

/// What a source said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    /// When, UTC milliseconds.
    pub(super) at_ms: i64,
    pub(super) found: Found,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    sources: Kept,
}

/// What is in the file; nothing if it is not there.
pub(super) fn read(path: &Path) -> io::Result<Kept> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kept::new()),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(MAX_FILE_SIZE_BYTES + 1)
        .read_to_string(&mut text)?;
    bounded(&text)?;
    let document: Document = serde_json::from_str(&text)?;
    if document.version != VERSION {
        let what = format!("its version is {}, not {VERSION}", document.version);
        return Err(io::Error::other(what));
    }
    Ok(document.sources)
}

/// Puts it in the place of what was there, as a whole. Only the process's own user may read it.
pub(super) fn write(path: &Path, kept: Kept) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        sources: kept,
    };
    let text = serde_json::to_string(&document)?;
    bounded(&text)?;
    let partial = partial(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Left behind by a process that was killed, maybe with other permissions.
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options.open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path)
}

fn bounded(text: &str) -> io::Result<()> {
    if text.len() as u64 > MAX_FILE_SIZE_BYTES {
        let what = format!("it would have more than {MAX_FILE_SIZE_BYTES} bytes");
        return Err(io::Error::other(what));
    }
    Ok(())
}

fn partial(path: &Path) -> PathBuf {
    let mut partial = OsString::from(path);
    partial.push(".partial");
    PathBuf::from(partial)
}
