//! What one window shows.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, bail};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    Looks,
    link::{Link, Seen, locked},
};

/// A page.
#[derive(Debug)]
pub struct Page(Place);

/// Where it is, and what it did.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) link: Arc<Link>,
    pub(crate) session: String,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

/// How a page got there.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paint {
    /// From the request to the first text or picture, milliseconds.
    pub first_ms: f64,
    /// What came over the wire for the page itself, headers included.
    pub transfer_bytes: u64,
}

/// Longest wait for something to become true, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

const PAINT: &str = "(() => {
    const first = performance.getEntriesByName('first-contentful-paint')[0];
    const page = performance.getEntriesByType('navigation')[0];
    return first ? { firstMs: first.startTime, transferBytes: page.transferSize } : null;
})()";

impl Page {
    pub(crate) async fn begin(place: Place, looks: Looks) -> anyhow::Result<Self> {
        let page = Self(place);
        for part in ["Page", "Runtime", "Log"] {
            page.call(&format!("{part}.enable"), json!({})).await?;
        }
        page.look(looks).await?;
        Ok(page)
    }

    /// The same page, seen otherwise.
    ///
    /// # Errors
    ///
    /// The browser has ended.
    pub async fn look(&self, looks: Looks) -> anyhow::Result<()> {
        let size = json!({
            "width": looks.width, "height": looks.height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", size)
            .await?;
        let scheme = if looks.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", media).await?;
        Ok(())
    }

    /// Opens an address, and waits until it is loaded.
    ///
    /// # Errors
    ///
    /// It cannot be reached, or is not loaded in time.
    pub async fn go(&self, url: &str) -> anyhow::Result<()> {
        let gone = self.call("Page.navigate", json!({"url": url})).await?;
        if let Some(error) = gone["errorText"].as_str() {
            bail!("{url}: {error}");
        }
        self.until("document.readyState === 'complete'").await
    }

    /// What an expression of the page's script is.
    ///
    /// # Errors
    ///
    /// It throws, or is something else.
    pub async fn tell<T: DeserializeOwned>(&self, expression: &str) -> anyhow::Result<T> {
        let ask = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut told = self.call("Runtime.evaluate", ask).await?;
        if let Some(thrown) = told.get("exceptionDetails") {
            bail!("{expression}: {}", thrown["exception"]["description"]);
        }
        let value = told["result"]["value"].take();
        serde_json::from_value(value).with_context(|| expression.to_owned())
    }

    /// Waits until an expression is true.
    ///
    /// # Errors
    ///
    /// It was not in time; the text tells where the page was then.
    pub async fn until(&self, expression: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            // While one page follows another there is none to ask.
            if matches!(self.tell(expression).await, Ok(true)) {
                return Ok(());
            }
            if began.elapsed() > DEADLINE {
                let state: Value = self
                    .tell("[location.href, document.body.innerText.slice(0, 2000)]")
                    .await
                    .unwrap_or_default();
                bail!("not within {DEADLINE:?}: {expression}; the page is {state:#}");
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until the page holds an element.
    ///
    /// # Errors
    ///
    /// None in time.
    pub async fn until_there(&self, selector: &str) -> anyhow::Result<()> {
        let there = format!("document.querySelector({}) !== null", json!(selector));
        self.until(&there).await
    }

    /// Waits until the page shows a text.
    ///
    /// # Errors
    ///
    /// Not in time.
    pub async fn until_text(&self, text: &str) -> anyhow::Result<()> {
        let there = format!("document.body.innerText.includes({})", json!(text));
        self.until(&there).await
    }

    /// How it got here.
    ///
    /// # Errors
    ///
    /// Nothing was painted in time.
    pub async fn paint(&self) -> anyhow::Result<Paint> {
        self.until(&format!("{PAINT} !== null")).await?;
        self.tell(PAINT).await
    }

    /// The whole page, as a PNG.
    ///
    /// # Errors
    ///
    /// The browser has ended.
    pub async fn picture(&self) -> anyhow::Result<Vec<u8>> {
        let how = json!({"format": "png", "captureBeyondViewport": true});
        let taken = self.call("Page.captureScreenshot", how).await?;
        let data = taken["data"].as_str().context("no picture")?;
        Ok(BASE64_STANDARD.decode(data)?)
    }

    /// What the page complained about since the last time: errors, warnings, what its policy forbade, what did not load.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut locked(&self.0.seen).complaints)
    }

    /// What the page asked in dialogs since the last time. Each was answered with yes.
    #[must_use]
    pub fn dialogs(&self) -> Vec<String> {
        std::mem::take(&mut locked(&self.0.seen).dialogs)
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let session = Some(self.0.session.as_str());
        self.0.link.call(session, method, params).await
    }
}
