//! Which share of the items was seen after how long.

use std::{fs, ops::Range, path::Path};

use anyhow::{Context, anyhow};
use plotters::prelude::*;

use super::{Comparison, Row};

const SIZE: (u32, u32) = (960, 600);

/// Points of a curve.
const POINTS: usize = 400;

/// Draws into `folder`, which is made if it is not there.
pub(super) fn draw(folder: &Path, comparison: &Comparison<'_>) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let every_min = comparison.budget.every_min;
    let file = folder.join(format!("{}-{every_min}.svg", comparison.trace.name));
    draw_file(&file, comparison).map_err(|error| anyhow!("cannot draw {}: {error}", file.display()))
}

fn draw_file(file: &Path, comparison: &Comparison<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let delays = axis(comparison);
    let title = format!(
        "{}: delay, calls for everybody once in {} min",
        comparison.trace.name, comparison.budget.every_min
    );
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 20))
        .margin(16)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(delays.clone().log_scale(), 0.0..1.0)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("minutes from an item's appearance to its poll")
        .y_desc("share of the items seen")
        .x_label_formatter(&|minutes| format!("{minutes}"))
        .y_label_formatter(&|share| format!("{:.0} %", share * 100.0))
        .draw()?;
    for (row, index) in comparison.rows.iter().zip(0..) {
        let style = if row.policy == "ours" {
            BLACK.stroke_width(3)
        } else {
            Palette99::pick(index).stroke_width(1)
        };
        let label = format!("{}: mean {:.1} min", row.policy, row.summary.mean_min);
        chart
            .draw_series(LineSeries::new(curve(row, &delays), style))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}

/// From a tenth of a minute to the longest delay.
fn axis(comparison: &Comparison<'_>) -> Range<f64> {
    let delays = comparison
        .rows
        .iter()
        .flat_map(|row| &row.outcome.delays_min);
    0.1..delays.copied().fold(1.0, f64::max)
}

fn curve(row: &Row, delays: &Range<f64>) -> Vec<(f64, f64)> {
    let mut sorted = row.outcome.delays_min.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let all = (sorted.len() + row.summary.lost).max(1) as f64;
    let growth = (delays.end / delays.start).powf(1.0 / POINTS as f64);
    let minutes = (0..=POINTS).map(|point| delays.start * growth.powi(point as i32));
    let share = |minutes| sorted.partition_point(|delay| *delay <= minutes) as f64 / all;
    minutes.map(|minutes| (minutes, share(minutes))).collect()
}
