//! What tests of the program share.

use std::{env, fs, path::PathBuf};

/// A configuration file of its own, gone with the value.
pub(crate) struct ConfigFile(pub(crate) PathBuf);

impl ConfigFile {
    /// Writes `text`; `name` is unique among the tests that run at the same time.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let name = format!("scheduler-{}-{name}.toml", std::process::id());
        let path = env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}
