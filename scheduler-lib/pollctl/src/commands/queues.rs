//! `pollctl queues`

use serde_json::Value;

use crate::{
    client::Call,
    failure::Failure,
    session::Session,
    table::{Cell, Colour, Table},
    time::{count, length},
};

pub(crate) async fn run(mut session: Session<'_>) -> Result<(), Failure> {
    let channel = session.channel().await?;
    let call = Call::get(["v1", "channels", &channel, "queues"]);
    let answer = session.client.json(&call).await?;
    let queues = answer["queues"].as_array().map_or(&[][..], Vec::as_slice);
    if session.output.json {
        session.output.document(&answer)?;
    } else {
        let mut table = Table::new(["QUEUE", "FOR", "WAITING", "IN FLIGHT", "OLDEST"]);
        for queue in queues {
            table.row(row(queue));
        }
        session.output.table(&table)?;
    }
    let silent = queues.iter().filter(|queue| queue["error"].is_string());
    match silent.count() {
        0 => Ok(()),
        silent => Err(Failure::Problem(format!(
            "{silent} of {} queues cannot be asked: pollctl doctor tells more",
            queues.len()
        ))),
    }
}

fn row(queue: &Value) -> [Cell; 5] {
    let text = |name: &str| queue[name].as_str().unwrap_or_default();
    let role = match (text("role"), queue["job_type"].as_str()) {
        ("work", Some(job_type)) => format!("work {job_type}"),
        ("dead_letter", _) => "dead letters".to_owned(),
        (role, _) => role.to_owned(),
    };
    let name = Cell::from(text("name"));
    if let Some(error) = queue["error"].as_str() {
        let error = Cell::from(error).colour(Colour::Bad);
        return [name, role.into(), error, "".into(), "".into()];
    }
    let figure = |name: &str| queue[name].as_u64().unwrap_or_default();
    let waiting = Cell::number(count(figure("visible")));
    let waiting = match (text("role"), figure("visible")) {
        ("dead_letter", 1..) => waiting.colour(Colour::Doubtful),
        _ => waiting,
    };
    // SQS tells the age of none.
    let oldest = match (queue["oldest_age_ms"].as_i64(), figure("visible")) {
        (Some(age_ms), _) => length(age_ms),
        (None, 0) => "-".to_owned(),
        (None, _) => "?".to_owned(),
    };
    let in_flight = Cell::number(count(figure("in_flight")));
    [name, role.into(), waiting, in_flight, Cell::number(oldest)]
}
