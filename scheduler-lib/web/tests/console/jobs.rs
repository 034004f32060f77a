//! Jobs: found, looked at, changed.

use axum::http::StatusCode;
use polling_model::JobId;
use scheduler_lib::{
    Registration,
    store::{Hold, Place, SlotStore},
};

use crate::support::{Desk, MARKUP, Who};

const JOBS: &str = "/console/channels/mastodon/jobs";
const JOB: &str = "/console/channels/mastodon/jobs/posts:42";

async fn place(desk: &Desk, id: &str) -> Place {
    let id: JobId = id.parse().unwrap();
    desk.registry.get(&id).await.unwrap().state.place
}

#[tokio::test]
async fn a_job_is_found_by_what_it_has_in_common_with_others() {
    let desk = Desk::open();
    for account in ["41", "42"] {
        desk.register(account).await;
    }
    desk.hold("43", Hold::Parked, "gone").await;
    let row = |account: &str| format!("<a class=\"code\" href=\"{JOBS}/posts%3A{account}\">");
    let page = desk
        .see(&format!("{JOBS}?account=42&job_type=&level=&place="))
        .await;
    page.has(&row("42")).lacks(&row("41")).lacks(&row("43"));
    assert_eq!(page.html.matches(&row("42")).count(), 1);
    let page = desk.see(&format!("{JOBS}?place=parked")).await;
    page.has(&row("43")).lacks(&row("42"));
    desk.see(&format!("{JOBS}?level=gold"))
        .await
        .has("No job is like that.");
    let found = desk.get(Who::Reader, &format!("{JOBS}?id=posts:42")).await;
    assert_eq!(found.leads_to(), format!("{JOBS}/posts%3A42"));
}

#[tokio::test]
async fn a_search_for_what_cannot_be_says_so() {
    let desk = Desk::open();
    for (query, said) in [
        ("id=posts:7", "job posts:7 is not registered"),
        ("id=%3Cscript%3E", "&lt;script&gt;"),
        ("account=%3Cscript%3E", "account has &apos;&lt;&apos;"),
        ("job_type=likes", "likes"),
        ("place=nowhere", "nowhere"),
        ("after=nonsense", "nonsense"),
    ] {
        let page = desk.get(Who::Operator, &format!("{JOBS}?{query}")).await;
        assert!(page.status.is_client_error(), "{query}: {}", page.status);
        page.lacks("<script>");
        assert!(
            page.html.replace("&#39;", "&apos;").contains(said)
                || page.html.contains(&said.replace("&apos;", "'")),
            "{query}: {}",
            page.html
        );
    }
}

