//! Configuration.

use std::sync::Arc;

use axum::http::StatusCode;
use scheduler_web::settings::Change;

use crate::{
    steering::Fake,
    support::{Desk, MARKUP, Who},
};

const INTERVAL: &str = "/console/settings/mastodon/posts/interval";

fn steered() -> (Desk, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    (Desk::with(Some(fake.clone())), fake)
}

#[tokio::test]
async fn settings_are_grouped_and_what_differs_or_is_refused_stands_out() {
    let (desk, _) = steered();
    let page = desk.see("/console/settings").await;
    page.has("<h2>mastodon</h2>")
        .has("<h2>mastodon / posts</h2>");
    page.has("differs</span>")
        .has("no setting has this key")
        .has("it is no cushion");
    page.has("connection refused")
        .has("what it said last holds");
    page.has("the disk is full");
    page.has("&lt;script&gt;alert(1)").lacks(MARKUP);
}

#[tokio::test]
async fn settings_are_searched_and_narrowed_to_what_differs() {
    let (desk, _) = steered();
    let found = desk.see("/console/settings?search=EVENLY").await;
    found
        .has("settings/mastodon/paced\"")
        .lacks("posts/interval\"");
    let changed = desk.see("/console/settings?changed=true").await;
    changed
        .has("posts/interval\"")
        .has("posts/cushion\"")
        .lacks("settings/mastodon/paced\"");
    desk.see("/console/settings?search=nothing")
        .await
        .has("No setting is so");
}

#[tokio::test]
async fn a_setting_is_changed_with_a_reason_and_its_past_tells_of_it() {
    let (desk, fake) = steered();
    let fields = [
        ("do", "set"),
        ("value", " 7m "),
        ("reason", "the channel is slow"),
    ];
    let done = desk.fill(INTERVAL, INTERVAL, &fields).await;
    assert_eq!(
        done.leads_to(),
        "/console/settings/mastodon/posts/interval?done=written"
    );
    let change = Change {
        key: "mastodon/posts/interval".to_owned(),
        value: Some("7m".to_owned()),
        by: "olga".to_owned(),
        reason: "the channel is slow".to_owned(),
    };
    assert_eq!(fake.changes(), [change]);
    let page = desk.see(done.leads_to()).await;
    page.has("It is written")
        .has("the channel is slow")
        .has("olga");
    desk.see("/console/changes")
        .await
        .has("7m: the channel is slow");

    let back = [
        ("do", "back"),
        ("value", "7m"),
        ("reason", "it is fast again"),
    ];
    desk.fill(INTERVAL, INTERVAL, &back).await.leads_to();
    assert_eq!(fake.changes()[1].value, None);
}

#[tokio::test]
async fn a_bad_value_is_refused_beside_its_field_and_kept() {
    let (desk, fake) = steered();
    let fields = [("value", "soon"), ("reason", "a \"quick\" <b>try</b>")];
    let page = desk.fill(INTERVAL, INTERVAL, &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.has("value=\"soon\"")
        .has("aria-describedby=\"value-wrong\"");
    page.has("id=\"value-wrong\">soon is no duration: it needs 1s to 60d");
    page.has("value=\"a &quot;quick&quot; &lt;b&gt;try&lt;/b&gt;\"");
    assert_eq!(fake.changes(), []);
}

#[tokio::test]
async fn a_change_without_a_reason_is_refused() {
    let (desk, fake) = steered();
    for reason in ["", "   "] {
        let page = desk
            .fill(INTERVAL, INTERVAL, &[("value", "7m"), ("reason", reason)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        page.has("id=\"reason-wrong\">say why").has("value=\"7m\"");
    }
    assert_eq!(fake.changes(), []);
}

#[tokio::test]
async fn without_a_source_that_can_be_written_it_says_how_to_get_one() {
    let desk = Desk::with(Some(Arc::new(Fake::read_only())));
    let page = desk.see(INTERVAL).await;
    page.has("name Consul under [settings]")
        .lacks("name=\"reason\"");
    let refused = desk
        .fill(
            INTERVAL,
            INTERVAL,
            &[("value", "7m"), ("reason", "because")],
        )
        .await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    Desk::open()
        .see("/console/settings")
        .await
        .has("follows no source of settings");
}

#[tokio::test]
async fn a_key_that_is_none_says_which_was_meant() {
    let (desk, _) = steered();
    let page = desk
        .get(Who::Operator, "/console/settings/mastodon/posts/intervall")
        .await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    page.has("did you mean mastodon/posts/interval?");
}
