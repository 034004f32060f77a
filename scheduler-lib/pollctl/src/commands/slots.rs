//! `pollctl slots`

use clap::Args;
use serde_json::Value;

use crate::{
    client::Call,
    failure::Failure,
    session::Session,
    table::{Cell, Colour, Table},
    time::{count, length},
};

/// Longest bar, in characters.
const WIDTH: u64 = 40;

/// Eighths of a character.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// How far to look.
#[derive(Debug, Args)]
pub(crate) struct Slots {
    /// Slots ahead, the one that is drained now included; all 1440 of the ring unless given.
    #[arg(long)]
    slots: Option<usize>,

    /// Bars to draw.
    #[arg(long, default_value_t = 24)]
    bars: usize,
}

impl Slots {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<(), Failure> {
        let channel = session.channel().await?;
        let call = Call::get(["v1", "channels", &channel, "slots"])
            .query("slots", self.slots)
            .query("bars", Some(self.bars));
        let answer = session.client.json(&call).await?;
        if session.output.json {
            session.output.document(&answer)?;
            return Ok(());
        }
        let width_ms = answer["width_ms"].as_i64().unwrap_or_default();
        let bars = answer["bars"].as_array().map_or(&[][..], Vec::as_slice);
        let jobs = |bar: &Value| bar["jobs"].as_u64().unwrap_or_default();
        let most = bars.iter().map(jobs).max().unwrap_or_default();
        let mut table = Table::new(["FROM", "TO", "JOBS", ""]);
        for bar in bars {
            let ahead = |name: &str, more: i64| {
                let slots = bar[name].as_i64().unwrap_or_default() + more;
                match slots {
                    0 => "now".to_owned(),
                    slots => length(slots.saturating_mul(width_ms)),
                }
            };
            table.row([
                ahead("from", 0).into(),
                ahead("to", 1).into(),
                Cell::number(count(jobs(bar))),
                Cell::from(drawn(jobs(bar), most)).colour(Colour::Good),
            ]);
        }
        session.output.table(&table)?;
        let by_type = answer["due"].as_object().into_iter().flatten();
        let by_type: Vec<_> = by_type
            .map(|(job_type, due)| {
                format!("{} {job_type}", count(due.as_u64().unwrap_or_default()))
            })
            .collect();
        if !by_type.is_empty() {
            session.output.line(&format!("\n{}", by_type.join(", ")))?;
        }
        Ok(())
    }
}

/// A bar as long as `jobs` are of `most`; any is seen.
fn drawn(jobs: u64, most: u64) -> String {
    let share = u128::from(jobs) * u128::from(WIDTH * 8) / u128::from(most.max(1));
    // At most the width times eight.
    let eighths = (share as u64).max(u64::from(jobs > 0));
    let whole = "█".repeat((eighths / 8) as usize);
    whole + EIGHTHS[(eighths % 8) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(drawn(100, 100).chars().count(), 40);
        assert_eq!(drawn(50, 100), "█".repeat(20));
        assert_eq!(
            (drawn(1, 1_000_000), drawn(0, 100)),
            ("▏".to_owned(), String::new())
        );
        assert_eq!(drawn(u64::MAX, u64::MAX).chars().count(), 40);
    }
}
