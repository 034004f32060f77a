//! `pollctl export`

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Map, Value};

use super::{
    filter::Filter,
    rows::{COLUMNS, Format},
};
use crate::{
    client::{Call, Client},
    failure::Failure,
    session::{Session, jobs_of},
    time::count,
};

/// Jobs of one answer, contexts included.
const PAGE: usize = 100;

/// What is exported.
#[derive(Debug, Args)]
#[command(after_help = "\
The file has what a registration has, contexts included: `import` registers the same jobs anew. Where
they stand in their cycle is not in it; to move a store as it is, use `scheduler export`.")]
pub(crate) struct Export {
    /// The file, which must not exist; standard output unless given.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,

    /// How to write it; told by the name's ending, .csv or .jsonl, unless given, and jsonl else.
    #[arg(long, value_enum)]
    format: Option<Format>,

    #[command(flatten)]
    filter: Filter,
}

/// A file under way: it has its name once it is whole.
struct Partial {
    name: PathBuf,
    partial: PathBuf,
}

impl Partial {
    fn create(name: &Path) -> Result<(Self, File), Failure> {
        let wrong = |what: &str| Failure::Usage(format!("{} {what}", name.display()));
        if name.exists() {
            return Err(wrong("exists: name another file, or remove it"));
        }
        let mut partial = OsString::from(name);
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial)
            .map_err(|error| wrong(&format!("cannot be created: {error}")))?;
        let name = name.to_owned();
        Ok((Self { name, partial }, file))
    }
}

impl Export {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let channel = session.channel().await?;
        let format = Format::of(self.format, self.to.as_deref()).unwrap_or(Format::Jsonl);
        let counts = Call::get(["v1", "channels", &channel]);
        let counts = session.client.json(&counts).await?;
        let bar = session.output.bar(counts["counts"]["registered"].as_u64());
        let Some(name) = &self.to else {
            self.write(
                &session.client,
                &channel,
                format,
                &mut session.output.out,
                &bar,
            )
            .await?;
            bar.finish_and_clear();
            return Ok(());
        };
        let (partial, file) = Partial::create(name)?;
        let mut file = BufWriter::new(file);
        let jobs = self
            .write(&session.client, &channel, format, &mut file, &bar)
            .await?;
        file.into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()?;
        fs::rename(&partial.partial, &partial.name)?;
        bar.finish_and_clear();
        match session.output.json {
            true => session
                .output
                .document(&serde_json::json!({ "jobs": jobs }))?,
            false => session.output.line(&format!(
                "channel {channel}: {} jobs in {}",
                count(jobs),
                name.display()
            ))?,
        }
        Ok(())
    }

    async fn write(
        &self,
        client: &Client,
        channel: &str,
        format: Format,
        out: &mut dyn Write,
        bar: &ProgressBar,
    ) -> Result<u64, Failure> {
        if format == Format::Csv {
            out.write_all(&record(COLUMNS)?)?;
        }
        let (mut jobs, mut after) = (0, None::<String>);
        loop {
            let call = Call::get(["v1", "channels", channel, "jobs"])
                .query("limit", Some(PAGE))
                .query("contexts", Some(true))
                .query("after", after.as_ref());
            let page = client.json_surely(&self.filter.narrow(call)).await?;
            for job in jobs_of(&page) {
                out.write_all(&line(job, format)?)?;
                jobs += 1;
            }
            bar.set_position(jobs);
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        out.flush()?;
        Ok(jobs)
    }
}

/// A job as a registration has it.
fn line(job: &Value, format: Format) -> io::Result<Vec<u8>> {
    if format == Format::Csv {
        return record(COLUMNS.map(|column| match &job[column] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }));
    }
    let fields = COLUMNS.iter().filter(|column| !job[**column].is_null());
    let fields: Map<_, _> = fields
        .map(|column| ((*column).to_owned(), job[*column].clone()))
        .collect();
    let mut line = serde_json::to_vec(&fields)?;
    line.push(b'\n');
    Ok(line)
}

/// A line of CSV.
fn record(fields: [impl AsRef<[u8]>; COLUMNS.len()]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields).map_err(io::Error::from)?;
    writer.into_inner().map_err(|error| error.into_error())
}
