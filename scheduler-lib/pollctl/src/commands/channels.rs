//! `pollctl channels`

use serde_json::{Value, json};

use crate::{
    client::Call,
    failure::Failure,
    session::Session,
    table::{Cell, Colour, Table},
    time::{count, relative},
};

pub(crate) async fn run(mut session: Session<'_>) -> Result<(), Failure> {
    let listed = session.client.json(&Call::get(["v1", "channels"])).await?;
    let mut shown = Vec::new();
    for channel in listed["channels"].as_array().into_iter().flatten() {
        let name = channel["channel"].as_str().unwrap_or_default();
        let call = Call::get(["v1", "channels", name]);
        shown.push(session.client.json(&call).await?);
    }
    if session.output.json {
        session.output.document(&json!({ "channels": shown }))?;
        return Ok(());
    }
    let now_ms = session.clock.now_ms();
    let mut table = Table::new([
        "CHANNEL",
        "JOBS",
        "IN SLOTS",
        "IN FLIGHT",
        "LATER",
        "HELD",
        "LAST TICK",
        "",
    ]);
    for channel in &shown {
        let figure = |of: &Value| Cell::number(of.as_u64().map_or_else(|| "?".to_owned(), count));
        let counts = &channel["counts"];
        let tick = match channel["status"]["last_tick_ms"].as_i64() {
            Some(at_ms) if at_ms > 0 => relative(at_ms, now_ms),
            _ => "never".to_owned(),
        };
        let stopped = channel["stopped"].as_str();
        let stopped = stopped.map_or_else(String::new, |reason| format!("stopped: {reason}"));
        let stopped = Cell::from(stopped);
        table.row([
            channel["channel"].as_str().unwrap_or_default().into(),
            figure(&counts["registered"]),
            figure(&counts["slots"]),
            figure(&counts["in_flight"]),
            figure(&counts["later"]),
            figure(&counts["held"]),
            tick.into(),
            stopped.colour(Colour::Bad),
        ]);
    }
    session.output.table(&table)?;
    Ok(())
}
