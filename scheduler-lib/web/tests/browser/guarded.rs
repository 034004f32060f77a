//! What the console keeps to itself, and what it does not take for its own.

use polling_browser::{Browser, Looks};
use serde_json::json;

use crate::site::{MARKUP, Site};

#[tokio::test]
#[ignore = "needs a browser"]
async fn nothing_is_shown_to_strangers() {
    let site = Site::start().await;
    let browser = Browser::start().unwrap();
    let page = browser.open(Looks::default()).await.unwrap();
    for name in [
        "",
        "health",
        "changes",
        "settings",
        "channels/mastodon/now",
        "channels/mastodon/jobs",
    ] {
        page.go(&site.url(name)).await.unwrap();
        let shown: String = page
            .tell("location.pathname + ' ' + document.body.innerText")
            .await
            .unwrap();
        assert!(
            shown.starts_with("/console/login Polling"),
            "{name}: {shown}"
        );
        assert!(!shown.contains("mastodon"), "{name}: {shown}");
    }
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_wrong_secret_is_told_and_lets_nobody_in() {
    let site = Site::start().await;
    let browser = Browser::start().unwrap();
    let page = browser.open(Looks::default()).await.unwrap();
    page.go(&site.url("login#not-the-secret-of-anybody"))
        .await
        .unwrap();
    page.until_text("Nobody has this name and this secret.")
        .await
        .unwrap();
    assert_eq!(page.tell::<String>("location.hash").await.unwrap(), "");
    page.go(&site.url("health")).await.unwrap();
    assert_eq!(
        page.tell::<String>("location.pathname").await.unwrap(),
        "/console/login"
    );
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_session_ends_with_the_page_that_ends_it() {
    let site = Site::start().await;
    let browser = Browser::start().unwrap();
    let page = site.operate(&browser).await;
    page.tell::<bool>("document.querySelector('form[action$=logout]').requestSubmit(), true")
        .await
        .unwrap();
    page.until("location.pathname === '/console/login'")
        .await
        .unwrap();
    page.go(&site.url("health")).await.unwrap();
    assert_eq!(
        page.tell::<String>("location.pathname").await.unwrap(),
        "/console/login"
    );
}

/// The context, the failure's words and the message were all written by others.
#[tokio::test]
#[ignore = "needs a browser"]
async fn markup_of_others_is_shown_as_text() {
    let site = Site::start().await;
    let odd = "likes:404".parse().unwrap();
    site.registry.run_now(&odd).await.unwrap();
    let browser = Browser::start().unwrap();
    let page = site.operate(&browser).await;
    for name in [
        "channels/mastodon/jobs/likes:404",
        "channels/mastodon/dead-letters",
    ] {
        page.go(&site.url(name)).await.unwrap();
        let shown = format!(
            "document.documentElement.textContent.includes({})",
            json!(&MARKUP[..27])
        );
        for _ in 0..50 {
            if page.tell::<bool>(&shown).await.unwrap() {
                break;
            }
            // It is polled within a second or two, and its page then tells what came of it.
            page.go(&site.url(name)).await.unwrap();
        }
        assert!(page.tell::<bool>(&shown).await.unwrap(), "{name}");
        let injected = "document.querySelector('#injected, img[src=\"x\"]') !== null";
        assert!(!page.tell::<bool>(injected).await.unwrap(), "{name}");
        assert_eq!(page.dialogs(), [""; 0], "{name}");
        assert_eq!(page.complaints(), [""; 0], "{name}");
    }
}

/// As another page would send it, who knows the address but not what forms carry.
#[tokio::test]
#[ignore = "needs a browser"]
async fn a_forged_form_changes_nothing() {
    let site = Site::start().await;
    let browser = Browser::start().unwrap();
    let page = site.operate(&browser).await;
    let send = "fetch('/console/channels/mastodon/jobs/posts:1', {
        method: 'POST', body: new URLSearchParams({ do: 'pause', form: 'forged' }),
    }).then((answer) => answer.status)";
    assert_eq!(page.tell::<u16>(send).await.unwrap(), 403);
    let job = site
        .registry
        .get(&"posts:1".parse().unwrap())
        .await
        .unwrap();
    assert_ne!(job.state.place.as_str(), "paused");
}
