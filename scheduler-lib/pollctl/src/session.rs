//! What each command has at hand: the server, the channel, and where to write.

use std::io::{BufRead, Read, Write};

use polling_model::SharedClock;
use serde_json::Value;

use crate::{
    client::{Call, Client},
    failure::Failure,
    output::Output,
    suggest,
    token::Token,
};

/// Longest answer to a question, bytes.
const MAX_ANSWER_LEN: u64 = 100;

/// What a command is given by who calls it.
pub struct Io<'a> {
    /// For what was asked for.
    pub out: &'a mut dyn Write,
    /// For what goes wrong, and how far it is.
    pub err: &'a mut dyn Write,
    /// For `import` without a file.
    pub input: &'a mut dyn BufRead,
    /// Whether `out` shows colours: a terminal does.
    pub colours: bool,
    /// Whether somebody is there to be asked: `input` is a terminal.
    pub asks: bool,
    /// Whether standard error is a terminal, that shows how far a long command is.
    pub progress: bool,
    /// The admin token, unless a file is named.
    pub token: Option<Token>,
    /// What the time is.
    pub clock: SharedClock,
}

/// A command under way.
pub(crate) struct Session<'a> {
    pub(crate) client: Client,
    pub(crate) output: Output<'a>,
    pub(crate) input: &'a mut dyn BufRead,
    pub(crate) clock: SharedClock,
    pub(crate) channel: Option<String>,
    pub(crate) asks: bool,
}

impl Session<'_> {
    /// The channel that is meant: the one that was named, or the only one there is.
    pub(crate) async fn channel(&mut self) -> Result<String, Failure> {
        if let Some(channel) = &self.channel {
            return Ok(channel.clone());
        }
        let found = self.client.json(&Call::get(["v1", "channels"])).await?;
        let names: Vec<&str> = found["channels"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|channel| channel["channel"].as_str())
            .collect();
        let [only] = names[..] else {
            return Err(Failure::Usage(format!(
                "the scheduler serves several channels: name one with --channel or POLLCTL_CHANNEL ({})",
                names.join(", ")
            )));
        };
        self.channel = Some(only.to_owned());
        Ok(only.to_owned())
    }

    /// Asks whether to do it, unless the command line says so.
    pub(crate) fn confirm(&mut self, yes: bool, question: &str) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        if !self.asks {
            let error = format!("{question} Say so with --yes, where nobody can be asked");
            return Err(Failure::Usage(error));
        }
        write!(self.output.err, "{question} [y/N] ")?;
        self.output.err.flush()?;
        let mut answer = String::new();
        // A line that never ends is no answer.
        (&mut *self.input)
            .take(MAX_ANSWER_LEN)
            .read_line(&mut answer)?;
        match answer.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::Problem("nothing was done".to_owned())),
        }
    }

    /// Of a job that nobody knows, with the nearest that is known: of the channel's first page.
    pub(crate) async fn with_nearest_job(
        &mut self,
        failure: Failure,
        channel: &str,
        job: &str,
    ) -> Failure {
        let Failure::NotFound(what) = failure else {
            return failure;
        };
        let first = Call::get(["v1", "channels", channel, "jobs"]).query("limit", Some(1_000));
        // What is not found is told in any case; the nearest name is no more than a help.
        let Ok(page) = self.client.json(&first).await else {
            return Failure::NotFound(what);
        };
        let ids = jobs_of(&page).iter().filter_map(|job| job["id"].as_str());
        Failure::NotFound(match suggest::nearest(job, ids) {
            Some(nearest) => format!("{what}: did you mean {nearest}?"),
            None => what,
        })
    }
}

/// The jobs of a page.
pub(crate) fn jobs_of(page: &Value) -> &[Value] {
    page["jobs"].as_array().map_or(&[], Vec::as_slice)
}
