//! Every write of a record, in the order in which Redis carries them out: `MONITOR` tells each
//! command of each script.

use std::{collections::VecDeque, time::Duration};

use futures_util::StreamExt as _;
use redis::Client;
use tokio::{sync::mpsc, time::sleep};

use super::record::Record;

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(100);

/// What the tap tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Tapped {
    /// From now on every write is seen; before, some may have been missed.
    Connected,
    /// A record was written.
    Write {
        /// By Redis's clock, UTC milliseconds.
        at_ms: i64,
        /// Whose.
        id: String,
        /// What; none when it was removed.
        record: Option<Record>,
    },
    /// A record that the oracle cannot read.
    Unreadable(String),
}

/// Follows the store whose keys begin with `prefix` until nobody listens, over outages of Redis.
pub async fn follow(client: Client, prefix: String, tapped: mpsc::Sender<Tapped>) {
    loop {
        if let Ok(mut monitor) = client.get_async_monitor().await {
            if tapped.send(Tapped::Connected).await.is_err() {
                return;
            }
            let mut lines = monitor.on_message::<String>();
            while let Some(line) = lines.next().await {
                for seen in writes(&line, &prefix) {
                    if tapped.send(seen).await.is_err() {
                        return;
                    }
                }
            }
        }
        if tapped.is_closed() {
            return;
        }
        sleep(PAUSE).await;
    }
}

/// The writes of records that a line of `MONITOR` tells.
fn writes(line: &str, prefix: &str) -> Vec<Tapped> {
    // `1700000000.123456 [0 lua] "HSET" "key" "field" "value"`
    if !line.contains(prefix) {
        return Vec::new();
    }
    let Some((head, rest)) = line.split_once("] ") else {
        return Vec::new();
    };
    // What a script does follows on lines of its own.
    if !head.ends_with(" lua") {
        return Vec::new();
    }
    let at_ms = head
        .split('.')
        .next()
        .and_then(|seconds| seconds.parse::<i64>().ok())
        .unwrap_or(0)
        * 1_000
        + micros(head) / 1_000;
    let mut words = VecDeque::from(quoted(rest));
    let command = words.pop_front().unwrap_or_default().to_ascii_uppercase();
    let key = words.pop_front().unwrap_or_default();
    let is_part = |key: &str| key.strip_prefix(prefix)?.strip_prefix("jobs:").map(drop);
    if is_part(&key).is_none() {
        return Vec::new();
    }
    let mut seen = Vec::new();
    match command.as_str() {
        "HSET" => {
            while let (Some(id), Some(text)) = (words.pop_front(), words.pop_front()) {
                seen.push(match Record::parse(&text) {
                    Some(record) => Tapped::Write {
                        at_ms,
                        id,
                        record: Some(record),
                    },
                    None => Tapped::Unreadable(format!("the record of {id}: {text}")),
                });
            }
        }
        "HDEL" => seen.extend(words.into_iter().map(|id| Tapped::Write {
            at_ms,
            id,
            record: None,
        })),
        _ => {}
    }
    seen
}

fn micros(head: &str) -> i64 {
    let fraction = head.split('.').nth(1).and_then(|rest| rest.get(..6));
    fraction.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// The words of `"a" "b \"c\""`.
fn quoted(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = text.chars();
    while characters.by_ref().any(|character| character == '"') {
        let mut word = String::new();
        while let Some(character) = characters.next() {
            match character {
                '"' => break,
                // An escape's first character will do, but for a line's end: ids and records are
                // plain.
                '\\' => word.extend(characters.next().map(|escaped| match escaped {
                    'n' => '\n',
                    other => other,
                })),
                plain => word.push(plain),
            }
        }
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "polling:{x:0}:";
    /// As Redis shows it.
    const RECORD: &str = "44 s 1 0 0 - ab 0 posts = a - 5 \\\"why\\\"\\n- run now{}";

    #[test]
    fn writes_of_records_are_told_in_their_order() {
        let line = format!(
            "1700000001.234567 [0 lua] \"HSET\" \"{PREFIX}jobs:3\" \"posts:1\" \"{RECORD}\" \"posts:2\" \"{RECORD}\""
        );
        let seen = writes(&line, PREFIX);
        let [
            Tapped::Write { at_ms, id, record },
            Tapped::Write { id: second, .. },
        ] = &seen[..]
        else {
            panic!("{seen:?}");
        };
        assert_eq!(
            (*at_ms, id.as_str(), second.as_str()),
            (1_700_000_001_234, "posts:1", "posts:2")
        );
        assert_eq!(record.as_ref().unwrap().reason, "\"why\"");
        let line = format!("1.000000 [0 lua] \"HDEL\" \"{PREFIX}jobs:3\" \"posts:1\"");
        let [Tapped::Write { record: None, .. }] = &writes(&line, PREFIX)[..] else {
            panic!("a removal is a write");
        };
    }

    #[test]
    fn other_keys_and_calls_that_only_name_a_record_are_passed_over() {
        for line in [
            format!("1.000000 [0 lua] \"HSET\" \"{PREFIX}layout\" \"cursor\" \"7\""),
            format!("1.000000 [0 lua] \"HMGET\" \"{PREFIX}jobs:3\" \"posts:1\""),
            format!("1.000000 [0 127.0.0.1:1] \"EVALSHA\" \"ab\" \"1\" \"{PREFIX}layout\""),
            format!(
                "1.000000 [0 lua] \"HSET\" \"polling:{{y:0}}:jobs:3\" \"posts:1\" \"{RECORD}\""
            ),
        ] {
            assert_eq!(writes(&line, PREFIX), []);
        }
        let line = format!("1.000000 [0 lua] \"HSET\" \"{PREFIX}jobs:3\" \"posts:1\" \"s 1\"");
        assert!(matches!(writes(&line, PREFIX)[..], [Tapped::Unreadable(_)]));
    }
}
