//! `pollctl scopes`

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::filter::Filter;
use crate::{
    client::Call,
    failure::Failure,
    session::Session,
    table::{Cell, Colour, Table},
    time::{count, length, relative},
};

/// Jobs that the server looks at for one answer.
const PAGE: usize = 500;

/// How many more scopes than are told are kept while pages are read.
const KEPT: usize = 1_000;

/// Which scopes.
#[derive(Debug, Args)]
#[command(after_help = "\
The scopes are those of the channel's jobs, page by page; the tightest are told first. Of a channel with
very many jobs ask for those of an account, a job type or a level.")]
pub(crate) struct Scopes {
    #[command(flatten)]
    filter: Filter,

    /// Most scopes to tell.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

impl Scopes {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let channel = session.channel().await?;
        let bar = session.output.bar(None);
        let mut scopes: BTreeMap<String, Value> = BTreeMap::new();
        let (mut after, mut left_out) = (None::<String>, false);
        loop {
            let call = Call::get(["v1", "channels", &channel, "scopes"])
                .query("limit", Some(PAGE))
                .query("after", after.as_ref());
            let answered = session.client.json_surely(&self.filter.narrow(call)).await;
            let page = answered.inspect_err(|_| bar.finish_and_clear())?;
            for scope in page["scopes"].as_array().into_iter().flatten() {
                let name = scope["scope"].as_str().unwrap_or_default();
                scopes.insert(name.to_owned(), scope.clone());
            }
            if scopes.len() > self.limit.saturating_add(KEPT) {
                let kept = tightest(scopes, self.limit);
                let name = |scope: &Value| scope["scope"].as_str().unwrap_or_default().to_owned();
                scopes = kept
                    .into_iter()
                    .map(|scope| (name(&scope), scope))
                    .collect();
                left_out = true;
            }
            bar.inc(PAGE as u64);
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        bar.finish_and_clear();
        left_out |= scopes.len() > self.limit;
        let told = tightest(scopes, self.limit);
        if session.output.json {
            let told = json!({ "scopes": told, "left_out": left_out });
            session.output.document(&told)?;
            return Ok(());
        }
        tell(&mut session, &told)?;
        if left_out {
            let note = format!("the {} tightest; ask for more with --limit", told.len());
            session.output.note(&note)?;
        }
        Ok(())
    }
}

/// The share that is left of a scope's tightest window; none of a scope that refuses calls, and all of
/// one of which nothing is known.
fn left(scope: &Value) -> f64 {
    if scope["refused_until_ms"].is_number() {
        return -1.0;
    }
    let share = |window: &Value| {
        let (free, limit) = (window["free"].as_f64()?, window["limit"].as_f64()?);
        Some(free / limit.max(1.0))
    };
    let windows = scope["windows"].as_array().into_iter().flatten();
    windows.filter_map(share).fold(f64::INFINITY, f64::min)
}

fn tightest(scopes: BTreeMap<String, Value>, limit: usize) -> Vec<Value> {
    let mut scopes: Vec<Value> = scopes.into_values().collect();
    // By name, where as tight.
    scopes.sort_by(|a, b| left(a).total_cmp(&left(b)));
    scopes.truncate(limit);
    scopes
}

fn tell(session: &mut Session<'_>, scopes: &[Value]) -> Result<(), Failure> {
    let now_ms = session.clock.now_ms();
    let mut table = Table::new(["SCOPE", "LEFT", "OF", "WINDOW", "FULL AGAIN", "STANDS"]);
    for scope in scopes {
        let name = scope["scope"].as_str().unwrap_or_default();
        let stands = match scope["refused_until_ms"].as_i64() {
            Some(until_ms) => {
                let text = format!("refuses calls, until {}", relative(until_ms, now_ms));
                Cell::from(text).colour(Colour::Bad)
            }
            None => match scope["price"].as_f64() {
                Some(price) if price > 0.0 => {
                    let text = format!("scarce: a call has to save {price:.2} min of delay");
                    Cell::from(text).colour(Colour::Doubtful)
                }
                _ => Cell::from("enough for all").colour(Colour::Good),
            },
        };
        let windows = scope["windows"].as_array().map_or(&[][..], Vec::as_slice);
        let Some((first, more)) = windows.split_first() else {
            table.row(unheard(name, &scope["limit"], stands));
            continue;
        };
        let [left, of, length, ends] = window(first, now_ms);
        table.row([name.into(), left, of, length, ends, stands]);
        for other in more {
            let [left, of, length, ends] = window(other, now_ms);
            table.row(["".into(), left, of, length, ends, "".into()]);
        }
    }
    match table.is_empty() {
        true => session
            .output
            .note("no scope: the jobs' calls count in none")?,
        false => session.output.table(&table)?,
    }
    Ok(())
}

fn window(window: &Value, now_ms: i64) -> [Cell; 4] {
    let figure = |name: &str| count(window[name].as_u64().unwrap_or_default());
    let time = |name: &str| window[name].as_i64().unwrap_or_default();
    [
        Cell::number(figure("free")),
        Cell::number(figure("limit")),
        length(time("length_ms")).into(),
        relative(time("ends_ms"), now_ms).into(),
    ]
}

/// A scope of which nothing was heard: what its rules say.
fn unheard(name: &str, limit: &Value, stands: Cell) -> [Cell; 6] {
    let calls = limit["calls"]
        .as_u64()
        .map_or_else(|| "?".to_owned(), count);
    let window = limit["window_ms"]
        .as_i64()
        .map_or_else(|| "?".to_owned(), length);
    let stands = match limit.is_null() {
        true => Cell::from("nothing heard yet"),
        false => stands,
    };
    [
        name.into(),
        Cell::number("?"),
        Cell::number(calls),
        window.into(),
        "?".into(),
        stands,
    ]
}
