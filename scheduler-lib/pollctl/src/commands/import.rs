//! `pollctl import`

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::{Value, json};

use super::rows::{Format, rows};
use crate::{
    client::{Call, Client},
    failure::Failure,
    output::Output,
    session::Session,
    time::count,
};

/// Most jobs of one request.
const MAX_BATCH: usize = 500;

/// Most bytes of one request, but for one job that has more.
const MAX_BATCH_SIZE_BYTES: usize = 512 * 1024;

/// Most problems that are told one by one.
const MAX_TOLD: usize = 20;

/// What is imported.
#[derive(Debug, Args)]
#[command(after_help = "\
Columns of CSV, by the names of the first line: job_type, account; as wanted id, level, cushion, context.
JSON Lines have the same names. A line that is refused stops no other; exits 1 then.

Jobs that exist are left as they are, so an import that broke off is simply repeated, or goes on at the
line that it names: --from-line 4001.")]
pub(crate) struct Import {
    /// The file; standard input unless given.
    file: Option<PathBuf>,

    /// How it is written; told by the name's ending, .csv, .jsonl or .ndjson, unless given.
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Leaves out the lines before.
    #[arg(long, value_name = "LINE", default_value_t = 1)]
    from_line: u64,

    /// Tells the result of each line.
    #[arg(long)]
    each: bool,
}

/// How it went.
#[derive(Debug, Default, Serialize)]
struct Imported {
    created: u64,
    existing: u64,
    refused: u64,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct Problem {
    line: u64,
    error: String,
}

/// An import under way.
struct Importing<'a, 'b> {
    client: &'a Client,
    output: &'a mut Output<'b>,
    call: Call,
    bar: ProgressBar,
    each: bool,
    batch: Vec<(u64, String)>,
    size_bytes: usize,
    done: Imported,
}

impl Import {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let format = Format::of(self.format, self.file.as_deref()).ok_or_else(|| {
            Failure::Usage("say how the file is written: --format csv or --format jsonl".to_owned())
        })?;
        let channel = session.channel().await?;
        let Session {
            client,
            mut output,
            input,
            ..
        } = session;
        let input: Box<dyn BufRead + '_> = match &self.file {
            Some(file) => Box::new(BufReader::new(File::open(file).map_err(|error| {
                Failure::Usage(format!("{} cannot be read: {error}", file.display()))
            })?)),
            None => Box::new(input),
        };
        let bar = output.bar(None);
        let mut importing = Importing {
            client: &client,
            output: &mut output,
            call: Call::post(["v1", "channels", &channel, "jobs:batch"]),
            bar,
            each: self.each,
            batch: Vec::with_capacity(MAX_BATCH),
            size_bytes: 0,
            done: Imported::default(),
        };
        for row in rows(format, input)? {
            let row = row?;
            match row.job {
                _ if row.line < self.from_line => {}
                Ok(job) => importing.take(row.line, job).await?,
                Err(error) => importing.refuse(row.line, error)?,
            }
        }
        importing.flush().await?;
        importing.bar.finish_and_clear();
        let done = importing.done;
        tell(&mut output, &channel, &done)
    }
}

impl Importing<'_, '_> {
    async fn take(&mut self, line: u64, job: String) -> Result<(), Failure> {
        if self.size_bytes + job.len() > MAX_BATCH_SIZE_BYTES {
            self.flush().await?;
        }
        self.size_bytes += job.len();
        self.batch.push((line, job));
        match self.batch.len() {
            MAX_BATCH.. => self.flush().await,
            _ => Ok(()),
        }
    }

    /// Registers what was gathered. Without an answer it is known from where to go on.
    async fn flush(&mut self) -> Result<(), Failure> {
        let batch = std::mem::take(&mut self.batch);
        self.size_bytes = 0;
        let Some((first, _)) = batch.first() else {
            return Ok(());
        };
        let jobs: Vec<&str> = batch.iter().map(|(_, job)| job.as_str()).collect();
        let call = self.call.clone().body(jobs.join("\n"));
        let answer = self.client.json_surely(&call).await;
        let answer = answer.map_err(|failure| broke_off(failure, *first))?;
        self.bar.inc(batch.len() as u64);
        let results = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
        if results.len() != batch.len() {
            let error = "the server answered another number of jobs than it was sent";
            return Err(Failure::Problem(error.to_owned()));
        }
        for ((line, _), result) in batch.into_iter().zip(results) {
            self.note(line, result)?;
        }
        Ok(())
    }

    fn note(&mut self, line: u64, result: &Value) -> Result<(), Failure> {
        let told = match result["result"].as_str() {
            Some("created") => {
                self.done.created += 1;
                "registered"
            }
            Some(_) => {
                self.done.existing += 1;
                "was registered before, and is left as it is"
            }
            None => {
                let error = result["error"].as_str().unwrap_or("refused");
                let error = match result["field"].as_str() {
                    Some(field) => format!("{field}: {error}"),
                    None => error.to_owned(),
                };
                return self.refuse(line, error);
            }
        };
        if self.each {
            match self.output.json {
                true => self.output.json_line(
                    &json!({ "line": line, "id": result["id"], "result": result["result"] }),
                )?,
                false => {
                    let id = result["id"].as_str().unwrap_or_default();
                    self.output.line(&format!("line {line}: {id} {told}"))?;
                }
            }
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, error: String) -> Result<(), Failure> {
        self.done.refused += 1;
        if !self.output.json && self.done.problems.len() < MAX_TOLD {
            let told = format!("line {line}: {error}");
            self.bar.suspend(|| self.output.note(&told))?;
        }
        if self.done.problems.len() < MAX_TOLD {
            self.done.problems.push(Problem { line, error });
        }
        Ok(())
    }
}

fn broke_off(failure: Failure, line: u64) -> Failure {
    let go_on = |what| {
        format!(
            "{what}; all lines before {line} are done: repeat the command, or go on with --from-line {line}"
        )
    };
    match failure {
        Failure::NoAnswer(what) => Failure::NoAnswer(go_on(what)),
        Failure::Refused(what) => Failure::Refused(go_on(what)),
        failure => failure,
    }
}

fn tell(output: &mut Output<'_>, channel: &str, done: &Imported) -> Result<(), Failure> {
    let told = format!(
        "channel {channel}: {} jobs registered, {} were registered before, {} lines refused",
        count(done.created),
        count(done.existing),
        count(done.refused)
    );
    match output.json {
        true => output.document(done)?,
        false => output.line(&told)?,
    }
    match done.refused {
        0 => Ok(()),
        refused => Err(Failure::Problem(format!(
            "{} lines were refused; mend them, and import the file again",
            count(refused)
        ))),
    }
}
