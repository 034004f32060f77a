//! A picture of the plan: what it needs, by rate.

use std::path::Path;

use anyhow::anyhow;
use plotters::prelude::*;

use super::{Demand, Measured, Plan};
use crate::report::number;

/// From the least to the greatest rate of the picture.
const RATES: std::ops::Range<f64> = 1e3..2e6;

/// Points of a line.
const POINTS: i32 = 120;

/// A line: its name, its colour, its number.
type Line = (&'static str, RGBColor, fn(&Plan) -> f64);

const LINES: [Line; 5] = [
    ("worker cores", RGBColor(31, 84, 140), |plan| {
        plan.worker_cores
    }),
    ("schedulers of two cores", RGBColor(196, 98, 16), |plan| {
        plan.schedulers + plan.spare_schedulers
    }),
    ("Redis masters for slots", RGBColor(160, 28, 40), |plan| {
        plan.masters
    }),
    ("Redis masters for queues", RGBColor(120, 74, 160), |plan| {
        plan.queue_masters
    }),
    ("work queues", RGBColor(40, 120, 70), |plan| {
        plan.work_queues
    }),
];

/// Draws it into `file`.
///
/// # Errors
///
/// That the file cannot be written.
pub fn draw(file: &Path, demand: &Demand, measured: &Measured) -> anyhow::Result<()> {
    lines(file, demand, measured)
        .map_err(|error| anyhow!("cannot draw {}: {error}", file.display()))
}

fn lines(
    file: &Path,
    demand: &Demand,
    measured: &Measured,
) -> Result<(), Box<dyn std::error::Error>> {
    let growth = (RATES.end / RATES.start).ln() / f64::from(POINTS);
    let plans: Vec<Plan> = (0..=POINTS)
        .map(|point| RATES.start * (growth * f64::from(point)).exp())
        .map(|rate| Plan::of(rate, demand, measured))
        .collect();
    let values = || {
        LINES
            .iter()
            .flat_map(|(_, _, value)| plans.iter().map(value))
    };
    let most = values().fold(10.0, f64::max);
    let area = SVGBackend::new(file, (820, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("What so many polls a second need", ("sans-serif", 16))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(RATES.log_scale(), (0.8..most * 1.5).log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("polls a second")
        .y_desc("how many")
        .x_label_formatter(&|rate| number(*rate))
        .y_label_formatter(&|many| number(*many))
        .draw()?;
    for (name, color, value) in LINES {
        let points = plans.iter().map(|plan| (plan.jobs_per_s, value(plan)));
        let points: Vec<_> = points.filter(|&(_, many)| many > 0.0).collect();
        if points.is_empty() {
            continue;
        }
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .border_style(TRANSPARENT)
        .background_style(WHITE)
        .draw()?;
    area.present()?;
    Ok(())
}
