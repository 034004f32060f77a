//! Files that become what is there at once, or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::files::{self, File, Written};
use crate::failure::Failure;

/// A folder beside the files to be, in which they are checked; it goes away with the value.
#[derive(Debug)]
pub(super) struct Stage(PathBuf);

impl Stage {
    /// The files, on disk.
    pub(super) fn new(beside: &Path, files: &[File]) -> Result<Self, Failure> {
        let folder = beside.join(format!(".pollctl-alerts-{}", std::process::id()));
        // One that was killed had the same process id.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder)?;
        let stage = Self(folder.canonicalize()?);
        for file in files {
            let mut written = fs::File::create_new(stage.0.join(file.name))?;
            written.write_all(file.text.as_bytes())?;
            written.sync_all()?;
        }
        Ok(stage)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// Puts each file that differs into its place.
    pub(super) fn replace(self, out: &Path, files: &[File]) -> Result<Vec<Written>, Failure> {
        let mut written = Vec::new();
        for file in files {
            let path = out.join(file.name);
            let changed = files::read(&path)?.as_deref() != Some(&file.text);
            if changed {
                fs::rename(self.0.join(file.name), &path)?;
            }
            written.push(Written { path, changed });
        }
        // A name outlives a power failure once its folder is on disk.
        sync_folder(out)?;
        Ok(written)
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
