//! What is left of the limit, who calls, and what is refused, over time: three panels, one below
//! the other, on one axis of time.

mod panel;
mod slots;

use std::path::Path;

use anyhow::anyhow;
use budget::{Calls, Step, TIERS};
use plotters::prelude::*;

use self::{
    panel::{Area, Drawn, Panel},
    slots::Slots,
};
use super::Run;

const SIZE: (u32, u32) = (1200, 920);

/// Gold, silver and bronze, on white.
const TIER_COLORS: [RGBColor; 3] = [
    RGBColor(222, 165, 0),
    RGBColor(128, 142, 158),
    RGBColor(160, 92, 48),
];
const OTHER: RGBColor = RGBColor(196, 202, 210);
const LEFT: RGBColor = RGBColor(31, 84, 140);
const CUSHION: RGBColor = RGBColor(200, 60, 40);

pub(super) fn draw(file: &Path, run: &Run) -> anyhow::Result<()> {
    draw_file(file, run).map_err(|error| anyhow!("cannot draw {}: {error}", file.display()))
}

fn draw_file(file: &Path, run: &Run) -> Drawn {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let area = area.titled(&title(run), ("sans-serif", 22))?;
    let (top, rest) = area.margin(4, 8, 8, 16).split_vertically(380);
    let (middle, bottom) = rest.split_vertically(270);
    let slots = Slots::new(run);
    remaining(&top, run)?;
    calls(&middle, run, &slots)?;
    refused(&bottom, run, &slots)?;
    area.present()?;
    Ok(())
}

fn title(run: &Run) -> String {
    let (scenario, (unit, _)) = (&run.scenario, run.unit());
    format!(
        "{} jobs and another product share {} calls per {} {unit}: {:.1} % used, {:.2} % refused",
        scenario.jobs,
        scenario.limit,
        run.in_units(scenario.window_ms),
        100.0 * run.report.used_share(),
        100.0 * run.report.refused_share(),
    )
}

fn remaining(area: &Area<'_>, run: &Run) -> Drawn {
    let scenario = &run.scenario;
    let (limit, cushion) = (scenario.limit as f64, scenario.cushion as f64);
    let panel = Panel {
        name: "Calls left of the limit",
        legend: &[("left", LEFT), ("cushion", CUSHION)],
        high: limit * 1.04,
        ..Panel::of(run)
    };
    let mut chart = panel.chart(area)?;
    let steps = run.meter.steps();
    for window in steps.chunk_by(|_, next| next.at_ms % scenario.window_ms != 0) {
        let line = falling(run, window);
        let (begin, end) = (line[0].0, line[line.len() - 1].0);
        let mut shape = line.clone();
        shape.extend([(end, 0.0), (begin, 0.0)]);
        chart.draw_series([Polygon::new(shape, LEFT.mix(0.12).filled())])?;
        chart.draw_series([PathElement::new(line, LEFT.stroke_width(2))])?;
    }
    let below = [(0.0, 0.0), (panel.end, cushion)];
    let edge = [(0.0, cushion), (panel.end, cushion)];
    chart.draw_series([Rectangle::new(below, CUSHION.mix(0.15).filled())])?;
    chart.draw_series([PathElement::new(edge, CUSHION.stroke_width(2))])?;
    Ok(())
}

/// What is left of one window.
fn falling(run: &Run, window: &[Step]) -> Vec<(f64, f64)> {
    let begin = window.first().map_or(0, |step| step.at_ms);
    let mut line = vec![(run.in_units(begin), run.scenario.limit as f64)];
    let step_ms = run.meter.step_ms();
    let ends = |step: &Step| (run.in_units(step.at_ms + step_ms), step.remaining as f64);
    line.extend(window.iter().map(ends));
    line
}

fn calls(area: &Area<'_>, run: &Run, slots: &Slots) -> Drawn {
    let [gold, silver, bronze] = TIER_COLORS;
    let panel = Panel {
        name: "Calls answered in a slot",
        legend: &[
            (TIERS[0].name, gold),
            (TIERS[1].name, silver),
            (TIERS[2].name, bronze),
            ("the other product, downwards", OTHER),
        ],
        low: -slots.most(|calls| calls.other).max(10.0) * 1.05,
        high: slots.most(Calls::answered).max(10.0) * 1.05,
        ..Panel::of(run)
    };
    let mut chart = panel.chart(area)?;
    for (tier, color) in (0..TIERS.len()).zip(TIER_COLORS) {
        let span = |calls: &Calls| {
            let below: u64 = calls.ours[..tier].iter().sum();
            (below as f64, (below + calls.ours[tier]) as f64)
        };
        chart.draw_series(slots.bars(color, span))?;
    }
    chart.draw_series(slots.bars(OTHER, |calls| (-(calls.other as f64), 0.0)))?;
    Ok(())
}

fn refused(area: &Area<'_>, run: &Run, slots: &Slots) -> Drawn {
    let most = slots.most(|calls| calls.refused + calls.other_refused);
    let panel = Panel {
        name: "Calls refused in a slot",
        legend: &[("ours", CUSHION), ("the other product's", OTHER)],
        high: most.max(10.0) * 1.05,
        time: Some(run.unit().0),
        ..Panel::of(run)
    };
    let mut chart = panel.chart(area)?;
    chart.draw_series(slots.bars(CUSHION, |calls| (0.0, calls.refused as f64)))?;
    let others = |calls: &Calls| {
        let ours = calls.refused as f64;
        (ours, ours + calls.other_refused as f64)
    };
    chart.draw_series(slots.bars(OTHER, others))?;
    Ok(())
}
