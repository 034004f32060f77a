//! The protocol of the developer tools: JSON that ends with a zero byte, over two pipes.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{ChildStdin, ChildStdout},
    sync::oneshot,
    time::timeout,
};

/// Longest wait for the answer to a command, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// What is sent to a browser, and who waits for an answer.
#[derive(Debug)]
pub(crate) struct Link {
    to: tokio::sync::Mutex<ChildStdin>,
    last: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    pages: Mutex<HashMap<String, Arc<Mutex<Seen>>>>,
}

/// What a page did that nobody asked for.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Errors and warnings that it logged, what its policy forbade, what did not load, what was thrown.
    pub(crate) complaints: Vec<String>,
    /// What it asked in a dialog; each is answered with yes.
    pub(crate) dialogs: Vec<String>,
}

impl Link {
    /// Takes a browser's two ends.
    pub(crate) fn over(to: ChildStdin, from: ChildStdout) -> Arc<Self> {
        let link = Arc::new(Self {
            to: tokio::sync::Mutex::new(to),
            last: AtomicU64::new(0),
            waiting: Mutex::default(),
            pages: Mutex::default(),
        });
        tokio::spawn(read(Arc::clone(&link), from));
        link
    }

    /// From now on, what the page of this session does is kept in `seen`.
    pub(crate) fn watch(&self, session: &str, seen: Arc<Mutex<Seen>>) {
        locked(&self.pages).insert(session.to_owned(), seen);
    }

    /// A command to the browser itself, or to the page of a session.
    pub(crate) async fn call(
        &self,
        session: Option<&str>,
        method: &str,
        params: Value,
    ) -> anyhow::Result<Value> {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut command = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let (sender, answer) = oneshot::channel();
        locked(&self.waiting).insert(id, sender);
        let mut text = command.to_string().into_bytes();
        text.push(0);
        let mut to = self.to.lock().await;
        to.write_all(&text).await.context("the browser has ended")?;
        drop(to);
        let answer = timeout(DEADLINE, answer).await;
        let answer = answer.with_context(|| format!("{method}: no answer in {DEADLINE:?}"))?;
        let mut answer = answer.context("the browser has ended")?;
        match answer.get("error") {
            Some(error) => Err(anyhow!("{method}: {error}")),
            None => Ok(answer["result"].take()),
        }
    }

    fn hear(self: &Arc<Self>, mut message: Value) {
        if let Some(id) = message["id"].as_u64() {
            if let Some(waiting) = locked(&self.waiting).remove(&id) {
                // Whoever asked may have given up.
                let _ = waiting.send(message);
            }
            return;
        }
        let Some(session) = message["sessionId"].as_str().map(str::to_owned) else {
            return;
        };
        let Some(seen) = locked(&self.pages).get(&session).cloned() else {
            return;
        };
        let params = message["params"].take();
        let method = message["method"].as_str().unwrap_or_default();
        if let Some(complaint) = complaint(method, &params) {
            locked(&seen).complaints.push(complaint);
        }
        if method == "Page.javascriptDialogOpening" {
            locked(&seen).dialogs.push(text(&params["message"]));
            // The page stands still until then.
            let link = Arc::clone(self);
            tokio::spawn(async move {
                let yes = json!({"accept": true});
                link.call(Some(&session), "Page.handleJavaScriptDialog", yes)
                    .await
            });
        }
    }
}

async fn read(link: Arc<Link>, from: ChildStdout) {
    let mut from = BufReader::new(from);
    let mut message = Vec::new();
    while matches!(from.read_until(0, &mut message).await, Ok(1..)) {
        if let Ok(heard) = serde_json::from_slice(&message[..message.len() - 1]) {
            link.hear(heard);
        }
        message.clear();
    }
    // Nobody will answer any more.
    locked(&link.waiting).clear();
}

/// What an event says that is wrong, if anything.
fn complaint(method: &str, params: &Value) -> Option<String> {
    match method {
        "Runtime.exceptionThrown" => {
            let details = &params["exceptionDetails"];
            let thrown = text(&details["exception"]["description"]);
            Some(format!("thrown: {} {thrown}", text(&details["text"])))
        }
        "Runtime.consoleAPICalled" if is_bad(&params["type"]) => {
            let said = params["args"].as_array().into_iter().flatten();
            let said: Vec<_> = said.map(|said| text(&said["value"])).collect();
            Some(format!("logged: {}", said.join(" ")))
        }
        "Log.entryAdded" if is_bad(&params["entry"]["level"]) => {
            let entry = &params["entry"];
            Some(format!(
                "{}: {} {}",
                text(&entry["source"]),
                text(&entry["text"]),
                text(&entry["url"])
            ))
        }
        _ => None,
    }
}

fn is_bad(level: &Value) -> bool {
    matches!(level.as_str(), Some("error" | "warning" | "assert"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
