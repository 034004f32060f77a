//! `scheduler settings`: what may change, for people and for `pollctl config load`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read as _, Write as _},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;
use polling_ops::config::Found;
use serde::Serialize;

use super::{catalog, keys_in, layers};
use crate::config::Config;

/// Most that is read from standard input, bytes.
const MAX_INPUT_SIZE_BYTES: u64 = 16 * 1024 * 1024;

/// How it is told.
#[derive(Debug, Args)]
pub struct Tell {
    /// Tells it as JSON.
    #[arg(long = "json")]
    as_json: bool,

    /// Reads values from standard input, {"CHANNEL/JOB_TYPE/SETTING": "VALUE", …}, and tells, as JSON too, which of them would
    /// be refused if a source held them all. Nothing is changed.
    #[arg(long)]
    check: bool,
}

#[derive(Serialize)]
struct Told {
    settings: BTreeMap<String, Setting>,
    /// Keys that were read, and that another program reads.
    others: BTreeSet<String>,
    /// By key, why.
    refused: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Setting {
    help: &'static str,
    #[serde(rename = "static", skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl Tell {
    pub(crate) fn execute(&self, config: &Config) -> anyhow::Result<ExitCode> {
        let (base, layers) = layers(config)?;
        let catalog = catalog();
        let keys = keys_in(&catalog, &base).into_iter();
        let settings: BTreeMap<_, _> = keys
            .map(|(key, help, value)| (key.to_string(), Setting { help, value }))
            .collect();
        let mut out = io::stdout().lock();
        if !self.as_json && !self.check {
            for (key, Setting { help, value }) in settings {
                let value = value.unwrap_or_else(|| "-".to_owned());
                writeln!(out, "{key} = {value:12}  {help}")?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let found = if self.check { found()? } else { Found::new() };
        let others = found.keys().filter(|key| catalog.leaves(key)).cloned();
        let told = Told {
            settings,
            others: others.collect(),
            refused: layers.refusals(found),
        };
        writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn found() -> anyhow::Result<Found> {
    let mut text = String::new();
    let input = io::stdin().lock();
    input
        .take(MAX_INPUT_SIZE_BYTES)
        .read_to_string(&mut text)
        .context("standard input cannot be read")?;
    serde_json::from_str(&text)
        .context("standard input needs an object of keys and values, as texts")
}
