//! The program.

use std::{
    env,
    process::Stdio,
    sync::{Arc, Mutex},
};

use anyhow::Context as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{
    link::Link,
    page::{Page, Place},
};

/// A browser. It ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    link: Arc<Link>,
    // Ended before its folder is removed.
    _program: Child,
    _profile: TempDir,
}

/// What a page is looked at with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looks {
    /// The window's width, pixels.
    pub width: u32,
    /// The window's height, pixels.
    pub height: u32,
    /// Whether the system asks for dark colours.
    pub dark: bool,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            width: 1400,
            height: 900,
            dark: false,
        }
    }
}

/// The protocol's pipes are the browser's descriptors 3 and 4; a shell makes them of the two that a program can be given.
const WITH_PIPES: &str = r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// Nothing beyond this machine, nothing in the background, the same picture everywhere.
const FLAGS: [&str; 20] = [
    "--headless",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-features=MediaRouter,OptimizationHints,Translate",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    // A container's shared memory is small, and it has neither a graphics card nor sound.
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--mute-audio",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=en-US",
];

impl Browser {
    /// Starts the browser that `POLLING_CHROMIUM` names, with a profile of its own.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be started.
    pub fn start() -> anyhow::Result<Self> {
        let program = required("POLLING_CHROMIUM")?;
        let profile = TempDir::with_prefix("polling-browser-")?;
        let mut command = Command::new("sh");
        command
            .args(["-c", WITH_PIPES, "sh", &program])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()));
        // Its sandbox wants another user than root.
        if rustix::process::geteuid().is_root() {
            command.arg("--no-sandbox");
        }
        let mut child = command
            .env("HOME", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{program} cannot be started"))?;
        let ends = child.stdin.take().zip(child.stdout.take());
        let (to, from) = ends.context("a pipe is missing")?;
        Ok(Self {
            link: Link::over(to, from),
            _program: child,
            _profile: profile,
        })
    }

    /// A page in a window of its own, with no cookies but those it is given.
    ///
    /// # Errors
    ///
    /// The browser refuses, or has ended.
    pub async fn open(&self, looks: Looks) -> anyhow::Result<Page> {
        let call = |method: &'static str, params| self.link.call(None, method, params);
        let place = call("Target.createBrowserContext", json!({})).await?;
        let window = json!({"url": "about:blank", "browserContextId": place["browserContextId"]});
        let target = call("Target.createTarget", window).await?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = call("Target.attachToTarget", attach).await?;
        let session = session["sessionId"].as_str().context("no session")?;
        let seen = Arc::new(Mutex::default());
        self.link.watch(session, Arc::clone(&seen));
        let place = Place {
            link: Arc::clone(&self.link),
            session: session.to_owned(),
            seen,
        };
        Page::begin(place, looks).await
    }
}

/// What a variable names.
pub(crate) fn required(variable: &str) -> anyhow::Result<String> {
    env::var(variable).with_context(|| format!("{variable} is not set: eval \"$(dev/browser)\""))
}
