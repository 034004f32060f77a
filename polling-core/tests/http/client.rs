//! The client against a channel that means well.

use std::time::Duration;

use polling_core::{
    ErrorClass, ScopeKey,
    http::{Validators, caps, dialect::Dialect},
};

use crate::{
    server::{Reply, Server, reply},
    support::{NOW_MS, client, job},
};

#[tokio::test]
async fn an_answer_brings_its_body_and_its_allowances() {
    let server = Server::always(
        "200 OK",
        &["x-ratelimit-limit: 300", "x-ratelimit-remaining: 299"],
        b"[1,2]",
    )
    .await;
    let (client, job) = (client(Dialect::mastodon()), job());
    let answer = client
        .get(&job, &server.base)
        .query("since_id", 7)
        .query("q", "a b&c")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.json::<Vec<u64>>().unwrap(), [1, 2]);
    assert_eq!(answer.text().unwrap(), "[1,2]");
    assert_eq!(
        answer.allowances()[0].scope,
        ScopeKey::new("account:42").unwrap()
    );
    assert_eq!(answer.allowances()[0].remaining, Some(299));
    let request = server.requests().remove(0);
    assert!(
        request.starts_with("GET /?since_id=7&q=a+b%26c HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("user-agent: test/1.0\r\n"), "{request}");
    // Without it a server may compress as it likes.
    assert!(
        request.contains("accept-encoding: identity\r\n"),
        "{request}"
    );
}

#[tokio::test]
async fn the_job_counts_every_request_that_is_sent_for_it() {
    let server = Server::start(|head| match head.split(' ').nth(1) {
        Some("/moved") => reply("302 Found", &["location: /posts"], ""),
        Some("/posts") => reply("200 OK", &[], "[]"),
        _ => reply("503 Service Unavailable", &[], ""),
    })
    .await;
    let (client, job) = (client(Dialect::default()), job());
    let moved = client.get(&job, &server.base).path(["moved"]);
    moved.send().await.unwrap();
    let failed = client.post(&job, &server.base);
    failed.send().await.unwrap_err();
    assert_eq!(job.clone().calls(), 3);
    // Refused here, before it leaves.
    let refused = client.get(&job, "http://10.0.0.1/posts");
    refused.send().await.unwrap_err();
    let token = client.get_for(&job.account, &server.base).path(["posts"]);
    token.send().await.unwrap();
    assert_eq!((job.calls(), server.requests().len()), (3, 4));
}

#[tokio::test]
async fn what_comes_from_outside_stays_in_its_segment_of_the_path() {
    let server = Server::always("200 OK", &[], b"{}").await;
    let (client, job) = (client(Dialect::default()), job());
    for base in [server.base.clone(), format!("{}/v1/?x=1", server.base)] {
        let call = client.get(&job, base);
        let call = call.path(["accounts", "a/../b?c#d%2e\\é", "posts"]);
        call.send().await.unwrap();
        for up in [".", ".."] {
            let call = client.get(&job, &server.base).path(["accounts", up]);
            let error = call.send().await.unwrap_err();
            assert_eq!(error.class(), ErrorClass::Invalid);
        }
    }
    let lines: Vec<_> = server
        .requests()
        .into_iter()
        .map(|r| r.lines().next().unwrap().to_owned())
        .collect();
    let path = "accounts/a%2F..%2Fb%3Fc%23d%252e%5C%C3%A9/posts";
    assert_eq!(
        lines,
        [
            format!("GET /{path} HTTP/1.1"),
            format!("GET /v1/{path}?x=1 HTTP/1.1")
        ]
    );
}

#[tokio::test]
async fn a_post_sends_its_body_and_its_token() {
    let server = Server::always("200 OK", &[], b"{}").await;
    let (client, job) = (client(Dialect::default()), job());
    let call = client
        .post(&job, &server.base)
        .bearer("t0ken")
        .body("application/json", "{}");
    call.scope(ScopeKey::new("app").unwrap())
        .send()
        .await
        .unwrap();
    let request = server.requests().remove(0);
    for part in [
        "POST / HTTP/1.1\r\n",
        "authorization: Bearer t0ken\r\n",
        "content-length: 2\r\n",
    ] {
        assert!(request.contains(part), "{request}");
    }
}

#[tokio::test]
async fn a_token_endpoint_is_called_outside_of_any_poll() {
    let server = Server::always("400 Bad Request", &[], b"{\"error\":\"invalid_grant\"}").await;
    let (client, account) = (client(Dialect::default()), "42".parse().unwrap());
    let call = client.post_for(&account, &server.base);
    let call = call.form([
        ("grant_type", "refresh_token"),
        ("refresh_token", "a&b=c d"),
    ]);
    let answer = call.send_any().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.body().len()), (400, 25));
    let request = server.requests().remove(0);
    for part in [
        "content-type: application/x-www-form-urlencoded\r\n",
        "content-length: 50\r\n",
    ] {
        assert!(request.contains(part), "{request}");
    }
    let call = client.get_for(&account, &server.base).bearer("t0ken");
    call.send_any().await.unwrap();
    let request = server.requests().pop().unwrap();
    for part in ["GET / HTTP/1.1\r\n", "authorization: Bearer t0ken\r\n"] {
        assert!(request.contains(part), "{request}");
    }
}

