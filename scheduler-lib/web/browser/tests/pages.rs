//! What is wrong with a page is seen: a check that finds nothing must be able to find something.
#![allow(clippy::unwrap_used)]

use base64::{Engine as _, prelude::BASE64_STANDARD};
use polling_browser::{Browser, Key, Looks, Page};

const QUIET: &str = "<!doctype html><html lang=en><title>Quiet</title><main><h1>Quiet</h1>";

async fn shown(browser: &Browser, html: &str) -> Page {
    let page = browser.open(Looks::default()).await.unwrap();
    let html = BASE64_STANDARD.encode(html);
    let url = format!("data:text/html;base64,{html}");
    page.go(&url).await.unwrap();
    page
}

/// What the check says of a page.
async fn said(browser: &Browser, html: &str) -> String {
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/browser/page");
    let page = shown(browser, html).await;
    match page.check(file.as_ref()).await {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_check_finds_what_is_wrong_with_a_page() {
    let browser = Browser::start().unwrap();
    assert_eq!(said(&browser, QUIET).await, "");
    for (wrong, found) in [
        ("<script>console.error('oh')</script>", "logged: oh"),
        ("<script>throw new Error('ouch')</script>", "Error: ouch"),
        ("<img alt='' src='http://127.0.0.1:1/'>", "ERR_"),
        ("<p style='width: 3000px'>wide</p>", "too wide: 3"),
        ("<input>", "label"),
        ("<p style='color: #ddd'>pale</p>", "color-contrast"),
        (
            "<meta http-equiv=content-security-policy content=\"script-src 'none'\"><script>1</script>",
            "Content Security Policy",
        ),
    ] {
        let said = said(&browser, &format!("{QUIET}{wrong}")).await;
        assert!(said.contains(found), "{wrong}: {said}");
    }
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn keys_reach_a_page_as_a_persons_do() {
    let browser = Browser::start().unwrap();
    let form = "<form onsubmit='event.preventDefault(); document.title = this.said.value; confirm(\"Sure?\")'>
        <label>Said <input name=said></label><button>Send</button></form>";
    let page = shown(&browser, &format!("{QUIET}{form}")).await;
    page.tab_to("input").await.unwrap();
    page.type_text("a/B?1 ü").await.unwrap();
    page.tab_to("button").await.unwrap();
    page.press(Key::Enter).await.unwrap();
    page.until("document.title === 'a/B?1 ü'").await.unwrap();
    assert_eq!(page.dialogs(), ["Sure?"]);
    assert!(page.tab_to("#nowhere").await.is_err());
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn nothing_but_this_machine_is_reached() {
    let browser = Browser::start().unwrap();
    let page = browser.open(Looks::default()).await.unwrap();
    let refused = page.go("http://example.com/").await.unwrap_err();
    assert!(
        refused.to_string().contains("ERR_NAME_NOT_RESOLVED"),
        "{refused}"
    );
}
