//! The judgement of a run by what the oracles saw.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{EVENTS, Run, Settled};
use crate::{
    clock::ms,
    oracle::{
        calls::{self, Call, Gaps},
        events::Events,
        watch::Counts,
    },
    report::Report,
    scenario::Allow,
    stage::bounds,
};

/// The queues are back to normal if less waits in them than what becomes due in so long.
const BACKLOG: Duration = Duration::from_secs(4);

/// While everything still runs.
pub(super) async fn judge(run: &mut Run, allow: &Allow) -> anyhow::Result<Report> {
    let mut report = Report {
        scenario: run.tag.clone(),
        folder: run.stage.folder.clone(),
        ..Report::default()
    };
    settled(run, allow, &mut report);
    drained(run, &mut report).await?;
    let events = Events::check(&run.stage, EVENTS).await?;
    told_events(&events, allow, &mut report);
    repairs(run, allow, &mut report).await;
    registrations(run, allow, &mut report);
    Ok(report)
}

/// After the processes have ended: nothing changes any more.
pub(super) fn judge_end(run: &Run, report: &mut Report) {
    let counts = run.watch.counts();
    invariants(run, &counts, report);
    let unclean = &run.unclean;
    report.check(
        "all processes end when asked",
        unclean.is_empty(),
        unclean.join(", "),
    );
    report.faults = run.faults.counts();
    report.took_s = run.started.elapsed().as_secs_f64();
}

fn invariants(run: &Run, counts: &Counts, report: &mut Report) {
    let violations = run.watch.violations();
    let (forked, lost): (Vec<_>, Vec<_>) = violations
        .iter()
        .cloned()
        .partition(|what| what.contains(" is forked: "));
    report.check(
        "never lost",
        lost.is_empty() && counts.looks > 20,
        told(
            &lost,
            &format!(
                "{} looks, {} jobs",
                counts.looks,
                run.watch.last_look().registered
            ),
        ),
    );
    report.check(
        "never forked",
        forked.is_empty() && counts.accepted > 0,
        told(
            &forked,
            &format!(
                "{} writes, {} tokens accepted",
                counts.writes, counts.accepted
            ),
        ),
    );
}

/// Gaps, cost, dead letters: what the calls and the tap tell of the whole run.
pub(super) fn measures(run: &Run, allow: &Allow, report: &mut Report) -> anyhow::Result<()> {
    let calls = calls::read(&run.stage.channel_log())?;
    let counts = run.watch.counts();
    if let Some(recovery) = allow.recovery {
        gaps(run, recovery, &calls, report);
    }
    let polls = calls.iter().filter(|call| call.starts_poll()).count();
    let cost = polls as f64 / counts.dispatched.max(1) as f64;
    report.bounded(
        "polls for each dispatch",
        cost,
        "",
        allow.polls_per_dispatch,
    );
    report.figure("polls", polls as f64, "");
    for (name, count) in [
        ("dispatched", counts.dispatched),
        ("accepted", counts.accepted),
        ("reaped", counts.reaped),
        ("times the tap connected", counts.reconnects),
    ] {
        report.figure(name, count as f64, "");
    }
    let lag_s = seconds(counts.lag_ms);
    report.figure("writes seen late by, longest", lag_s, "s");
    Ok(())
}

