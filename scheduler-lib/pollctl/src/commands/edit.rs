//! `pollctl register`, `run-now`, `remove`, `level`, `pace`

use std::time::Duration;

use clap::{ArgGroup, Args};
use polling_model::{AccountId, JobId, JobType, ServiceLevel};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{client::Call, failure::Failure, session::Session};

/// A job to register.
#[derive(Debug, Args)]
pub(crate) struct Register {
    /// The kind of job.
    job_type: JobType,
    /// Who is polled for.
    account: AccountId,
    /// The job's id; `TYPE:ACCOUNT` unless given.
    #[arg(long)]
    id: Option<JobId>,
    /// The service level; the channel's default unless given.
    #[arg(long)]
    level: Option<ServiceLevel>,
    /// Calls to leave to others: a number, or a share such as 20%.
    #[arg(long)]
    cushion: Option<String>,
    /// For the first poll, an object of JSON.
    #[arg(long, value_name = "JSON")]
    context: Option<String>,
}

/// Some jobs.
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    /// Their ids, such as `posts:42`.
    #[arg(required = true, value_name = "JOB")]
    jobs: Vec<JobId>,
}

/// A job and its level.
#[derive(Debug, Args)]
pub(crate) struct Level {
    /// The job's id.
    job: JobId,
    /// The service level.
    level: ServiceLevel,
}

/// A job and how often it is polled.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub(crate) struct Pace {
    /// The job's id.
    job: JobId,
    /// Polled at this interval, whatever its level says.
    #[arg(long, group = "what", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pin: Option<Duration>,
    /// Its delay counts so many times what it would, where calls are scarce.
    #[arg(long, group = "what", value_name = "FACTOR", requires = "lasting")]
    boost: Option<f64>,
    /// For how long it is boosted.
    #[arg(long = "for", id = "lasting", value_name = "DURATION", requires = "boost", value_parser = humantime::parse_duration)]
    lasting: Option<Duration>,
    /// Its rules again.
    #[arg(long, group = "what")]
    rules: bool,
}

/// A cushion as the server reads it: a number of calls, or a text such as `20%`.
pub(super) fn cushion(text: &str) -> Value {
    text.trim()
        .parse::<u64>()
        .map_or_else(|_| Value::from(text.trim()), Value::from)
}

impl Register {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let channel = session.channel().await?;
        let mut body = Map::new();
        body.insert("job_type".to_owned(), self.job_type.as_str().into());
        body.insert("account".to_owned(), self.account.as_str().into());
        if let Some(id) = &self.id {
            body.insert("id".to_owned(), id.as_str().into());
        }
        if let Some(level) = &self.level {
            body.insert("level".to_owned(), level.as_str().into());
        }
        if let Some(text) = &self.cushion {
            body.insert("cushion".to_owned(), cushion(text));
        }
        if let Some(text) = &self.context {
            let context = serde_json::from_str(text)
                .map_err(|error| Failure::Usage(format!("--context is no JSON: {error}")))?;
            body.insert("context".to_owned(), context);
        }
        let call = Call::post(["v1", "channels", &channel, "jobs"]);
        let call = call.body(Value::Object(body).to_string());
        let answer = session.client.json(&call).await?;
        if session.output.json {
            session.output.document(&answer)?;
            return Ok(());
        }
        let id = answer["id"].as_str().unwrap_or_default();
        let told = match answer["result"].as_str() {
            Some("created") => format!("{id} registered"),
            _ => format!("{id} was registered before, and is left as it is"),
        };
        session.output.line(&told)?;
        Ok(())
    }
}

impl Jobs {
    pub(crate) async fn run_now(self, mut session: Session<'_>) -> Result<(), Failure> {
        let channel = session.channel().await?;
        for job in &self.jobs {
            let job = job.as_str();
            let call = Call::post(["v1", "channels", &channel, "jobs", job, "run-now"]);
            one(&mut session, &channel, job, &call, "is polled now").await?;
        }
        Ok(())
    }

    pub(crate) async fn remove(self, mut session: Session<'_>) -> Result<(), Failure> {
        let channel = session.channel().await?;
        for job in &self.jobs {
            let job = job.as_str();
            let path = ["v1", "channels", &channel, "jobs", job];
            let call = Call::delete(path);
            one(&mut session, &channel, job, &call, "removed").await?;
        }
        Ok(())
    }
}

impl Level {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        let body = json!({ "level": self.level });
        let done = format!("has level {}", self.level);
        change(session, &self.job, &body, &done).await
    }
}

impl Pace {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<(), Failure> {
        let text = |duration: Duration| humantime::format_duration(duration).to_string();
        let (pace, done) = match (self.pin, self.boost, self.lasting) {
            (Some(interval), ..) => {
                let interval = text(interval);
                let done = format!("is polled every {interval}");
                (json!({ "pin": { "interval": interval } }), done)
            }
            (None, Some(factor), Some(lasting)) => {
                let lasting = text(lasting);
                let done = format!("is boosted by {factor} for {lasting}");
                (
                    json!({ "boost": { "factor": factor, "for": lasting } }),
                    done,
                )
            }
            _ => (Value::Null, "follows its rules".to_owned()),
        };
        change(session, &self.job, &json!({ "pace": pace }), &done).await
    }
}

async fn change(
    mut session: Session<'_>,
    job: &JobId,
    body: &Value,
    done: &str,
) -> Result<(), Failure> {
    let (channel, job) = (session.channel().await?, job.as_str());
    let path = ["v1", "channels", &channel, "jobs", job];
    let call = Call::new(Method::PATCH, path).body(body.to_string());
    one(&mut session, &channel, job, &call, done).await
}

/// Edits one job, and tells that it is done.
async fn one(
    session: &mut Session<'_>,
    channel: &str,
    job: &str,
    call: &Call,
    done: &str,
) -> Result<(), Failure> {
    if let Err(failure) = session.client.json(call).await {
        return Err(session.with_nearest_job(failure, channel, job).await);
    }
    match session.output.json {
        true => session
            .output
            .json_line(&json!({ "id": job, "done": true }))?,
        false => session.output.line(&format!("{job} {done}"))?,
    }
    Ok(())
}
