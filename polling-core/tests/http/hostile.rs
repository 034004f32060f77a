//! The client against a channel that is broken, or means harm: each ends as a classified error.

use std::time::Duration;

use polling_core::{
    ErrorClass, PollError,
    http::{HttpClient, HttpConfig, caps, dialect::Dialect},
};

use crate::{
    server::{Reply, Server, reply},
    support::{client, client_with, config, everything, job},
};

const CANARY: &str = "c4nary";

async fn error_of(client: &HttpClient, url: &str) -> PollError {
    client.get(&job(), url).send().await.unwrap_err()
}

fn told(error: &PollError) -> (ErrorClass, &str) {
    (error.class(), error.code().map_or("", |code| code.as_str()))
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_read() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n";
    let server = Server::start(move |_| Reply::Slow(head)).await;
    let error = error_of(&client(Dialect::default()), &server.base).await;
    assert_eq!(told(&error), (ErrorClass::Invalid, "too_large"));
    assert_eq!(
        error.message(),
        "the answer is larger than the 8388608 bytes allowed"
    );
}

#[tokio::test]
async fn a_hundred_megabytes_are_cut_off_as_they_stream_in() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let server = Server::start(move |_| Reply::Chunks(head, 1_600)).await;
    let small = HttpConfig {
        max_body_size_bytes: 1 << 20,
        ..config()
    };
    let error = error_of(&client_with(small, Dialect::default()), &server.base).await;
    assert_eq!(told(&error), (ErrorClass::Invalid, "too_large"));
    assert!(
        server.chunks_sent() < 400,
        "{} chunks",
        server.chunks_sent()
    );
}

#[tokio::test]
async fn a_body_of_just_the_size_allowed_is_read() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (size_bytes, server) in [
        (7, Server::always("200 OK", &[], b"[1,2,3]").await),
        (
            1 << 20,
            Server::start(move |_| Reply::Chunks(chunked, 16)).await,
        ),
    ] {
        let with = |max_body_size_bytes| {
            let config = HttpConfig {
                max_body_size_bytes,
                ..config()
            };
            client_with(config, Dialect::default())
        };
        let answer = with(size_bytes).get(&job(), &server.base).send().await;
        assert_eq!(answer.unwrap().body().len(), size_bytes);
        let error = error_of(&with(size_bytes - 1), &server.base).await;
        assert_eq!(told(&error), (ErrorClass::Invalid, "too_large"));
    }
}

#[tokio::test]
async fn an_errors_body_is_cut_and_its_status_counts() {
    let head = "HTTP/1.1 503 Service Unavailable\r\ntransfer-encoding: chunked\r\n\r\n";
    let server = Server::start(move |_| Reply::Chunks(head, 1_600)).await;
    let (client, job) = (client(Dialect::default()), job());
    let answer = client.get(&job, &server.base).send_any().await.unwrap();
    assert_eq!(answer.body().len(), caps::MAX_ERROR_BODY_SIZE_BYTES);
    assert!(
        server.chunks_sent() < 400,
        "{} chunks",
        server.chunks_sent()
    );
    assert_eq!(answer.refused().class(), ErrorClass::Transient);
}

