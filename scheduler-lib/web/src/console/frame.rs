//! What is around every page: its head, where one can go, who one is.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use maud::{DOCTYPE, Markup, html};
use polling_model::ChannelId;
use scheduler_lib::Registry;

use super::{Sorry, assets};
use crate::{
    Web,
    access::{Caller, Role},
};

/// Pages of a channel: how they are called in an address, and to people; the key after `g` that leads there.
const OF_CHANNEL: [(&str, &str, char); 5] = [
    ("now", "Now", 'n'),
    ("jobs", "Jobs", 'j'),
    ("accounts", "Accounts", 'a'),
    ("limits", "Limits", 'l'),
    ("dead-letters", "Dead letters", 'd'),
];

/// Pages of the whole scheduler.
const OF_ALL: [(&str, &str, char); 3] = [
    ("settings", "Configuration", 'c'),
    ("health", "Health", 'h'),
    ("changes", "Changes", 'u'),
];

/// What a page knows before it begins.
pub(super) struct Frame {
    pub(super) web: Web,
    pub(super) caller: Caller,
    /// The channel that the page is about, or that it leads back to.
    channel: Option<ChannelId>,
    /// The page, as in its address.
    here: String,
    /// What its forms carry.
    form: String,
}

/// The address of a page of a channel.
pub(super) fn path(channel: &ChannelId, page: &str) -> String {
    format!(
        "/console/channels/{}/{page}",
        super::words::encoded(channel.as_str())
    )
}

impl FromRequestParts<Web> for Frame {
    type Rejection = Sorry;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Sorry> {
        let caller = Caller::from_request_parts(parts, web).await;
        let caller = caller.map_err(|status| Sorry::new(status, "log in first"))?;
        let params = RawPathParams::from_request_parts(parts, web).await;
        let params = params.map_err(|error| Sorry::bad_request(error.to_string()))?;
        let named = params.iter().find(|(name, _)| *name == "channel");
        let channel = match named {
            Some((_, name)) => Some(known(web, name)?),
            None => web.0.registries.keys().next().cloned(),
        };
        let after = if named.is_some() { 4 } else { 2 };
        let here = parts.uri.path().split('/').nth(after).unwrap_or_default();
        Ok(Self {
            form: web.0.access.seal.form(&caller.name, web.0.clock.now_ms()),
            web: web.clone(),
            caller,
            channel,
            here: here.to_owned(),
        })
    }
}

fn known(web: &Web, name: &str) -> Result<ChannelId, Sorry> {
    let channel: ChannelId = name
        .parse()
        .map_err(|error| Sorry::not_found(format!("{name:?} is no channel: {error}")))?;
    web.registry(&channel)?;
    Ok(channel)
}

impl Frame {
    /// The channel that the page is about.
    pub(super) fn registry(&self) -> Result<(&ChannelId, &Registry), Sorry> {
        let channel = self.channel.as_ref();
        let channel = channel.ok_or_else(|| Sorry::not_found("there is no channel"))?;
        Ok((channel, self.web.registry(channel)?))
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.web.0.clock.now_ms()
    }

    /// Whether forms are shown at all.
    pub(super) fn may_change(&self) -> bool {
        self.caller.role == Role::Operator
    }

    /// What every form must hold; see [`Form`](crate::access::Form).
    pub(super) fn seal(&self) -> Markup {
        html! { input type="hidden" name="form" value=(self.form); }
    }

    /// The whole page.
    pub(super) fn page(&self, title: &str, body: Markup) -> Markup {
        document(
            title,
            Some(self.now_ms()),
            html! {
                a.skip href="#main" { "Skip to the page" }
                header.top {
                    a.brand href="/console" { (assets::MARK) span { "Polling" } }
                    @if self.web.0.registries.len() > 1 { (self.channels()) }
                    nav aria-label="Pages" { (self.pages()) }
                    (self.me())
                }
                main #main tabindex="-1" { (body) }
                (keys())
            },
        )
    }

    /// The channels, to go from one to the other.
    fn channels(&self) -> Markup {
        let page = OF_CHANNEL.iter().find(|(page, ..)| *page == self.here);
        let page = page.map_or("now", |(page, ..)| page);
        html! {
            details.pick {
                summary { "Channel " strong { (self.channel.as_ref().map_or("", ChannelId::as_str)) } }
                ul {
                    @for channel in self.web.0.registries.keys() {
                        li { a href=(path(channel, page)) aria-current=[(Some(channel) == self.channel.as_ref()).then_some("true")] { (channel) } }
                    }
                }
            }
        }
    }

    fn pages(&self) -> Markup {
        let link = |href: String, page: &str, name: &str, key: char| {
            let here = (page == self.here).then_some("page");
            html! { a href=(href) aria-current=[here] data-key=(key) { (name) } }
        };
        html! {
            @if let Some(channel) = &self.channel {
                @for (page, name, key) in OF_CHANNEL { (link(path(channel, page), page, name, key)) }
            }
            @for (page, name, key) in OF_ALL { (link(format!("/console/{page}"), page, name, key)) }
        }
    }

    fn me(&self) -> Markup {
        html! {
            div.me {
                span.who { (self.caller.name) " " small { (self.caller.role.as_str()) } }
                button.quiet type="button" data-theme-switch aria-label="Light or dark" { "◐" }
                form method="post" action="/console/logout" { (self.seal()) button.quiet { "Log out" } }
            }
        }
    }
}

/// The keys that lead somewhere, for whoever presses `?`.
fn keys() -> Markup {
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys" }
            dl.keys {
                @for (_, name, key) in OF_CHANNEL.iter().chain(&OF_ALL) {
                    dt { kbd { "g" } " " kbd { (key) } } dd { (name) }
                }
                dt { kbd { "/" } } dd { "Search" }
                dt { kbd { "?" } } dd { "These keys" }
            }
            form method="dialog" { button { "Close" } }
        }
    }
}

/// A page for whoever is not in.
pub(super) fn bare(title: &str, body: Markup) -> Markup {
    document(title, None, html! { main #main { (body) } })
}

/// Pages that tell times tell the script when they were rendered, by the server's clock.
fn document(title: &str, now_ms: Option<i64>, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="same-origin";
                title { (title) " · Polling" }
                link rel="icon" href=(assets::path(&assets::ICON)) type="image/svg+xml";
                link rel="stylesheet" href=(assets::path(&assets::STYLE));
                // Before the page is painted: it knows whether light or dark was chosen.
                script src=(assets::path(&assets::SCRIPT)) {}
            }
            body data-now=[now_ms] { (body) }
        }
    }
}
