//! What an operator decides on: accounts that burst, limits that get short, dead letters.

use polling_model::{Allowance, Generator, ScopeKey};
use scheduler_lib::{
    MemoryStore,
    ledger::{Heard, Ledger, MemoryLedger},
    store::{Burst, Hold, ListCursor, SlotStore, Undecodable},
};

const MINUTE_MS: i64 = 60_000;

/// Jobs that burst, and what else is shown of single ones.
const JOBS: usize = 40;

/// Has a channel look as after a busy day.
pub(crate) async fn furnish(
    store: &MemoryStore,
    ledger: &MemoryLedger,
    generator: &Generator,
    now_ms: i64,
) -> anyhow::Result<()> {
    let page = store.list(None::<&ListCursor>, JOBS).await?;
    let mut bursts = Vec::new();
    for (rank, job) in page.records.iter().enumerate() {
        for _ in 0..generator.below(90) as usize / (rank + 1) {
            let at_ms = now_ms - generator.below(24 * 60) as i64 * MINUTE_MS;
            bursts.push(Burst {
                at_ms,
                id: job.id.clone(),
                account: job.state.account.clone(),
                events: 80 + generator.below(300),
                waited_ms: Some((1 + generator.below(45) as i64) * MINUTE_MS),
                next_ms: Some(at_ms + 20_000),
            });
        }
    }
    bursts.sort_by_key(|burst| burst.at_ms);
    store.note_bursts(bursts).await?;
    for (job, (hold, why)) in page.records.iter().rev().zip([
        (
            Hold::Quarantined,
            "quarantined: 3 dead letters without a completion between",
        ),
        (
            Hold::Quarantined,
            "quarantined: 3 dead letters without a completion between",
        ),
        (
            Hold::Refused,
            "its queue refused the message: larger than 256 KiB",
        ),
        (Hold::Parked, "parked by hand"),
    ]) {
        store.hold(&job.id, hold, why).await?;
    }
    for (number, body) in [
        "{\"v\":9,\"id\":\"posts:17\"}",
        "<html>502 Bad Gateway</html>",
    ]
    .iter()
    .enumerate()
    {
        let message = Undecodable {
            message_id: format!("6f1c2a-{number}"),
            kept_ms: now_ms - 47 * MINUTE_MS,
            error: "expected a completion: missing field `token` at line 1 column 23".to_owned(),
            body: (*body).to_owned(),
        };
        store.keep_undecodable(message).await?;
    }
    hear(ledger, "app", [60_000, 9_000], None, now_ms).await?;
    let accounts = page
        .records
        .iter()
        .take(12)
        .map(|job| job.state.account.as_str());
    for (number, account) in accounts.enumerate() {
        let left = 300 - 25 * number as u64;
        let refused_until_ms = (number == 9).then_some(now_ms + 4 * MINUTE_MS);
        let scope = format!("account:{account}");
        hear(ledger, &scope, [300, left], refused_until_ms, now_ms).await?;
    }
    Ok(())
}

/// As a channel tells of a limit, of which so many calls are left.
async fn hear(
    ledger: &MemoryLedger,
    scope: &str,
    [limit, left]: [u64; 2],
    refused_until_ms: Option<i64>,
    now_ms: i64,
) -> anyhow::Result<()> {
    let scope: ScopeKey = scope.parse()?;
    let mut allowance = Allowance::of(scope.clone());
    allowance.limit = Some(limit);
    allowance.remaining = Some(left);
    allowance.reset_at_ms = Some(now_ms + 5 * MINUTE_MS);
    allowance.window_ms = Some(15 * MINUTE_MS);
    let heard = Heard {
        scope,
        ended: 0,
        used: 0,
        allowances: vec![allowance],
        at_ms: now_ms,
        refused_until_ms,
    };
    ledger.hear(&[heard], now_ms).await?;
    Ok(())
}
