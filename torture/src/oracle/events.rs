//! Every post that was offered is in Kafka, and nothing else: by the independent checker of
//! `dev/demo`.

use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio::{process::Command, time::timeout};

use crate::{servers::Server, stage::Stage};

/// Beyond what the checker waits by itself: Kafka is read from its first offset.
const DEADLINE: Duration = Duration::from_secs(120);

/// What the checker says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Events {
    /// Posts that accounts made.
    pub posted: u64,
    /// Posts that no response held.
    pub never_offered: u64,
    /// Posts that a response held.
    pub offered: u64,
    /// Posts offered that Kafka does not hold.
    pub missing: u64,
    /// Events that were never offered.
    pub extra: u64,
    /// Records beyond the first of their id.
    pub repeats: u64,
    /// Polls from a cursor that was stored before all up to it was in Kafka.
    pub completed_early: u64,
    /// Accounts whose events are not in their order.
    pub out_of_order: u64,
}

impl Events {
    /// Asks the checker, which waits up to `patience` until everything is there.
    ///
    /// # Errors
    ///
    /// When it cannot be run, or cannot read the log or Kafka.
    pub async fn check(stage: &Stage, patience: Duration) -> anyhow::Result<Self> {
        let mut command = Command::new(stage.programs().example("check_demo"));
        command
            .arg("--log")
            .arg(stage.channel_log())
            .args(["--topic", &stage.topic()])
            .args(["--brokers", stage.servers.address(Server::Kafka)])
            .args(["--wait-s", &patience.as_secs().to_string()])
            .arg("--json")
            .kill_on_drop(true);
        let output = timeout(patience + DEADLINE, command.output())
            .await
            .context("check_demo takes too long")??;
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(text.trim()).with_context(|| {
            let errors = String::from_utf8_lossy(&output.stderr);
            format!("check_demo has no result: {text}{errors}")
        })
    }

    /// What does not hold, in words.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let bad = [
            (self.never_offered, "posts were in no response"),
            (self.missing, "posts offered are not in Kafka"),
            (self.extra, "events in Kafka were never offered"),
            (
                self.completed_early,
                "polls were completed before their events were in Kafka",
            ),
            (self.out_of_order, "accounts have events out of order"),
        ];
        let told = bad
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"));
        let nothing = (self.offered == 0).then(|| "no post was offered at all".to_owned());
        told.chain(nothing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_violation_is_told() {
        let good = Events {
            posted: 9,
            offered: 9,
            repeats: 3,
            ..Events::default()
        };
        assert!(good.violations().is_empty());
        let bad = Events {
            missing: 1,
            extra: 2,
            ..good
        };
        assert_eq!(bad.violations().len(), 2);
        assert_eq!(Events::default().violations().len(), 1);
    }
}
