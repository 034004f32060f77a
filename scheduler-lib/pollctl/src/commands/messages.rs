//! Messages that nobody could read: part of `pollctl dead-letters`.

use clap::Args;
use polling_model::JobType;
use serde_json::{Value, json};

use crate::{client::Call, failure::Failure, session::Session, suggest, table::Colour, time::at};

/// Most messages that the server tells.
const MAX_MESSAGES: usize = 100;

/// Messages, and where they go again.
#[derive(Debug, Args)]
#[command(after_help = "\
A message is sent first and then kept no longer; one that nobody can read still comes back as a dead letter.
If the command breaks off, repeat it: a message that comes twice does no harm.")]
pub(crate) struct Resend {
    /// Their ids.
    #[arg(required = true, value_name = "MESSAGE")]
    messages: Vec<String>,

    /// To the work queue of a job type.
    #[arg(long, required_unless_present = "completed")]
    job_type: Option<JobType>,

    /// To the completed queue.
    #[arg(long, conflicts_with = "job_type")]
    completed: bool,

    /// Asks nothing.
    #[arg(long, short)]
    yes: bool,
}

/// Messages to remove.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Their ids.
    #[arg(required = true, value_name = "MESSAGE")]
    messages: Vec<String>,

    /// Asks nothing.
    #[arg(long, short)]
    yes: bool,
}

impl Resend {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let queue = match &self.job_type {
            Some(job_type) => format!("the work queue of {job_type}"),
            None => "the completed queue".to_owned(),
        };
        let question = format!("send {} messages to {queue}?", self.messages.len());
        session.confirm(self.yes, &question)?;
        let channel = session.channel().await?;
        for id in &self.messages {
            let call = Call::post(["v1", "channels", &channel, "undecodable", id, "redrive"])
                .query("job_type", self.job_type.as_ref())
                .query("completed", self.completed.then_some(true));
            done(&mut session, id, &call, &format!("sent to {queue}")).await?;
        }
        Ok(())
    }
}

impl Remove {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let question = format!("remove {} messages for good?", self.messages.len());
        session.confirm(self.yes, &question)?;
        let channel = session.channel().await?;
        for id in &self.messages {
            let call = Call::delete(["v1", "channels", &channel, "undecodable", id]);
            done(&mut session, id, &call, "removed").await?;
        }
        Ok(())
    }
}

async fn done(session: &mut Session<'_>, id: &str, call: &Call, told: &str) -> Result<(), Failure> {
    match session.client.json(call).await {
        Ok(_) => {}
        Err(failure) => return Err(with_nearest(session, failure, id).await),
    }
    match session.output.json {
        true => session
            .output
            .json_line(&json!({ "id": id, "done": told }))?,
        false => session.output.line(&format!("{id} {told}"))?,
    }
    Ok(())
}

/// Tells a message with its bytes.
pub(super) async fn show(session: &mut Session<'_>, id: &str) -> Result<(), Failure> {
    let channel = session.channel().await?;
    let call = Call::get(["v1", "channels", &channel, "undecodable", id]);
    match session.client.json(&call).await {
        Ok(message) => tell(session, &message),
        Err(failure) => Err(with_nearest(session, failure, id).await),
    }
}

/// Of a message that nobody knows, with the nearest that is known.
async fn with_nearest(session: &mut Session<'_>, failure: Failure, id: &str) -> Failure {
    let Failure::NotFound(what) = failure else {
        return failure;
    };
    // The nearest id is no more than a help.
    let kept = list(session, MAX_MESSAGES).await.unwrap_or_default();
    let ids = kept
        .iter()
        .filter_map(|message| message["message_id"].as_str());
    Failure::NotFound(match suggest::nearest(id, ids) {
        Some(nearest) => format!("{what}: did you mean message {nearest}?"),
        None => what,
    })
}

fn tell(session: &mut Session<'_>, message: &Value) -> Result<(), Failure> {
    if session.output.json {
        session.output.document(message)?;
        return Ok(());
    }
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let kept = message["kept_ms"]
        .as_i64()
        .map_or_else(|| "?".to_owned(), at);
    // Nobody knows what is in it: a terminal is told no control characters.
    let body = text("body").escape_debug().to_string();
    for (name, value) in [
        ("message", text("message_id")),
        ("kept", &kept),
        ("error", text("error")),
        ("body", &body),
    ] {
        let name = session.output.paint(Colour::Bold, &format!("{name:<8}"));
        session.output.line(&format!("{name}  {value}"))?;
    }
    Ok(())
}

/// Messages, the newest first.
pub(super) async fn list(session: &mut Session<'_>, limit: usize) -> Result<Vec<Value>, Failure> {
    let channel = session.channel().await?;
    let call = Call::get(["v1", "channels", &channel, "undecodable"])
        .query("limit", Some(limit.min(MAX_MESSAGES)));
    let answer = session.client.json(&call).await?;
    Ok(answer["undecodable"]
        .as_array()
        .cloned()
        .unwrap_or_default())
}
