//! What the proxy does to Amazon SQS's JSON protocol.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use torture::proxy::{DropAction, Dropped, FailEntries, FailedEntry, Faults, Protocol};

use crate::support::{Between, Ends};

fn request(action: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    let head = format!("POST / HTTP/1.1\r\nx-amz-target: AmazonSQS.{action}\r\n");
    format!("{head}content-length: {length}\r\n\r\n{body}").into_bytes()
}

fn reply(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// One message whose body is JSON: its first line, and the body.
async fn read_message(from: &mut (impl AsyncReadExt + Unpin)) -> (String, Value) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(from.read_u8().await.unwrap()));
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    from.read_exact(&mut body).await.unwrap();
    let start = head.lines().next().unwrap().to_owned();
    (start, serde_json::from_slice(&body).unwrap())
}

fn receive(max: u64) -> Vec<u8> {
    let body = json!({ "QueueUrl": "http://sqs/1/jobs", "MaxNumberOfMessages": max });
    request("ReceiveMessage", &body)
}

#[tokio::test]
async fn an_earlier_receive_is_given_again_without_asking_the_server() {
    let between = Between::of(Protocol::Http, Faults::default()).await;
    let mut first = between.connect().await;
    let messages = json!({ "Messages": [{ "Body": "a" }, { "Body": "b" }] });
    first.ask(&receive(10)).await;
    first.answer(&reply(&messages)).await;
    let replay = Faults {
        replay_receive: 1.0,
        ..Faults::default()
    };
    between.set(replay).await;
    let mut second = between.connect().await;
    second.client.write_all(&receive(10)).await.unwrap();
    assert_eq!(read_message(&mut second.client).await.1, messages);
    second.client.write_all(&receive(1)).await.unwrap();
    let one = json!({ "Messages": [{ "Body": "a" }] });
    assert_eq!(read_message(&mut second.client).await.1, one);
    assert_eq!(between.count("replay-receive"), 3);
    // Others are asked, and this is the first that the server hears on this connection.
    second.ask(&request("ListQueues", &json!({}))).await;
}

#[tokio::test]
async fn a_dropped_action_is_answered_with_an_error_batches_of_it_too() {
    let drop_delete = Faults {
        drop_actions: vec![DropAction {
            action: "DeleteMessage".to_owned(),
            probability: 1.0,
            answer: Dropped::Error500,
        }],
        ..Faults::default()
    };
    let between = Between::of(Protocol::Http, drop_delete).await;
    let mut ends = between.connect().await;
    for action in ["DeleteMessage", "DeleteMessageBatch"] {
        ends.client
            .write_all(&request(action, &json!({})))
            .await
            .unwrap();
        let (start, _) = read_message(&mut ends.client).await;
        assert_eq!(start, "HTTP/1.1 500 Internal Server Error");
    }
    assert_eq!(between.count("drop-action"), 2);
    ends.ask(&request("DeleteQueue", &json!({}))).await;
}

/// Ten entries, of which about half are to fail.
async fn partial(entry: FailedEntry) -> (Between, Ends) {
    let fail = Faults {
        fail_entries: Some(FailEntries {
            probability: 0.5,
            entry,
        }),
        ..Faults::default()
    };
    let between = Between::of(Protocol::Http, fail).await;
    let mut ends = between.connect().await;
    let entries: Vec<Value> = (0..10).map(|n| json!({ "Id": n.to_string() })).collect();
    let sent = request("SendMessageBatch", &json!({ "Entries": entries }));
    ends.client.write_all(&sent).await.unwrap();
    (between, ends)
}

fn ids(entries: &Value) -> Vec<String> {
    let id = |entry: &Value| entry["Id"].as_str().unwrap().to_owned();
    entries.as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn entries_that_are_not_delivered_are_reported_as_failed() {
    let (between, mut ends) = partial(FailedEntry::NotDelivered).await;
    let (_, sent) = read_message(&mut ends.server).await;
    let delivered = ids(&sent["Entries"]);
    let answer = json!({ "Successful": sent["Entries"] });
    ends.server.write_all(&reply(&answer)).await.unwrap();
    let (start, told) = read_message(&mut ends.client).await;
    assert_eq!(start, "HTTP/1.1 200 OK");
    assert_eq!(ids(&told["Successful"]), delivered);
    let failed = ids(&told["Failed"]);
    assert_eq!(failed.len() as u64, between.count("fail-entry"));
    assert_eq!(delivered.len() + failed.len(), 10);
    assert!(!delivered.is_empty() && !failed.is_empty());
    assert!(failed.iter().all(|id| !delivered.contains(id)));
}

#[tokio::test]
async fn entries_that_are_delivered_may_be_reported_as_failed() {
    let (between, mut ends) = partial(FailedEntry::Delivered).await;
    let (_, sent) = read_message(&mut ends.server).await;
    assert_eq!(ids(&sent["Entries"]).len(), 10);
    let answer = json!({ "Successful": sent["Entries"] });
    ends.server.write_all(&reply(&answer)).await.unwrap();
    let (_, told) = read_message(&mut ends.client).await;
    let failed = ids(&told["Failed"]).len();
    assert!(failed > 0);
    assert_eq!(failed as u64, between.count("fail-entry"));
    assert_eq!(ids(&told["Successful"]).len() + failed, 10);
}

#[tokio::test]
async fn a_batch_all_of_whose_entries_fail_is_answered_here() {
    let fail = Faults {
        fail_entries: Some(FailEntries {
            probability: 1.0,
            entry: FailedEntry::NotDelivered,
        }),
        ..Faults::default()
    };
    let between = Between::of(Protocol::Http, fail).await;
    let mut ends = between.connect().await;
    let entries = json!({ "Entries": [{ "Id": "0" }, { "Id": "1" }] });
    let batch = request("DeleteMessageBatch", &entries);
    ends.client.write_all(&batch).await.unwrap();
    let (start, told) = read_message(&mut ends.client).await;
    assert_eq!(start, "HTTP/1.1 200 OK");
    assert_eq!(ids(&told["Failed"]), ["0", "1"]);
    assert_eq!(told["Failed"][0]["SenderFault"], false);
    ends.ask(&request("ListQueues", &json!({}))).await;
}
