//! Rates from files.

use std::path::Path;

use anyhow::Context;
use replay::Trace;
use scheduler_lib::plan::Rates;

const DAY_MS: f64 = 24.0 * 3_600_000.0;

/// How many rows that were left out are told.
const TOLD: usize = 3;

/// Rates, and what is to be told about them.
type Found = (Rates, Vec<String>);

/// Of rows `account,items_per_day`. A first row that is not one is a header; others are left out.
pub(super) fn rates(file: &Path) -> anyhow::Result<Found> {
    let name = file.display();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(file)
        .with_context(|| format!("--rates: {name} cannot be read"))?;
    let (mut rates, mut refused, mut notes) = (Vec::new(), 0_usize, Vec::new());
    for (record, line) in reader.byte_records().zip(1_u64..) {
        let record = record.with_context(|| format!("--rates: {name} cannot be read"))?;
        let rate = record
            .get(1)
            .map(String::from_utf8_lossy)
            .unwrap_or_default();
        match rate.parse::<f64>() {
            Ok(rate) => rates.push(rate),
            Err(_) if line == 1 => {}
            Err(_) => {
                refused += 1;
                if refused <= TOLD {
                    notes.push(format!(
                        "{name}, line {line}: {rate:?} is no rate; it is left out"
                    ));
                }
            }
        }
    }
    if refused > TOLD {
        notes.push(format!(
            "{name}: {} further rows were left out",
            refused - TOLD
        ));
    }
    let rates = Rates::of(rates)
        .with_context(|| format!("--rates: {name} has no rows `account,items_per_day`"))?;
    Ok((rates, notes))
}

/// Of rows `account,unix_seconds`: each account's items by the time from the first of all items to
/// the last, a day at least.
pub(super) fn trace(file: &Path) -> anyhow::Result<Found> {
    let name = file.display();
    let trace = Trace::open(file).with_context(|| format!("--trace: {name} cannot be used"))?;
    let items = || trace.accounts.iter().flatten().copied();
    let (first_ms, last_ms) = (items().min().unwrap_or(0), items().max().unwrap_or(0));
    let days = (last_ms.saturating_sub(first_ms) as f64 / DAY_MS).max(1.0);
    let rates = Rates::of(trace.accounts.iter().map(|items| items.len() as f64 / days))?;
    let mut notes = vec![format!(
        "{name}: {} items of {} accounts in {days:.1} days, {:.2} a day each; accounts without items are not in it",
        trace.items(),
        trace.accounts.len(),
        rates.mean(),
    )];
    if let Some(reason) = trace.reasons.first() {
        notes.push(format!(
            "{name}: {} rows were left out; {reason}",
            trace.refused
        ));
    }
    Ok((rates, notes))
}
