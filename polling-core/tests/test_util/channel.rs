use std::time::Duration;

use polling_core::test_util::{FakeChannel, Limit, Reply};
use reqwest::{Client, Response};
use tokio::time::Instant;

fn client(timeout_s: u64) -> Client {
    let builder = crate::client().timeout(Duration::from_secs(timeout_s));
    builder.build().unwrap()
}

async fn get(channel: &FakeChannel) -> reqwest::Result<Response> {
    client(10).get(channel.url("/a?b=c&n=7")).send().await
}

#[tokio::test(start_paused = true)]
async fn requests_are_kept_as_they_came() {
    let channel = FakeChannel::start(|_| Reply::json("[]")).await.unwrap();
    let request = client(10)
        .post(channel.url("/token?a=b"))
        .header("X-Key", "k");
    request.body("grant=refresh").send().await.unwrap();
    get(&channel).await.unwrap();
    let [first, second] = &channel.requests()[..] else {
        panic!("two requests")
    };
    assert_eq!(
        (first.method.as_str(), first.path.as_str()),
        ("POST", "/token")
    );
    assert_eq!(
        (first.header("x-key"), &first.body[..]),
        (Some("k"), &b"grant=refresh"[..])
    );
    assert_eq!(
        (second.param("b"), second.number("n")),
        (Some("c"), Some(7))
    );
}

#[tokio::test(start_paused = true)]
async fn a_script_is_followed_and_its_last_answer_repeated() {
    let script = [Reply::status(500), Reply::json("[1]"), Reply::status(404)];
    let channel = FakeChannel::script(script).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(&channel).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [500, 200, 404, 404]);
}

#[tokio::test(start_paused = true)]
async fn latency_and_timeouts_are_kept_in_order() {
    let slow = Reply::json("[]").after(Duration::from_secs(5));
    let channel = FakeChannel::start(move |_| slow.clone()).await.unwrap();
    let begin = Instant::now();
    assert!(get(&channel).await.is_ok());
    assert!(begin.elapsed() >= Duration::from_secs(5));
    let late = client(2).get(channel.url("/")).send().await.unwrap_err();
    assert!(late.is_timeout(), "{late}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_tells_what_is_left_and_when_it_ends() {
    let mut limit = Limit::new(1, Duration::from_secs(60));
    let channel = FakeChannel::start(move |_| limit.answer(Reply::json("[]")));
    let channel = channel.await.unwrap();
    let granted = get(&channel).await.unwrap();
    assert_eq!(granted.status(), 200);
    assert_eq!(granted.headers()["x-ratelimit-remaining"], "0");
    let refused = get(&channel).await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait_s: u64 = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait_s), "{wait_s}");
    tokio::time::sleep(Duration::from_secs(wait_s)).await;
    assert_eq!(get(&channel).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn answers_may_be_as_bad_as_they_get() {
    let channel = FakeChannel::script([
        Reply::hang_up(),
        Reply::raw("HTTP/9.9 nonsense\r\n\r\n"),
        Reply::json("[1").with_header("content-length", "99"),
        Reply::huge(1_000_000),
        Reply::body([0xff, 0xfe]).trickling(Duration::from_millis(10)),
        Reply::redirect("/again"),
    ]);
    let channel = channel.await.unwrap();
    assert!(get(&channel).await.is_err(), "hung up");
    assert!(get(&channel).await.is_err(), "not HTTP");
    let cut = get(&channel).await.unwrap().bytes().await;
    assert!(cut.is_err(), "shorter than it says");
    let huge = get(&channel).await.unwrap().bytes().await.unwrap();
    assert_eq!(huge.len(), 1_000_000);
    let trickled = get(&channel).await.unwrap().bytes().await.unwrap();
    assert_eq!(&trickled[..], [0xff, 0xfe]);
    let endless = get(&channel).await.unwrap_err();
    assert!(endless.is_redirect(), "{endless}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_dropped_is_gone() {
    let channel = FakeChannel::start(|_| Reply::json("[]")).await.unwrap();
    let url = channel.url("/");
    drop(channel);
    tokio::task::yield_now().await;
    assert!(client(10).get(url).send().await.is_err());
}
