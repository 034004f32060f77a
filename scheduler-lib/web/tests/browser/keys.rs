//! Without a mouse.

use polling_browser::{Browser, Key, Looks};

use crate::site::{OPERATOR, Site};

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_job_is_found_paused_and_resumed_with_keys_alone() {
    let site = Site::start().await;
    let id = "posts:42".parse().unwrap();
    let place = async || site.registry.get(&id).await.unwrap().state.place;
    let browser = Browser::start().unwrap();
    let page = browser.open(Looks::default()).await.unwrap();

    page.go(&site.url("login?to=%2Fconsole%2Fhealth"))
        .await
        .unwrap();
    page.tab_to("input[name=secret]").await.unwrap();
    page.type_text(OPERATOR).await.unwrap();
    page.press(Key::Enter).await.unwrap();
    page.until("location.pathname === '/console/health' && document.readyState === 'complete'")
        .await
        .unwrap();

    page.press(Key::Char('?')).await.unwrap();
    page.until_there("dialog[open]").await.unwrap();
    page.press(Key::Escape).await.unwrap();
    page.until("!document.querySelector('dialog[open]')")
        .await
        .unwrap();

    page.type_text("gj").await.unwrap();
    page.until("location.pathname.endsWith('/jobs') && document.readyState === 'complete'")
        .await
        .unwrap();
    page.press(Key::Char('/')).await.unwrap();
    page.until("document.activeElement.matches('[data-search]')")
        .await
        .unwrap();
    page.type_text("42").await.unwrap();
    page.press(Key::Enter).await.unwrap();
    page.until("location.search.includes('account=42') && document.readyState === 'complete'")
        .await
        .unwrap();
    page.tab_to("main a[href$='/jobs/posts%3A42']")
        .await
        .unwrap();
    page.press(Key::Enter).await.unwrap();
    page.until(
        "location.pathname.endsWith('/jobs/posts%3A42') && document.readyState === 'complete'",
    )
    .await
    .unwrap();

    for (button, did, paused) in [
        ("#do-pause", "paused", true),
        ("#do-resume", "resumed", false),
    ] {
        page.tab_to(button).await.unwrap();
        page.press(Key::Enter).await.unwrap();
        let done =
            format!("location.search === '?did={did}' && document.readyState === 'complete'");
        page.until(&done).await.unwrap();
        assert_eq!(place().await.as_str() == "paused", paused);
    }

    page.tab_to("form[action$=logout] button").await.unwrap();
    page.press(Key::Enter).await.unwrap();
    page.until("location.pathname === '/console/login'")
        .await
        .unwrap();
}
