//! `pollctl health`

use serde_json::Value;

use crate::{
    client::Call,
    failure::Failure,
    session::Session,
    table::{Cell, Colour, Table},
};

pub(crate) async fn run(mut session: Session<'_>) -> Result<(), Failure> {
    // Both statuses, ready or not, have the same body.
    let answer = session.client.ask(&Call::get(["readyz"])).await?;
    let body = session.client.parse(&answer.text)?;
    let Some(ready) = body["ready"].as_bool() else {
        return Err(match answer.status.is_success() {
            true => Failure::Refused(format!(
                "{} answers, but not as a scheduler's admin server: see --url",
                session.client.address()
            )),
            false => answer.failure(),
        });
    };
    if session.output.json {
        session.output.document(&body)?;
    } else {
        let mut table = Table::new(["CHANNEL", "READY", "WHY NOT"]);
        for (name, channel) in body["channels"].as_object().into_iter().flatten() {
            table.row(row(name, channel));
        }
        session.output.table(&table)?;
    }
    match ready {
        true => Ok(()),
        false => Err(Failure::Problem("the scheduler is not ready".to_owned())),
    }
}

fn row(name: &str, channel: &Value) -> [Cell; 3] {
    let ready = match channel["ready"].as_bool() {
        Some(true) => Cell::from("yes").colour(Colour::Good),
        _ => Cell::from("no").colour(Colour::Bad),
    };
    let reason = channel["reason"].as_str().unwrap_or_default();
    [name.into(), ready, reason.into()]
}
