//! What the server answers to a receive.

use std::time::Duration;

use polling_model::TraceContext;
use redis::Value;

use super::receipt::Delivery;
use crate::queue::Message;

/// What one receive brought.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) messages: Vec<Message>,
    /// When a message in flight comes back, told if there are no messages.
    pub(super) next: Option<Duration>,
}

/// What a read of new messages brought.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) messages: Vec<Message>,
    /// When a message in flight comes back.
    pub(super) next: Option<Duration>,
    /// Whether some have come back, which a read leaves.
    pub(super) come_back: bool,
}

/// An answer that no script of ours gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server's answer is not one of this version's scripts")]
pub(super) struct Malformed;

impl Received {
    /// Reads the answer, without copying the bodies.
    pub(super) fn of(answer: Value) -> Result<Self, Malformed> {
        let Value::Array(parts) = answer else {
            return Err(Malformed);
        };
        let Ok(
            [
                Value::Int(next_ms),
                Value::Array(fresh),
                Value::Array(others),
            ],
        ) = <[Value; 3]>::try_from(parts)
        else {
            return Err(Malformed);
        };
        let mut messages = Vec::with_capacity(fresh.len() / 2 + others.len() / 5);
        let mut fresh = fresh.into_iter();
        while let Some(id) = fresh.next() {
            let body = fresh.next().ok_or(Malformed)?;
            messages.push(message(text(id)?, text(body)?, 1, None, None)?);
        }
        let mut others = others.into_iter();
        while let Some(id) = others.next() {
            let mut next = || others.next().ok_or(Malformed);
            let (body, receives) = (next()?, next()?);
            let (sent, trace) = (text(next()?)?, text(next()?)?);
            let Value::Int(receives) = receives else {
                return Err(Malformed);
            };
            let receives = u32::try_from(receives).unwrap_or(u32::MAX);
            messages.push(message(
                text(id)?,
                text(body)?,
                receives,
                sent.parse().ok(),
                trace_of(&trace),
            )?);
        }
        Ok(Self {
            messages,
            next: u64::try_from(next_ms).ok().map(Duration::from_millis),
        })
    }
}

impl Read {
    /// Reads the answer to a transaction: `OK`, twice `QUEUED`, then what the two gave.
    pub(super) fn of(answer: Value) -> Result<Self, Malformed> {
        let [_, _, _, both] = array(answer)?;
        let [prepared, read] = array(both)?;
        let [Value::Int(next_ms), Value::Int(come_back)] = array(prepared)? else {
            return Err(Malformed);
        };
        let mut messages = Vec::new();
        if let Some(Value::Array(entries)) = entries(read)? {
            messages.reserve(entries.len());
            for entry in entries {
                messages.push(new_message(entry)?);
            }
        }
        Ok(Self {
            messages,
            next: u64::try_from(next_ms).ok().map(Duration::from_millis),
            come_back: come_back != 0,
        })
    }
}

fn array<const N: usize>(value: Value) -> Result<[Value; N], Malformed> {
    match value {
        Value::Array(parts) => parts.try_into().map_err(|_| Malformed),
        _ => Err(Malformed),
    }
}

/// Of the only stream, by whichever protocol it is told.
fn entries(read: Value) -> Result<Option<Value>, Malformed> {
    match read {
        Value::Nil => Ok(None),
        Value::Map(streams) => Ok(streams.into_iter().next().map(|(_, entries)| entries)),
        streams => {
            let [stream] = array(streams)?;
            let [_, entries] = array(stream)?;
            Ok(Some(entries))
        }
    }
}

/// An entry as `XREADGROUP` tells it: `b` is the body, `s` when it was sent unless its id says so,
/// `t` its trace.
fn new_message(entry: Value) -> Result<Message, Malformed> {
    let [id, fields] = array(entry)?;
    let Value::Array(fields) = fields else {
        return Err(Malformed);
    };
    let (mut body, mut sent_ms, mut trace) = (String::new(), None, None);
    let mut fields = fields.into_iter();
    while let (Some(Value::BulkString(name)), Some(value)) = (fields.next(), fields.next()) {
        match &*name {
            b"b" => body = text(value)?,
            b"s" => sent_ms = text(value)?.parse().ok(),
            b"t" => trace = trace_of(&text(value)?),
            _ => {}
        }
    }
    message(text(id)?, body, 1, sent_ms, trace)
}

fn trace_of(text: &str) -> Option<TraceContext> {
    TraceContext::from_traceparent(text).ok()
}

