//! Limits.

use polling_model::{Allowance, ScopeKey};
use scheduler_lib::ledger::{Heard, Ledger};

use crate::support::{Desk, NOW_MS};

const PAGE: &str = "/console/channels/mastodon/limits";

async fn hear(desk: &Desk, scope: &str, limit: u64, left: u64, refused_until_ms: Option<i64>) {
    let scope = ScopeKey::new(scope).unwrap();
    let mut allowance = Allowance::of(scope.clone());
    allowance.limit = Some(limit);
    allowance.remaining = Some(left);
    allowance.reset_at_ms = Some(NOW_MS + 5 * 60_000);
    allowance.window_ms = Some(15 * 60_000);
    let heard = Heard {
        scope,
        ended: 0,
        used: 0,
        allowances: vec![allowance],
        at_ms: NOW_MS,
        refused_until_ms,
    };
    desk.ledger.hear(&[heard], NOW_MS).await.unwrap();
}

#[tokio::test]
async fn a_limit_tells_its_use_its_cushion_and_how_long_it_lasts() {
    let desk = Desk::open();
    desk.register("42").await;
    // 250 in ten minutes; the 50 that are left last two more. It is 08:00.
    hear(&desk, "account:42", 300, 50, None).await;
    hear(&desk, "app", 1_000, 400, None).await;
    let page = desk.see(PAGE).await;
    page.has("50 of 300")
        .has("at this pace it is used up at <strong>08:02</strong>, reset at 08:05")
        .has("600 of 1000 used, 0 under way, 400 left of which 100 are left to others")
        .has("10%");
}

#[tokio::test]
async fn refused_scopes_come_first_and_say_until_when() {
    let desk = Desk::open();
    desk.register("calm").await;
    desk.register("refused").await;
    hear(&desk, "account:calm", 300, 299, None).await;
    hear(&desk, "account:refused", 300, 300, Some(NOW_MS + 240_000)).await;
    let page = desk.see(PAGE).await;
    page.has("refused</span> until 08:04");
    assert!(page.html.find("account:refused") < page.html.find("account:calm"));
}

#[tokio::test]
async fn a_scope_is_found_among_many_and_pages_are_bounded() {
    let desk = Desk::open();
    for number in 0..5_000 {
        desk.register(&format!("account-{number}")).await;
    }
    let page = desk.see(PAGE).await;
    page.has("Look further");
    let rows = page.html.matches("<tr").count();
    assert!(rows < 250, "{rows}");
    // The last to be listed is found by its name.
    let found = desk.see(&format!("{PAGE}?scope=account-4999")).await;
    found
        .has("account:account-4999")
        .lacks("account:account-17<");
    let none = desk.see(&format!("{PAGE}?scope=nobody")).await;
    none.has("None of the 2\u{202f}000 jobs looked at")
        .has("&amp;after=");
}

#[tokio::test]
async fn what_is_searched_for_is_shown_as_text() {
    let desk = Desk::open();
    let page = desk
        .see(&format!("{PAGE}?scope=%3Cscript%3Ealert(1)%3C%2Fscript%3E"))
        .await;
    page.has("&lt;script&gt;alert(1)").lacks("<script>alert");
}
