//! Where the programs are that a stage starts.

use std::path::{Path, PathBuf};

use anyhow::ensure;

/// The folder that cargo built them into.
#[derive(Debug, Clone)]
pub struct Programs(PathBuf);

impl Programs {
    /// Those in `folder`, such as `target/debug`.
    ///
    /// # Errors
    ///
    /// When one is missing.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let programs = Self(folder.to_owned());
        let examples = [
            "fake_channel",
            "channel_worker",
            "check_demo",
            "create_topic",
        ];
        let examples = examples.map(|name| programs.example(name));
        for path in examples.iter().chain([&programs.scheduler()]) {
            ensure!(
                path.is_file(),
                "there is no {}: start me through dev/torture, which builds it",
                path.display()
            );
        }
        Ok(programs)
    }

    /// The scheduler service.
    #[must_use]
    pub fn scheduler(&self) -> PathBuf {
        self.0.join("scheduler")
    }

    /// One of the examples.
    #[must_use]
    pub fn example(&self, name: &str) -> PathBuf {
        self.0.join("examples").join(name)
    }
}
