//! Every page, at the widths of a phone, a tablet and a desk, by day and by night.

use std::path::PathBuf;

use polling_browser::{Browser, Looks};

use crate::site::{OPERATOR, Site};

const WIDTHS: [u32; 3] = [390, 820, 1400];

/// Pages that no link at the top leads to.
const DEEPER: [&str; 4] = [
    "channels/mastodon/jobs/posts:7",
    "channels/mastodon/jobs/likes:404",
    "channels/mastodon/accounts/posts:9",
    "settings/mastodon/posts/cushion",
];

/// Where pictures are kept.
fn picture(name: &str, looks: Looks) -> PathBuf {
    let name = name.replace([':', '/'], "-");
    let scheme = if looks.dark { "dark" } else { "light" };
    let file = format!("{name}-{}-{scheme}", looks.width);
    [env!("CARGO_TARGET_TMPDIR"), "console", &file]
        .iter()
        .collect()
}

/// All of them are looked at, and all complaints are told together.
#[tokio::test]
#[ignore = "needs a browser"]
async fn pages_are_quiet_fit_every_screen_and_keep_nobody_out() {
    let site = Site::start().await;
    site.registry
        .run_now(&"likes:404".parse().unwrap())
        .await
        .unwrap();
    site.burst().await;
    let browser = Browser::start().unwrap();
    let mut wrong = Vec::new();
    for dark in [false, true] {
        for width in WIDTHS {
            let looks = Looks {
                width,
                height: 900,
                dark,
            };
            let stranger = browser.open(looks).await.unwrap();
            stranger.go(&site.url("login")).await.unwrap();
            wrong.extend(stranger.check(&picture("login", looks)).await.err());

            let page = site.enter(&browser, OPERATOR, looks).await;
            let links = "[...document.querySelectorAll('nav a')].map((link) => new URL(link.href).pathname)";
            let links: Vec<String> = page.tell(links).await.unwrap();
            let linked = links
                .iter()
                .filter_map(|link| link.strip_prefix("/console/"));
            for name in linked.chain(DEEPER) {
                page.go(&site.url(name)).await.unwrap();
                wrong.extend(page.check(&picture(name, looks)).await.err());
            }
        }
    }
    let wrong: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn readers_are_shown_no_button_that_changes_anything() {
    let site = Site::start().await;
    let browser = Browser::start().unwrap();
    let page = site.read(&browser).await;
    for name in [
        "channels/mastodon/jobs/posts:7",
        "channels/mastodon/dead-letters",
        "settings/mastodon/posts/cushion",
    ] {
        page.go(&site.url(name)).await.unwrap();
        let buttons = "[...document.querySelectorAll('form[method=post] button')].map((button) => button.innerText)";
        let buttons: Vec<String> = page.tell(buttons).await.unwrap();
        assert_eq!(buttons, ["Log out"], "{name}");
    }
}
