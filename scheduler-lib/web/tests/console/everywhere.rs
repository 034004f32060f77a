//! What holds for every page.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use scheduler_lib::store::{Burst, Hold, Place, SlotStore, Undecodable};

use crate::{
    steering::Fake,
    support::{Desk, NOW_MS, Who},
};

const PAGES: [&str; 14] = [
    "/console/channels/mastodon/now",
    "/console/channels/mastodon/now?part=3",
    "/console/channels/mastodon/jobs",
    "/console/channels/mastodon/jobs/posts:42",
    "/console/channels/mastodon/accounts",
    "/console/channels/mastodon/accounts/posts:42",
    "/console/channels/mastodon/limits",
    "/console/channels/mastodon/dead-letters",
    "/console/channels/mastodon/dead-letters?show=parked",
    "/console/channels/mastodon/dead-letters/messages/m-1",
    "/console/settings",
    "/console/settings/mastodon/posts/interval",
    "/console/health",
    "/console/changes",
];

const FORMS: [(&str, &[(&str, &str)]); 8] = [
    (
        "/console/channels/mastodon/jobs",
        &[("do", "run"), ("place", "quarantined")],
    ),
    (
        "/console/channels/mastodon/jobs/posts:7",
        &[("do", "resume")],
    ),
    (
        "/console/channels/mastodon/jobs/posts:42",
        &[("do", "pause")],
    ),
    (
        "/console/channels/mastodon/jobs/posts:42/pace",
        &[("pace", "pin"), ("interval", "1m")],
    ),
    (
        "/console/channels/mastodon/accounts/posts:42/pace",
        &[("pace", "pin"), ("interval", "1m")],
    ),
    (
        "/console/channels/mastodon/dead-letters/jobs",
        &[("do", "unregister"), ("id", "posts:7")],
    ),
    (
        "/console/channels/mastodon/dead-letters/messages",
        &[("do", "forget"), ("id", "m-1")],
    ),
    (
        "/console/settings/mastodon/posts/interval",
        &[("value", "7m"), ("reason", "because")],
    ),
];

async fn furnished() -> (Desk, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    let desk = Desk::with(Some(fake.clone()));
    let burst = Burst {
        at_ms: NOW_MS - 60_000,
        id: desk.register("42").await,
        account: "42".parse().unwrap(),
        events: 20,
        waited_ms: Some(300_000),
        next_ms: Some(NOW_MS),
    };
    desk.store.note_bursts(vec![burst]).await.unwrap();
    desk.hold("7", Hold::Quarantined, "3 dead letters").await;
    let message = Undecodable {
        message_id: "m-1".to_owned(),
        kept_ms: NOW_MS,
        error: "no JSON".to_owned(),
        body: "{".to_owned(),
    };
    desk.store.keep_undecodable(message).await.unwrap();
    (desk, fake)
}

#[tokio::test]
async fn nothing_is_shown_without_credentials() {
    let (desk, _) = furnished().await;
    for path in PAGES {
        let page = desk.get(Who::Nobody, path).await;
        assert!(page.leads_to().starts_with("/console/login?"), "{path}");
        assert_eq!(page.html, "", "{path}");
        let page = desk.see(path).await;
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str();
        assert!(policy.unwrap().contains("script-src 'self'"), "{path}");
        page.lacks(" style=").lacks("<style").lacks(" onclick=");
    }
}

#[tokio::test]
async fn a_reader_sees_no_form_but_that_to_log_out() {
    let (desk, _) = furnished().await;
    for path in PAGES {
        let page = desk.get(Who::Reader, path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        page.lacks("data-confirm")
            .lacks("name=\"do\"")
            .lacks("name=\"pace\"");
    }
}

async fn nothing_changed(desk: &Desk, fake: &Fake) {
    let job = desk.registry.get(&"posts:42".parse().unwrap()).await;
    let state = job.unwrap().state;
    assert_eq!((state.pace, state.place), (None, Place::Slot));
    let held = desk.registry.get(&"posts:7".parse().unwrap()).await;
    let place = held.unwrap().state.place;
    assert_eq!(place, Place::Held(Hold::Quarantined));
    assert!(desk.registry.undecodable_message("m-1").await.is_ok());
    assert_eq!(fake.changes(), []);
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let (desk, fake) = furnished().await;
    for (path, fields) in FORMS {
        let page = desk.post(Who::Reader, path, fields).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        page.has("rita is a reader");
        let page = desk.post(Who::Nobody, path, fields).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    nothing_changed(&desk, &fake).await;
}

#[tokio::test]
async fn a_form_that_was_not_given_changes_nothing() {
    let (desk, fake) = furnished().await;
    for (path, fields) in FORMS {
        for forged in [&[][..], &[("form", "")], &[("form", "Zm9yZ2Vk")]] {
            let fields = [forged, fields].concat();
            let page = desk.post(Who::Operator, path, &fields).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
            page.has("this form was not given to you");
        }
    }
    nothing_changed(&desk, &fake).await;
}

#[tokio::test]
async fn every_field_has_a_label_and_every_head_its_scope() {
    let (desk, _) = furnished().await;
    for path in PAGES {
        let page = desk.see(path).await;
        assert_eq!(page.html.matches("<th>").count(), 0, "{path}");
        for (at, _) in page.html.match_indices("<input") {
            let tag = page.html[at..].split('>').next().unwrap();
            let before = &page.html[..at];
            let in_label = before.rfind("<label") > before.rfind("</label");
            let labelled = in_label || tag.contains("aria-label") || tag.contains("hidden");
            assert!(labelled, "{path}: {tag}");
        }
    }
}

#[tokio::test]
async fn the_page_that_one_is_on_is_marked() {
    let (desk, _) = furnished().await;
    for path in PAGES {
        desk.see(path).await.has("aria-current=\"page\"");
    }
}

#[tokio::test]
async fn health_is_kept_up_to_date_for_whoever_is_let_in() {
    let (desk, _) = furnished().await;
    desk.see("/console/health")
        .await
        .has("data-live=\"/console/health/live\"");
    let nobody = desk.get(Who::Nobody, "/console/health/live").await;
    assert!(nobody.leads_to().starts_with("/console/login?"));
    let first = desk.first_of("/console/health/live").await;
    assert!(first.starts_with("event: checks\ndata: "), "{first}");
    assert!(first.contains("store of mastodon"), "{first}");
}

#[tokio::test]
async fn changes_are_searched_by_who_what_and_why() {
    let (desk, _) = furnished().await;
    let path = "/console/settings/mastodon/posts/interval";
    let fields = [("value", "7m"), ("reason", "the channel is slow")];
    desk.fill(path, path, &fields).await.leads_to();
    for wanted in ["OLGA", "interval", "slow"] {
        let found = desk.see(&format!("/console/changes?search={wanted}")).await;
        found.has("the channel is slow");
    }
    let none = desk.see("/console/changes?search=%3Cb%3E").await;
    none.has("No change has <strong>&lt;b&gt;</strong>");
}