#[tokio::test]
async fn endless_redirects_end() {
    let server = Server::always("302 Found", &["location: /again"], b"").await;
    let error = error_of(&client(Dialect::default()), &server.base).await;
    assert_eq!(told(&error), (ErrorClass::Invalid, "redirect"));
    assert_eq!(
        error.message(),
        "the channel redirected the call, more than 5 times"
    );
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn private_addresses_are_called_neither_at_once_nor_by_redirect() {
    let unasked = Server::always("200 OK", &[], b"[]").await;
    let port = unasked.base.rsplit(':').next().unwrap().to_owned();
    let public = client_with(HttpConfig::new("test/1.0"), Dialect::default());
    let mine = client(Dialect::default());
    for target in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "127.1",
        "[::ffff:127.0.0.1]",
    ] {
        let target = format!("http://{target}:{port}/");
        let error = error_of(&public, &target).await;
        assert_eq!(
            told(&error),
            (ErrorClass::Invalid, "private_address"),
            "{target}"
        );
    }
    for target in ["localhost", "[::1]", "127.0.0.2"] {
        let location = format!("location: http://{target}:{port}/");
        let server = Server::start(move |_| reply("302 Found", &[&location], "")).await;
        let error = error_of(&mine, &server.base).await;
        assert_eq!(
            told(&error),
            (ErrorClass::Invalid, "private_address"),
            "{target}"
        );
        assert!(error.message().contains("private_hosts"), "{error}");
    }
    assert_eq!(unasked.requests(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_takes_secrets_to_the_same_server_only() {
    let other = Server::always("200 OK", &[], b"[]").await;
    let away = format!("location: {}/", other.base);
    let server = Server::start(move |request| match request.split(' ').nth(1).unwrap() {
        "/away" => reply("307 Temporary Redirect", &[&away], ""),
        "/near" => reply("301 Moved Permanently", &["location: /here"], ""),
        _ => reply("200 OK", &[], "[]"),
    })
    .await;
    let (client, job) = (client(Dialect::default()), job());
    for path in ["/away", "/near"] {
        let call = client.get(&job, format!("{}{path}", server.base));
        let call = call
            .bearer(CANARY)
            .header("x-api-key", CANARY)
            .header("accept", "text/json")
            .body("text/plain", CANARY);
        call.send().await.unwrap();
    }
    let there = other.requests().remove(0);
    assert!(!there.contains(CANARY), "{there}");
    assert!(there.contains("accept: text/json"), "{there}");
    assert!(!there.contains("content-"), "{there}");
    assert_eq!(server.requests()[2].matches(CANARY).count(), 2);
}

#[tokio::test]
async fn a_redirected_post_is_not_repeated() {
    let server = Server::always("307 Temporary Redirect", &["location: /"], b"").await;
    let error = client(Dialect::default())
        .post(&job(), &server.base)
        .send()
        .await
        .unwrap_err();
    assert_eq!(told(&error), (ErrorClass::Invalid, "redirect"));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn slow_bytes_end_with_the_total_timeout() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n";
    let server = Server::start(move |_| Reply::Slow(head)).await;
    let error = error_of(&client(Dialect::default()), &server.base).await;
    assert_eq!(told(&error), (ErrorClass::Transient, "timeout"));
    assert_eq!(error.message(), "no whole answer within 30s");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_counts_however_slowly_its_body_comes() {
    let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 60\r\ncontent-length: 1000\r\n\r\n";
    let server = Server::start(move |_| Reply::Slow(head)).await;
    let (client, begun) = (client(Dialect::default()), tokio::time::Instant::now());
    let error = error_of(&client, &server.base).await;
    assert_eq!(told(&error), (ErrorClass::RateLimited, "429"));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    assert!(
        begun.elapsed() <= caps::MAX_ERROR_BODY_TIME,
        "{:?}",
        begun.elapsed()
    );

    let soon = tokio::time::Instant::now() + Duration::from_secs(2);
    let job = job().with_deadline(soon);
    let error = client.get(&job, &server.base).send().await.unwrap_err();
    assert_eq!(told(&error), (ErrorClass::RateLimited, "429"));
    assert_eq!(tokio::time::Instant::now(), soon);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_whole_costs_no_allowance() {
    const LIMITED: &str = "HTTP/1.1 200 OK\r\nx-ratelimit-remaining: 3\r\n";
    let slow = "HTTP/1.1 200 OK\r\nx-ratelimit-remaining: 3\r\ncontent-length: 1000\r\n\r\n";
    for (server, code) in [
        (Server::start(move |_| Reply::Slow(slow)).await, "timeout"),
        (
            Server::start(|_| {
                Reply::Bytes(format!("{LIMITED}content-length: 9\r\n\r\nshort").into())
            })
            .await,
            "broken",
        ),
        (
            Server::start(|_| {
                Reply::Bytes(format!("{LIMITED}content-length: 99999999\r\n\r\n").into())
            })
            .await,
            "too_large",
        ),
    ] {
        let error = error_of(&client(Dialect::mastodon()), &server.base).await;
        assert_eq!(error.code().unwrap().as_str(), code);
        assert_eq!(error.allowances()[0].remaining, Some(3), "{code}");
    }
}

#[tokio::test]
async fn a_flood_of_headers_is_cut_off() {
    let one = format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(1 << 20));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    for head in [one, many] {
        let server = Server::start(move |_| Reply::Bytes(head.clone().into())).await;
        let error = error_of(&client(Dialect::default()), &server.base).await;
        assert_eq!(told(&error), (ErrorClass::Transient, "broken"));
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_with_the_read_timeout() {
    let server = Server::start(|_| Reply::Silence).await;
    let error = error_of(&client(Dialect::default()), &server.base).await;
    assert_eq!(told(&error), (ErrorClass::Transient, "timeout"));
    assert_eq!(error.message(), "no answer from 127.0.0.1 in time");
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_with_its_job() {
    let server = Server::start(|_| Reply::Silence).await;
    let soon = tokio::time::Instant::now() + Duration::from_secs(2);
    let job = job().with_deadline(soon);
    let error = client(Dialect::default())
        .get(&job, &server.base)
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.message(), "no whole answer within 2s");
}

#[tokio::test]
async fn a_broken_answer_is_transient() {
    for bytes in [
        &b""[..],
        b"\xff\xfe\x00garbage",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    ] {
        let server = Server::start(move |_| Reply::Bytes(bytes.to_vec())).await;
        let error = error_of(&client(Dialect::default()), &server.base).await;
        assert_eq!(told(&error), (ErrorClass::Transient, "broken"), "{bytes:?}");
    }
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let error = error_of(&client(Dialect::default()), &format!("http://{address}")).await;
    assert_eq!(told(&error), (ErrorClass::Transient, "connect"));
}

#[tokio::test]
async fn what_is_no_json_is_invalid_and_keeps_its_allowances() {
    for (body, code) in [
        (&b"<html>"[..], "not_json"),
        (b"[\"text\"]", "not_json"),
        (b"[1,", "not_json"),
        (b"[\"\xff\"]", "not_json"),
    ] {
        let server =
            Server::start(move |_| reply("200 OK", &["x-ratelimit-remaining: 3"], body)).await;
        let (client, job) = (client(Dialect::mastodon()), job());
        let answer = client.get(&job, &server.base).send().await.unwrap();
        let error = answer.json::<Vec<u64>>().unwrap_err();
        assert_eq!(told(&error), (ErrorClass::Invalid, code));
        assert_eq!(error.allowances()[0].remaining, Some(3));
    }
    let server = Server::always("200 OK", &[], b"caf\xe9").await;
    let (client, job) = (client(Dialect::default()), job());
    let error = client
        .get(&job, &server.base)
        .send()
        .await
        .unwrap()
        .text()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid: the answer is no UTF-8 from byte 3 on"
    );
}

#[tokio::test]
async fn an_absurd_wait_is_capped() {
    for wait in ["99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let header = format!("retry-after: {wait}");
        let server = Server::start(move |_| reply("429 Too Many Requests", &[&header], "")).await;
        let error = error_of(&client(Dialect::default()), &server.base).await;
        assert_eq!(error.class(), ErrorClass::RateLimited);
        let bound = Duration::from_millis(caps::MAX_RESET_AHEAD_MS.unsigned_abs());
        assert_eq!(error.retry_after(), Some(bound));
    }
}

#[tokio::test]
async fn secrets_show_in_no_error_and_no_debug() {
    let silent = Server::start(|_| Reply::Bytes(Vec::new())).await;
    let refused = Server::always("401 Unauthorized", &[], CANARY.as_bytes()).await;
    let no_json = Server::always("200 OK", &[], b"\"c4nary\"").await;
    let (client, job) = (client(Dialect::default()), job());
    let call = |base: &str| {
        let call = client.get(&job, format!("{base}/{CANARY}/x?token={CANARY}"));
        call.query("key", CANARY)
            .bearer(CANARY)
            .header("x-key", CANARY)
    };
    let mut seen = format!("{:?}", call(&silent.base));
    let answer = call(&no_json.base).send().await.unwrap();
    seen += &format!("{answer:?}");
    let errors = [
        call(&silent.base).send().await.unwrap_err(),
        call(&refused.base).send().await.unwrap_err(),
        call("http://localhost:1").send().await.unwrap_err(),
        call("http://127.0.0.1:1").send().await.unwrap_err(),
        call("c4nary://host").send().await.unwrap_err(),
        call("https://c4nary@").send().await.unwrap_err(),
        call(&silent.base)
            .header("x", "c4nary\n")
            .send()
            .await
            .unwrap_err(),
        answer.json::<u64>().unwrap_err(),
    ];
    for error in &errors {
        seen += &everything(error);
    }
    assert!(!seen.contains(CANARY), "{seen}");
}

#[test]
fn a_setting_out_of_bounds_gives_no_client() {
    let endless = HttpConfig {
        max_redirects: 1_000,
        ..config()
    };
    let clock = std::sync::Arc::new(polling_core::SystemClock);
    let error = HttpClient::new(endless, Dialect::default(), clock).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the HTTP client's max_redirects is 1000, not at most 20"
    );
}