fn message(
    id: String,
    body: String,
    receive_count: u32,
    sent_ms: Option<i64>,
    trace: Option<TraceContext>,
) -> Result<Message, Malformed> {
    let (ms, _) = id.split_once('-').ok_or(Malformed)?;
    let sent_ms = match sent_ms {
        Some(sent_ms) => sent_ms,
        None => ms.parse().map_err(|_| Malformed)?,
    };
    let delivery = Delivery {
        id,
        receives: receive_count,
    };
    Ok(Message {
        receipt: delivery.to_receipt(),
        id: delivery.id,
        body,
        receive_count,
        sent_ms,
        trace,
    })
}

/// What others put into the stream may be no text: then the reader of the body says so.
fn text(value: Value) -> Result<String, Malformed> {
    match value {
        Value::BulkString(bytes) => Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";

    fn words(words: &[&str]) -> Vec<Value> {
        words
            .iter()
            .map(|w| Value::BulkString(w.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn messages_are_read_with_their_receives_and_their_age() {
        let mut others = words(&["5-1", "b", "", TRACE, "9-0", "c", "7", ""]);
        others.insert(2, Value::Int(3));
        others.insert(7, Value::Int(1));
        let fresh = words(&["4-0", "a"]);
        let answer = Value::Array(vec![
            Value::Int(0),
            Value::Array(fresh),
            Value::Array(others),
        ]);
        let received = Received::of(answer).unwrap();
        let seen: Vec<_> = received
            .messages
            .iter()
            .map(|m| (&*m.id, &*m.body, &*m.receipt.0, m.receive_count, m.sent_ms))
            .collect();
        let expected = [
            ("4-0", "a", "4-0", 1, 4),
            ("5-1", "b", "5-1/3", 3, 5),
            ("9-0", "c", "9-0", 1, 7),
        ];
        assert_eq!(seen, expected);
        let traces = received.messages.iter().map(|m| m.trace);
        assert_eq!(traces.collect::<Vec<_>>(), [None, trace_of(TRACE), None]);
    }

    #[test]
    fn new_messages_are_read_as_the_stream_has_them() {
        let done = |text: &str| Value::SimpleString(text.to_owned());
        let answer = |read| {
            let prepared = Value::Array(vec![Value::Int(40), Value::Int(1)]);
            let both = Value::Array(vec![prepared, read]);
            Read::of(Value::Array(vec![
                done("OK"),
                done("QUEUED"),
                done("QUEUED"),
                both,
            ]))
        };
        let entry = |id: &str, fields: &[&str]| {
            let id = words(&[id]).remove(0);
            Value::Array(vec![id, Value::Array(words(fields))])
        };
        let entries = Value::Array(vec![
            entry("4-0", &["b", "a"]),
            entry("9-1", &["by hand", "x", "b", "c", "s", "7", "t", TRACE]),
        ]);
        let key = words(&["messages"]).remove(0);
        let by_map = Value::Map(vec![(key.clone(), entries.clone())]);
        let by_array = Value::Array(vec![Value::Array(vec![key, entries])]);
        for read in [by_map, by_array] {
            let read = answer(read).unwrap();
            let seen: Vec<_> = read
                .messages
                .iter()
                .map(|m| (&*m.id, &*m.body, m.receive_count, m.sent_ms))
                .collect();
            assert_eq!(seen, [("4-0", "a", 1, 4), ("9-1", "c", 1, 7)]);
            assert!(read.come_back);
            let traces: Vec<_> = read.messages.iter().map(|m| m.trace).collect();
            assert_eq!(traces, [None, trace_of(TRACE)]);
        }
        let nothing = answer(Value::Nil).unwrap();
        assert!(nothing.messages.is_empty());
        assert_eq!(nothing.next, Some(Duration::from_millis(40)));
        assert_eq!(answer(Value::Int(1)).map(|_| ()), Err(Malformed));
    }

    #[test]
    fn an_empty_answer_tells_when_to_look_again() {
        let answer = |next| {
            Value::Array(vec![
                Value::Int(next),
                Value::Array(vec![]),
                Value::Array(vec![]),
            ])
        };
        assert_eq!(Received::of(answer(-1)).unwrap().next, None);
        assert_eq!(
            Received::of(answer(30)).unwrap().next,
            Some(Duration::from_millis(30))
        );
    }

    #[test]
    fn any_other_answer_is_an_error() {
        let part = |list| {
            Value::Array(vec![
                Value::Int(0),
                Value::Array(list),
                Value::Array(vec![]),
            ])
        };
        for answer in [
            Value::Nil,
            Value::Array(vec![]),
            part(words(&["1-1"])),
            part(words(&["x", "b"])),
            part(vec![Value::Nil, Value::Nil]),
        ] {
            assert_eq!(Received::of(answer).map(|_| ()), Err(Malformed));
        }
    }
}
