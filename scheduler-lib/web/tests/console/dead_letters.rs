//! Dead letters.

use axum::http::StatusCode;
use scheduler_lib::store::{Hold, Place, SlotStore, Undecodable};

use crate::support::{Desk, MARKUP, NOW_MS, Who};

const PAGE: &str = "/console/channels/mastodon/dead-letters";

async fn keep(desk: &Desk, id: &str, body: &str) {
    let message = Undecodable {
        message_id: id.to_owned(),
        kept_ms: NOW_MS,
        error: "expected value at line 1".to_owned(),
        body: body.to_owned(),
    };
    desk.store.keep_undecodable(message).await.unwrap();
}

async fn place(desk: &Desk, id: &str) -> Place {
    let id = id.parse().unwrap();
    desk.registry.get(&id).await.unwrap().state.place
}

#[tokio::test]
async fn jobs_that_wait_for_somebody_are_told_and_no_others() {
    let desk = Desk::open();
    desk.register("well").await;
    desk.hold("paused", Hold::Paused, "paused by hand").await;
    desk.hold("parked", Hold::Parked, "parked by hand").await;
    desk.hold("hurt", Hold::Quarantined, "3 dead letters").await;
    desk.hold("huge", Hold::Refused, "the queue takes no such message")
        .await;
    let page = desk.see(PAGE).await;
    page.has("posts:hurt")
        .has("3 dead letters")
        .has("posts:huge");
    page.lacks("posts:well")
        .lacks("posts:paused")
        .lacks("posts:parked");
    let parked = desk.see(&format!("{PAGE}?show=parked")).await;
    parked.has("posts:parked").lacks("posts:hurt");
}

#[tokio::test]
async fn ticked_jobs_are_polled_again_parked_or_unregistered() {
    let desk = Desk::open();
    for account in ["a", "b", "c", "d", "e"] {
        desk.hold(account, Hold::Quarantined, "3 dead letters")
            .await;
    }
    let path = format!("{PAGE}/jobs");
    let resume = [
        ("do", "resume"),
        ("id", "posts:a"),
        ("id", "posts:b"),
        ("id", "posts:gone"),
    ];
    let done = desk.fill(PAGE, &path, &resume).await;
    assert_eq!(done.leads_to(), format!("{PAGE}?done=resume&count=2"));
    desk.see(done.leads_to())
        .await
        .has("2 jobs are polled again");
    assert_eq!(place(&desk, "posts:a").await, Place::Slot);
    assert_eq!(place(&desk, "posts:b").await, Place::Slot);

    desk.fill(PAGE, &path, &[("do", "park"), ("id", "posts:c")])
        .await
        .leads_to();
    assert_eq!(place(&desk, "posts:c").await, Place::Held(Hold::Parked));

    desk.fill(PAGE, &path, &[("do", "unregister"), ("id", "posts:d")])
        .await
        .leads_to();
    assert!(
        desk.registry
            .get(&"posts:d".parse().unwrap())
            .await
            .is_err()
    );
    assert_eq!(
        place(&desk, "posts:e").await,
        Place::Held(Hold::Quarantined)
    );

    let nothing = desk.fill(PAGE, &path, &[("do", "resume")]).await;
    assert_eq!(nothing.status, StatusCode::BAD_REQUEST);
    nothing.has("nothing is ticked");
    let log = desk.see("/console/changes").await;
    log.has("resume posts:a, posts:b, posts:gone").has("olga");
}

#[tokio::test]
async fn a_message_is_shown_as_text_within_a_bound() {
    let desk = Desk::open();
    let body = format!("{MARKUP}{}end", "x".repeat(70_000));
    keep(&desk, "m/1", &body).await;
    let page = desk.see(PAGE).await;
    page.has("&lt;script&gt;alert(1)").lacks(MARKUP);
    assert!(page.html.len() < 20_000, "{}", page.html.len());
    let page = desk.see(&format!("{PAGE}/messages/m%2F1")).await;
    page.has("&lt;script&gt;alert(1)")
        .lacks(MARKUP)
        .lacks("xend")
        .has("The first 65\u{202f}536 bytes");
    let unknown = desk
        .get(Who::Operator, &format!("{PAGE}/messages/m-2"))
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_message_is_sent_again_or_removed() {
    let desk = Desk::open();
    keep(&desk, "m-1", "one").await;
    keep(&desk, "m-2", "two").await;
    let path = format!("{PAGE}/messages");
    let send = [("do", "send"), ("to", "work/posts"), ("id", "m-1")];
    let done = desk.fill(PAGE, &path, &send).await;
    assert_eq!(done.leads_to(), format!("{PAGE}?done=send&count=1"));
    assert_eq!(desk.work.stats().await.unwrap().visible, 1);
    assert!(desk.registry.undecodable_message("m-1").await.is_err());

    let nowhere = [("do", "send"), ("to", "work/likes"), ("id", "m-2")];
    let refused = desk.fill(PAGE, &path, &nowhere).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(desk.registry.undecodable_message("m-2").await.is_ok());

    desk.fill(PAGE, &path, &[("do", "forget"), ("id", "m-2")])
        .await
        .leads_to();
    desk.see(PAGE).await.has("Every message could be read");
}

#[tokio::test]
async fn of_many_a_page_is_shown_and_the_next_tells_the_others() {
    let desk = Desk::open();
    for number in 0..120 {
        desk.hold(
            &format!("account-{number}"),
            Hold::Quarantined,
            "3 dead letters",
        )
        .await;
        keep(&desk, &format!("m-{number}"), "?").await;
    }
    let page = desk.see(PAGE).await;
    assert_eq!(page.html.matches("aria-label=\"Job ").count(), 50);
    assert_eq!(page.html.matches("aria-label=\"Message ").count(), 50);
    let (_, rest) = page.html.split_once("?show=waiting&amp;after=").unwrap();
    let (after, _) = rest.split_once('"').unwrap();
    let next = desk
        .see(&format!("{PAGE}?show=waiting&after={after}"))
        .await;
    assert!(next.html.matches("aria-label=\"Job ").count() >= 50);
}
