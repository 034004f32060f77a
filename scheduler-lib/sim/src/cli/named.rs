//! Scenarios by name, and their figures.

use std::io::Write;

use cycle_sim::cycle::named::{Bound, Figure, Named, Report};
use serde_json::{Value, json};

use super::{
    Arguments,
    meter::{Meter, peak_memory_mib},
    progress::Progress,
    tell_failures,
};

/// Returns whether every promise was kept and every figure is within its bound.
pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<bool> {
    let (mut met, mut done) = (true, Vec::new());
    for named in arguments.named() {
        let campaign = arguments.campaign(named);
        let (progress, meter) = (Progress::new(campaign.minutes)?, Meter::start());
        let report = named.run(campaign, |minutes| progress.add(minutes));
        progress.end();
        met &= report.is_met();
        tell_failures(out, &report.campaign, &report.totals)?;
        if !arguments.json {
            write_rows(out, named, &report, &meter)?;
        }
        done.push(as_json(named, &report, &meter));
    }
    if arguments.json {
        let all = json!({ "met": met, "scenarios": done, "peak_memory_mib": peak_memory_mib() });
        writeln!(out, "{all}")?;
    }
    Ok(met)
}

fn write_rows(
    out: &mut impl Write,
    named: &Named,
    report: &Report,
    meter: &Meter,
) -> anyhow::Result<()> {
    let totals = &report.totals;
    writeln!(
        out,
        "{} {} (seed {}, {} jobs, {} minutes, {} cycles, {:.1} s, {:.1} s of CPU, {} MiB at most so far)",
        if report.is_met() { "ok    " } else { "FAILED" },
        named.name,
        report.campaign.seed,
        report.campaign.jobs,
        totals.minutes,
        totals.measures.cycles,
        meter.elapsed_s(),
        meter.cpu_s().unwrap_or(0.0),
        peak_memory_mib().unwrap_or(0),
    )?;
    let figures: Vec<_> = report.figures.iter().map(Figure::to_string).collect();
    writeln!(
        out,
        "       lost {}, forked {}, repairs {}; {}",
        totals.lost(),
        totals.forked(),
        totals.measures.repairs,
        figures.join("; ")
    )?;
    out.flush()?;
    Ok(())
}

fn as_json(named: &Named, report: &Report, meter: &Meter) -> Value {
    let totals = &report.totals;
    let figures = report.figures.iter().map(|figure| {
        let (relation, needed) = match figure.bound {
            Bound::Exactly(needed) => ("exactly", needed),
            Bound::AtMost(most) => ("at_most", most),
            Bound::AtLeast(least) => ("at_least", least),
        };
        json!({
            "what": figure.what, "found": figure.found, relation: needed, "met": figure.is_met(),
        })
    });
    json!({
        "name": named.name,
        "about": named.about,
        "met": report.is_met(),
        "seed": report.campaign.seed,
        "runs": totals.runs,
        "jobs": report.campaign.jobs,
        "minutes": totals.minutes,
        "cycles": totals.measures.cycles,
        "faults": totals.faults,
        "lost": totals.lost(),
        "forked": totals.forked(),
        "repairs": totals.measures.repairs,
        "figures": figures.collect::<Vec<_>>(),
        "elapsed_s": meter.elapsed_s(),
        "cpu_s": meter.cpu_s(),
    })
}