#[tokio::test]
async fn what_has_not_changed_keeps_its_validators() {
    let server = Server::start(|request| {
        if request.contains("if-none-match: \"v1\"") {
            return reply("304 Not Modified", &["x-ratelimit-remaining: 5"], "");
        }
        reply(
            "200 OK",
            &[
                "etag: \"v1\"",
                "last-modified: Sat, 01 Aug 2026 13:50:00 GMT",
            ],
            "[]",
        )
    })
    .await;
    let (client, job) = (client(Dialect::github()), job());
    let first = client
        .get(&job, &server.base)
        .if_changed(&Validators::default())
        .send()
        .await
        .unwrap();
    let kept = first.validators();
    assert!(!first.not_modified());
    assert_eq!(kept.etag.as_deref(), Some("\"v1\""));
    let second = client
        .get(&job, &server.base)
        .if_changed(&kept)
        .send()
        .await
        .unwrap();
    assert!(second.not_modified() && second.body().is_empty());
    assert_eq!(second.validators(), kept);
    assert_eq!(second.allowances()[0].remaining, Some(5));
    assert!(server.requests()[1].contains("if-modified-since: Sat, 01 Aug 2026 13:50:00 GMT"));
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_an_error() {
    let server = Server::always("304 Not Modified", &[], b"").await;
    let (client, job) = (client(Dialect::default()), job());
    let error = client.get(&job, &server.base).send().await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Invalid);
}

#[tokio::test]
async fn pages_are_followed_on_the_same_server_only() {
    let server = Server::start(|request| match request.split(' ').nth(1).unwrap() {
        "/s" => reply(
            "200 OK",
            &["link: </s?page=2>; rel=\"next\", </s>; rel=\"first\""],
            "1",
        ),
        "/away" => reply(
            "200 OK",
            &["link: <https://evil.example/s>; rel=\"next\""],
            "1",
        ),
        "/latin" => reply("200 OK", &["link: </caf\u{e9}>; rel=\"next\""], "1"),
        "/bytes" => {
            let head = b"HTTP/1.1 200 OK\r\nlink: </\xff>; rel=next\r\ncontent-length: 0\r\n\r\n";
            Reply::Bytes(head.to_vec())
        }
        "/giant" => {
            let target = "x".repeat(caps::MAX_HEADER_SIZE_BYTES);
            reply("200 OK", &[&format!("link: </{target}>; rel=next")], "1")
        }
        _ => reply("200 OK", &[], "2"),
    })
    .await;
    let (client, job) = (client(Dialect::default()), job());
    let get = |path: &str| client.get(&job, format!("{}{path}", server.base)).send();
    let next = get("/s").await.unwrap().next().unwrap().unwrap();
    assert_eq!(next.as_str(), format!("{}/s?page=2", server.base));
    let last = client.get(&job, &next).send().await.unwrap();
    assert_eq!(last.next().unwrap(), None);
    let error = get("/away").await.unwrap().next().unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid: the next page is on another server"
    );
    // That it cannot be read does not mean that this was the last page.
    let accented = get("/latin").await.unwrap().next().unwrap().unwrap();
    assert_eq!(accented.path(), "/caf%C3%A9");
    for path in ["/bytes", "/giant"] {
        let error = get(path).await.unwrap().next().unwrap_err();
        assert_eq!(error.class(), ErrorClass::Invalid, "{path}");
    }
}

#[tokio::test]
async fn a_poll_interval_becomes_an_allowance_that_is_used_up() {
    let server = Server::always("200 OK", &["x-poll-interval: 60"], b"[]").await;
    let (client, job) = (client(Dialect::github()), job());
    let answer = client.get(&job, &server.base).send().await.unwrap();
    assert_eq!(answer.poll_interval(), Some(Duration::from_secs(60)));
    let allowance = answer
        .poll_interval_allowance(ScopeKey::new("feed").unwrap())
        .unwrap();
    assert_eq!(
        (allowance.remaining, allowance.reset_at_ms),
        (Some(0), Some(NOW_MS + 60_000))
    );
    let absurd = Server::always("200 OK", &["x-poll-interval: 99999999999"], b"[]").await;
    let answer = client.get(&job, &absurd.base).send().await.unwrap();
    assert_eq!(answer.poll_interval(), Some(Duration::from_secs(86_400)));
}

#[tokio::test]
async fn a_refusal_carries_class_code_wait_and_allowances() {
    let server = Server::always(
        "403 Forbidden",
        &[
            "x-ratelimit-remaining: 0",
            "x-ratelimit-reset: 1785592360",
            "retry-after: 60",
        ],
        b"{\"error\":\"slow down\"}",
    )
    .await;
    let (client, job) = (client(Dialect::github()), job());
    let error = client.get(&job, &server.base).send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "rate_limited: the channel answered 403 Forbidden"
    );
    assert_eq!(error.code().unwrap().as_str(), "403");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    assert_eq!(error.allowances()[0].reset_at_ms, Some(NOW_MS + 60_000));

    let answer = client.get(&job, &server.base).send_any().await.unwrap();
    assert_eq!(answer.text().unwrap(), "{\"error\":\"slow down\"}");
    assert_eq!(answer.refused().class(), ErrorClass::RateLimited);
}
