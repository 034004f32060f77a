//! What is changed on a page is changed in the scheduler that runs.

use polling_browser::Browser;
use scheduler_lib::ledger::Cushion;
use serde_json::json;

use crate::{site::Site, steering::CUSHION};

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_message_that_nobody_could_read_is_sent_again() {
    let site = Site::start().await;
    let browser = Browser::start().unwrap();
    let page = site.operate(&browser).await;
    while site.registry.undecodable(10).await.unwrap().is_empty() {
        page.go(&site.url("health")).await.unwrap();
    }
    page.go(&site.url("channels/mastodon/dead-letters"))
        .await
        .unwrap();
    page.tell::<bool>(
        "document.querySelector('form[action$=messages] input[name=id]').checked = true",
    )
    .await
    .unwrap();
    page.tell::<bool>(
        "document.querySelector('form[action$=messages] button[value=send]').click(), true",
    )
    .await
    .unwrap();
    page.until("location.search.includes('done=send')")
        .await
        .unwrap();
    page.until_text("messages were sent again").await.unwrap();
    assert_eq!(site.registry.undecodable(10).await.unwrap(), []);
    page.go(&site.url("changes")).await.unwrap();
    page.until_text("dead-letters/messages").await.unwrap();
}

#[tokio::test]
#[ignore = "needs a browser"]
async fn a_cushion_changed_on_its_page_is_what_the_scheduler_goes_by() {
    let site = Site::start().await;
    let browser = Browser::start().unwrap();
    let page = site.operate(&browser).await;
    assert_eq!(site.settings.cushion(), Cushion::NONE);

    page.go(&site.url(&format!("settings/{CUSHION}")))
        .await
        .unwrap();
    fill_in(&page, "many", "for the campaign").await;
    page.until_text("a cushion here is a whole number of calls")
        .await
        .unwrap();
    assert_eq!(site.settings.cushion(), Cushion::NONE);

    fill_in(&page, "25", "for the campaign").await;
    page.until("location.search.includes('done=')")
        .await
        .unwrap();
    page.until_text("for the campaign").await.unwrap();
    assert_eq!(site.settings.cushion(), Cushion::Calls(25));
}

async fn fill_in(page: &polling_browser::Page, value: &str, reason: &str) {
    let fill = format!(
        "(() => {{
            const form = document.querySelector('form[method=post]:has([name=value])');
            form.elements.value.value = {};
            form.elements.reason.value = {};
            form.querySelector('button').click();
            return true;
        }})()",
        json!(value),
        json!(reason)
    );
    page.tell::<bool>(&fill).await.unwrap();
}