#[tokio::test]
async fn a_hundred_thousand_jobs_are_told_in_pages_that_link_on() {
    let desk = Desk::open();
    let job = |number: u32| {
        let account = number.to_string().parse().unwrap();
        Registration::new("posts".parse().unwrap(), account)
    };
    let jobs = (0..100_000).map(job).collect();
    desk.registry.register_all(jobs).await.unwrap();
    let (mut path, mut seen) = (JOBS.to_owned(), 0);
    for _ in 0..20 {
        let page = desk.see(&path).await;
        assert!(page.html.len() < 128 * 1024, "{}", page.html.len());
        seen += page.html.matches("<a class=\"code\"").count();
        let (_, next) = page.html.split_once("id=\"next\" href=\"").unwrap();
        path = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!(seen, 2_000);
    // The usual id of an account is found at once, wherever it is.
    let page = desk.see(&format!("{JOBS}?account=99999")).await;
    page.has("posts%3A99999").has("id=\"next\"");
}

#[tokio::test]
async fn ids_with_slashes_and_contexts_with_markup_are_shown_as_text() {
    let desk = Desk::open();
    let mut job = Registration::new("posts".parse().unwrap(), "a/b".parse().unwrap());
    job.id = Some("feeds/a/b:+~=@".parse().unwrap());
    job.context.insert("name", format!("{MARKUP}\u{202e}\"'"));
    desk.registry.register(job).await.unwrap();
    let id: JobId = "feeds/a/b:+~=@".parse().unwrap();
    desk.store
        .hold(&id, Hold::Parked, &format!("{MARKUP}\u{202e}"))
        .await
        .unwrap();
    let list = desk.see(JOBS).await;
    list.lacks(MARKUP)
        .lacks("\u{202e}")
        .has("feeds%2Fa%2Fb%3A%2B~%3D%40");
    let page = desk
        .see(&format!("{JOBS}/feeds%2Fa%2Fb%3A%2B~%3D%40"))
        .await;
    page.lacks(MARKUP)
        .lacks("\u{202e}")
        .has("&lt;script&gt;alert(1)&lt;/script&gt;\\u202e");
}

#[tokio::test]
async fn a_page_of_a_job_tells_why_it_is_where_it_is() {
    let desk = Desk::open();
    desk.register("42").await;
    desk.see(JOB)
        .await
        .has("It waits; its next poll is due")
        .has("registered")
        .has("300 per 15m by the rules")
        .has("<dd>5m</dd>");
    let page = desk.get(Who::Operator, &format!("{JOBS}/posts:7")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_operator_pauses_resumes_parks_and_polls_a_job() {
    let desk = Desk::open();
    desk.register("42").await;
    for (deed, told, held) in [
        ("pause", "paused", Some(Hold::Paused)),
        ("pause", "nothing", Some(Hold::Paused)),
        ("park", "parked", Some(Hold::Parked)),
        ("resume", "resumed", None),
        ("run", "run", None),
    ] {
        let page = desk.fill(JOB, JOB, &[("do", deed)]).await;
        assert_eq!(page.leads_to(), format!("{JOBS}/posts%3A42?did={told}"));
        let found = place(&desk, "posts:42").await;
        assert_eq!(found, held.map_or(Place::Slot, Place::Held), "{deed}");
    }
    desk.see(&format!("{JOB}?did=parked"))
        .await
        .has("role=\"status\"");
    let wrong = desk.fill(JOB, JOB, &[("do", "remove")]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_operator_changes_level_and_pace() {
    let desk = Desk::open();
    let id = desk.register("42").await;
    desk.fill(JOB, JOB, &[("do", "level"), ("level", "gold")])
        .await
        .leads_to();
    let pace = format!("{JOB}/pace");
    desk.fill(JOB, &pace, &[("pace", "pin"), ("interval", "1m")])
        .await
        .leads_to();
    let state = desk.registry.get(&id).await.unwrap().state;
    assert_eq!(state.level.as_str(), "gold");
    assert_eq!(state.pace.and_then(|pace| pace.pin_ms()), Some(60_000));
    let wrong = desk
        .fill(JOB, &pace, &[("pace", "pin"), ("interval", "soon")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.has("value=\"soon\"").has("role=\"alert\"");
    let wrong = desk
        .fill(JOB, JOB, &[("do", "level"), ("level", "a b")])
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn all_jobs_of_a_search_are_changed_and_no_others() {
    let desk = Desk::open();
    for number in 0..1_200 {
        desk.register(&number.to_string()).await;
    }
    let seven = format!("{JOBS}/posts:7");
    let gold = [("do", "level"), ("level", "gold")];
    desk.fill(JOBS, &seven, &gold).await.leads_to();
    let page = desk
        .fill(
            JOBS,
            JOBS,
            &[("do", "pause"), ("level", "gold"), ("more", "")],
        )
        .await;
    assert_eq!(
        page.leads_to(),
        format!("{JOBS}?level=gold&did=pause&changed=1&seen=1200&more=")
    );
    assert_eq!(desk.registry.counts().await.unwrap().held, 1);
    let page = desk.fill(JOBS, JOBS, &[("do", "pause")]).await;
    desk.see(page.leads_to())
        .await
        .has("1\u{202f}199 jobs were paused, of 1\u{202f}200 looked at.");
    let page = desk
        .fill(JOBS, JOBS, &[("do", "resume"), ("job_type", "posts")])
        .await;
    desk.see(page.leads_to()).await.has("jobs were resumed");
    assert_eq!(desk.registry.counts().await.unwrap().held, 0);
}
