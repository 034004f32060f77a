//! Who keeps messages while they are worked on.

use std::{fmt, future::Future};

use tokio::{runtime::Handle, time::Instant};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::{
    alarms::{Alarm, Alarms},
    heartbeat::Heartbeat,
};

/// What renews the visibility of [deliveries](crate::Delivery), and gives back those that are
/// dropped. One serves all deliveries of a worker; clones are one.
///
/// A message that is done before its first renewal takes no task and no timer of its own.
#[derive(Clone)]
pub struct Keeper {
    first_beats: Alarms<Heartbeat, AbortOnDropHandle<()>>,
    releases: TaskTracker,
}

/// A message that is being kept, until this is dropped.
pub(crate) type Kept = Alarm<Heartbeat, AbortOnDropHandle<()>>;

impl Default for Keeper {
    fn default() -> Self {
        Self::new()
    }
}

impl Keeper {
    /// One that keeps nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            first_beats: Alarms::new(|heartbeat: Heartbeat| {
                AbortOnDropHandle::new(tokio::spawn(heartbeat.keep()))
            }),
            releases: TaskTracker::new(),
        }
    }

    /// Until every delivery dropped before was given back, or the attempt ended. Wait for it before
    /// the runtime ends.
    pub async fn released(&self) {
        self.releases.close();
        self.releases.wait().await;
    }

    /// Keeps a message from its first beat on.
    pub(crate) fn keep(&self, heartbeat: Heartbeat, first_beat: Instant) -> Kept {
        self.first_beats.set(first_beat, heartbeat)
    }

    pub(crate) fn release(&self, release: impl Future<Output = ()> + Send + 'static) {
        // Without a runtime nothing can be called; the visibility timeout does the same, later.
        if let Ok(runtime) = Handle::try_current() {
            self.releases.spawn_on(release, &runtime);
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("releases", &self.releases.len())
            .finish_non_exhaustive()
    }
}
