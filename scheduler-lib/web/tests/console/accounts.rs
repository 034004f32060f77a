//! Accounts that burst.

use axum::http::StatusCode;
use scheduler_lib::{
    policy::Override,
    store::{Burst, SlotStore},
};

use crate::support::{Desk, NOW_MS};

const PAGE: &str = "/console/channels/mastodon/accounts";

async fn burst(desk: &Desk, account: &str, ages_min: &[i64]) {
    let id = desk.register(account).await;
    let bursts = ages_min.iter().map(|age_min| Burst {
        at_ms: NOW_MS - age_min * 60_000,
        id: id.clone(),
        account: account.parse().unwrap(),
        events: 1_234,
        waited_ms: Some(300_000),
        next_ms: Some(NOW_MS - age_min * 60_000 + 20_000),
    });
    desk.store.note_bursts(bursts.collect()).await.unwrap();
}

#[tokio::test]
async fn those_that_burst_most_come_first_with_what_the_system_made_of_it() {
    let desk = Desk::open();
    desk.see(PAGE).await.has("Nothing is lost");
    burst(&desk, "seldom", &[90]).await;
    burst(&desk, "often", &[120, 60, 10]).await;
    let page = desk.see(PAGE).await;
    page.has("aria-label=\"3 bursts, at most 1 in one bar\"")
        .has("last burst after 5m")
        .has("then in 20s")
        .has("href=\"/console/channels/mastodon/accounts/posts%3Aoften\"");
    assert!(page.html.find("often") < page.html.find("seldom"));
    let six = desk.see(&format!("{PAGE}?hours=6")).await;
    six.has("of the last 6 hours");
}

#[tokio::test]
async fn a_job_tells_each_burst_and_leads_to_its_page() {
    let desk = Desk::open();
    burst(&desk, "42", &[30, 10]).await;
    let page = desk.see(&format!("{PAGE}/posts:42")).await;
    page.has("href=\"/console/channels/mastodon/jobs/posts%3A42\"");
    assert_eq!(page.html.matches("1\u{202f}234").count(), 2);
    let unknown = desk
        .get(crate::support::Who::Operator, &format!("{PAGE}/posts:43"))
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_operator_pins_boosts_and_returns_to_the_rules() {
    let desk = Desk::open();
    burst(&desk, "42", &[10]).await;
    let page = format!("{PAGE}/posts:42");
    let pace = format!("{page}/pace");
    let id = "posts:42".parse().unwrap();
    let of = async || desk.registry.get(&id).await.unwrap().state.pace;

    let done = desk
        .fill(&page, &pace, &[("pace", "pin"), ("interval", "1m")])
        .await;
    assert_eq!(
        done.leads_to(),
        "/console/channels/mastodon/accounts/posts%3A42?done=pace"
    );
    assert_eq!(of().await.and_then(Override::pin_ms), Some(60_000));
    desk.see(&page).await.has("pinned");

    let boost = [("pace", "boost"), ("factor", "2.5"), ("lasting", "2h")];
    desk.fill(&page, &pace, &boost).await.leads_to();
    let until_ms = NOW_MS + 7_200_000;
    assert_eq!(
        of().await,
        Some(Override::Boost {
            factor: 2.5,
            until_ms
        })
    );

    desk.fill(&page, &pace, &[("pace", "rules")])
        .await
        .leads_to();
    assert_eq!(of().await, None);
}

#[tokio::test]
async fn a_pace_out_of_bounds_is_refused_with_what_was_entered() {
    let desk = Desk::open();
    burst(&desk, "42", &[10]).await;
    let page = format!("{PAGE}/posts:42");
    for (fields, said, kept) in [
        (
            &[("pace", "pin"), ("interval", "soon")][..],
            "interval: ",
            "value=\"soon\"",
        ),
        (
            &[("pace", "pin"), ("interval", "90d")],
            "it needs 1s to 60d",
            "value=\"90d\"",
        ),
        (
            &[("pace", "boost"), ("factor", "many"), ("lasting", "2h")],
            "is no number",
            "value=\"many\"",
        ),
        (
            &[("pace", "boost"), ("factor", "0"), ("lasting", "2h")],
            "pace.boost.factor is 0",
            "value=\"2h\"",
        ),
    ] {
        let refused = desk.fill(&page, &format!("{page}/pace"), fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        refused.has(said).has(kept).has("aria-invalid=\"true\"");
    }
    let state = desk
        .registry
        .get(&"posts:42".parse().unwrap())
        .await
        .unwrap()
        .state;
    assert_eq!(state.pace, None);
}

#[tokio::test]
async fn of_many_accounts_a_page_is_shown() {
    let desk = Desk::open();
    for number in 0..150 {
        burst(&desk, &format!("account-{number}"), &[number]).await;
    }
    let page = desk.see(PAGE).await;
    assert_eq!(page.html.matches("<svg class=\"spark\"").count(), 100);
}