fn gaps(run: &Run, recovery: Duration, calls: &[Call], report: &mut Report) {
    let gaps = measured_gaps(run, recovery, calls);
    let bound = run.stage.setting.interval + bounds::SLOT * 2;
    let p99 = seconds(calls::percentile(&gaps.calm_ms, 99));
    report.bounded("gap between polls, p99", p99, "s", bound.as_secs_f64());
    let longest = (bound + bounds::VISIBILITY).as_secs_f64();
    let max = seconds(gaps.calm_ms.last().copied().unwrap_or(0));
    report.bounded("gap between polls, longest", max, "s", longest);
    report.figure("gaps measured", gaps.calm_ms.len() as f64, "");
    if let Some(max_ms) = gaps.faulty_ms.last() {
        report.figure("longest gap under faults", seconds(*max_ms), "s");
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

/// Gaps of the whole run. Once every job was settled again after healing there is nothing left to
/// recover from, however long that might have taken.
fn measured_gaps(run: &Run, recovery: Duration, calls: &[Call]) -> Gaps {
    let windows = run.faults.windows();
    let measured = |time, windows| {
        let accounts = run.stage.setting.accounts;
        calls::gaps(calls, accounts, time, windows, ms(recovery))
    };
    match &run.settled_again {
        Settled::After(took) => {
            let again_ms = run.healed_ms + ms(*took);
            let mut gaps = measured((run.began_ms, again_ms), &windows);
            gaps.join(measured((again_ms, run.ended_ms), &[]));
            gaps
        }
        Settled::Not(_) => measured((run.began_ms, run.ended_ms), &windows),
    }
}

fn settled(run: &Run, allow: &Allow, report: &mut Report) {
    const NAME: &str = "every job settled after healing";
    let bound = allow.healed_within.as_secs_f64();
    match &run.settled_again {
        Settled::After(took) => report.bounded(NAME, took.as_secs_f64(), "s", bound),
        Settled::Not(waiting) => {
            let found = told(waiting, "") + &format!(" not settled {bound} s after healing");
            report.check(NAME, false, found);
        }
    }
}

async fn drained(run: &Run, report: &mut Report) -> anyhow::Result<()> {
    let setting = &run.stage.setting;
    let share = BACKLOG.as_secs_f64() / setting.interval.as_secs_f64();
    let normal = (f64::from(setting.all_accounts()) * share).ceil() as u64 + 20;
    let mut found = Vec::new();
    let mut holds = true;
    for kind in ["posts", "completed"] {
        let waiting = run.queues.waiting(&run.stage.queue(kind)).await?;
        holds &= waiting.visible + waiting.hidden <= normal;
        found.push(format!("{kind} {}+{}", waiting.visible, waiting.hidden));
    }
    let dead = run.queues.waiting(&run.stage.queue("dead-letter")).await?;
    holds &= dead.visible + dead.hidden == 0;
    let look = run.watch.last_look();
    let overdue = run.watch.overdue(ms(bounds::REAP_GRACE) + 3_000);
    holds &= look.in_flight <= normal && look.open_notes <= 8 && overdue == 0;
    found.push(format!(
        "dead letters {}, in flight {}, overdue {overdue}, notes {}",
        dead.visible + dead.hidden,
        look.in_flight,
        look.open_notes
    ));
    report.check(
        "queues and leases are back to normal",
        holds,
        found.join(", "),
    );
    Ok(())
}

fn told_events(events: &Events, allow: &Allow, report: &mut Report) {
    let events = match allow.unseen_posts {
        true => Events {
            never_offered: 0,
            ..events.clone()
        },
        false => events.clone(),
    };
    let violations = events.violations();
    let good = format!(
        "{} posts, {} offered, all in Kafka, {} repeats",
        events.posted, events.offered, events.repeats
    );
    report.check(
        "events exact",
        violations.is_empty(),
        told(&violations, &good),
    );
    report.figure("events", events.offered as f64, "");
    report.figure("repeats", events.repeats as f64, "");
}

async fn repairs(run: &Run, allow: &Allow, report: &mut Report) {
    let status = run.admin.status().await;
    let repaired: u64 = status.values().map(|one| one.repaired).sum();
    report.check(
        "nothing to repair",
        allow.repairs || repaired == 0,
        format!("{repaired} repaired, as {} schedulers tell", status.len()),
    );
    let healthy = |id: &String| !allow.culprits.contains(id);
    let mut struck = run.watch.struck();
    struck.retain(|id, _| healthy(id));
    let strikes: u64 = struck.values().sum();
    let quarantined = run.watch.quarantined().into_iter().filter(healthy).count();
    report.check(
        "healthy jobs are no dead letters",
        strikes <= allow.strikes && quarantined == 0,
        format!(
            "{strikes} strikes, {quarantined} quarantined{}",
            most_of(struck)
        ),
    );
}

/// The jobs that had most of the strikes.
fn most_of(struck: BTreeMap<String, u64>) -> String {
    let mut struck: Vec<_> = struck.into_iter().collect();
    struck.sort_by_key(|(_, strikes)| std::cmp::Reverse(*strikes));
    let told = |(id, strikes): &(String, u64)| format!("; {strikes} of {id}");
    struck.iter().take(5).map(told).collect()
}

fn registrations(run: &Run, allow: &Allow, report: &mut Report) {
    let expected = match &run.load_ended {
        Some(Ok(expected)) => expected,
        Some(Err(error)) => {
            report.check(
                "clients are answered rightly",
                allow.registrations_undone,
                error.clone(),
            );
            return;
        }
        None => return,
    };
    let look = run.watch.last_look();
    let posting = (0..run.stage.setting.accounts).map(|account| format!("posts:{account}"));
    let expected: BTreeSet<String> = expected.iter().cloned().chain(posting).collect();
    let found = look.ids();
    let wrong: Vec<_> = expected
        .iter()
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .symmetric_difference(&found)
        .map(|id| (*id).to_owned())
        .collect();
    report.check(
        "registered is what clients were told",
        allow.registrations_undone || wrong.is_empty(),
        told(&wrong, &format!("{} jobs", expected.len())),
    );
}

/// The first few of what is wrong, or what was found to be right.
fn told(wrong: &[String], right: &str) -> String {
    match wrong {
        [] => right.to_owned(),
        some => {
            let first: Vec<_> = some.iter().take(5).cloned().collect();
            format!("{}: {}", some.len(), first.join("; "))
        }
    }
}
