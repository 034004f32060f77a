//! A headless Chromium for tests: what a page looks like, what it complains about, and whether it can be used with keys alone.
//!
//! ```no_run
//! use polling_browser::{Browser, Key, Looks};
//!
//! # async fn test() -> anyhow::Result<()> {
//! let browser = Browser::start()?;
//! let page = browser.open(Looks::default()).await?;
//! page.go("http://127.0.0.1:7070/console/login").await?;
//! page.type_text("the secret of the operator").await?;
//! page.press(Key::Enter).await?;
//! page.until("location.pathname === '/console/channels/mastodon/now'").await?;
//! page.check("now".as_ref()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! It speaks the protocol of the browser's own developer tools, over two pipes: no driver stands between, no port is opened,
//! and the browser ends with the test, however that ends. It reaches nothing but 127.0.0.1.
//!
//! | variable | |
//! |---|---|
//! | `POLLING_CHROMIUM` | the browser |
//! | `POLLING_AXE` | the file `axe.min.js` of axe-core, which looks for what keeps people out |
//!
//! `eval "$(dev/browser)"` gets both, and sets the variables.
//!
//! # Why not `chromiumoxide`, `fantoccini` or `thirtyfour`
//!
//! The first compiles the whole protocol, of which a dozen commands are needed here; the others need the driver as a second
//! program, and WebDriver tells neither what a page logs nor how it was painted.

mod browser;
mod check;
mod keys;
mod link;
mod page;

pub use self::{
    browser::{Browser, Looks},
    keys::Key,
    page::{Page, Paint},
};
