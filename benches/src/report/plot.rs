//! Pictures of the figures: rates beside ceilings and peers, and growth.

use std::path::Path;

use anyhow::anyhow;
use plotters::{coord::Shift, prelude::*};

use super::{Figures, table::number};

type Drawn = Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Figures that are compared, each group by a scale of its own; the first of each is ours.
const GROUPS: [(&str, &[(&str, &str)]); 5] = [
    (
        "Full cycle on one Redis, jobs/s",
        &[
            ("Redis Streams", "cycle/streams"),
            ("BullMQ", "peer/bullmq"),
            ("BullMQ, moved", "peer/bullmq-move"),
            ("apalis", "peer/apalis"),
            ("apalis, plain", "peer/apalis-plain"),
            ("Celery", "peer/celery"),
        ],
    ),
    (
        "Full cycle on SQS, Redis and Kafka, jobs/s",
        &[
            ("with one event", "cycle/servers"),
            ("raw calls", "ceiling/servers"),
        ],
    ),
    (
        "Redis store, drained and settled, jobs/s",
        &[("store", "store/redis"), ("raw scripts", "ceiling/redis")],
    ),
    (
        "Published to Kafka, events/s",
        &[
            ("bus", "kafka/publishing"),
            ("raw producer", "ceiling/kafka"),
        ],
    ),
    (
        "Full cycle in process, jobs/s",
        &[
            ("finding nothing", "cycle/in-process"),
            ("with one event", "cycle/in-process-with-events"),
        ],
    ),
];

const WIDTH: u32 = 820;
const LINE: i32 = 22;
const LABELS: i32 = 150;
const BARS: i32 = 520;
const MARGIN: i32 = 16;

const OURS: RGBColor = RGBColor(31, 84, 140);
const OTHERS: RGBColor = RGBColor(196, 202, 210);
const TEXT: RGBColor = RGBColor(70, 74, 80);

/// Draws `rates.svg`, and `growth.svg` where it was measured, into `folder`.
///
/// # Errors
///
/// That a file cannot be written.
pub fn draw(folder: &Path, figures: &Figures) -> anyhow::Result<()> {
    let failed = |error| anyhow!("cannot draw into {}: {error}", folder.display());
    rates(&folder.join("rates.svg"), figures).map_err(failed)?;
    growth(&folder.join("growth.svg"), figures).map_err(failed)
}

fn rates(file: &Path, figures: &Figures) -> Drawn {
    let measured: Vec<_> = (GROUPS.iter())
        .map(|&(title, bars)| {
            let bars = bars.iter().filter_map(|&(label, name)| {
                let value = figures.get(name)?.value;
                Some((label, value))
            });
            (title, bars.collect::<Vec<_>>())
        })
        .filter(|(_, bars)| !bars.is_empty())
        .collect();
    let lines: usize = measured.iter().map(|(_, bars)| bars.len() + 2).sum();
    let height = 2 * MARGIN + LINE * lines as i32;
    let area = SVGBackend::new(file, (WIDTH, height.unsigned_abs())).into_drawing_area();
    area.fill(&WHITE)?;
    let mut y = MARGIN;
    for (title, bars) in measured {
        y = group(&area, y, title, &bars)?;
    }
    area.present()?;
    Ok(())
}

/// Returns where the next one begins.
fn group(
    area: &Area<'_>,
    top: i32,
    title: &str,
    bars: &[(&str, f64)],
) -> Result<i32, Box<dyn std::error::Error>> {
    let name = TextStyle::from(("sans-serif", 15).into_font()).color(&BLACK);
    let small = TextStyle::from(("sans-serif", 13).into_font()).color(&TEXT);
    area.draw_text(title, &name, (MARGIN, top))?;
    let most = bars.iter().map(|&(_, value)| value).fold(1.0, f64::max);
    let mut y = top + LINE;
    for (at, &(label, value)) in bars.iter().enumerate() {
        let color = if at == 0 { OURS } else { OTHERS };
        let (left, right) = (MARGIN + LABELS, (f64::from(BARS) * value / most) as i32);
        area.draw_text(label, &small, (MARGIN, y + 3))?;
        let bar = [(left, y + 2), (left + right.max(1), y + LINE - 4)];
        area.draw(&Rectangle::new(bar, color.filled()))?;
        area.draw_text(&number(value), &small, (left + right + 8, y + 3))?;
        y += LINE;
    }
    Ok(y + LINE)
}

fn growth(file: &Path, figures: &Figures) -> Drawn {
    let mut points: Vec<(f64, f64)> = figures
        .iter()
        .filter_map(|figure| {
            let size = figure.name.strip_prefix("growth/")?.parse().ok()?;
            Some((size, figure.value))
        })
        .collect();
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
        return Ok(());
    };
    let most = points.iter().map(|point| point.1).fold(0.0, f64::max);
    let area = SVGBackend::new(file, (WIDTH, 360)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("What a cycle costs, by registered jobs", ("sans-serif", 16))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d((first.0 * 0.8..last.0 * 1.25).log_scale(), 0.0..most * 1.4)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("registered jobs")
        .y_desc("µs a job, drained and settled")
        .x_label_formatter(&|jobs| round_number(*jobs))
        .draw()?;
    chart.draw_series(LineSeries::new(points.clone(), OURS.stroke_width(2)))?;
    chart.draw_series(
        points
            .iter()
            .map(|&point| Circle::new(point, 4, OURS.filled())),
    )?;
    area.present()?;
    Ok(())
}

/// Of the many lines of a logarithmic axis those have room for a number that begin with 1, 2 or 5.
fn round_number(value: f64) -> String {
    let first_digit = value / 10f64.powf(value.log10().floor());
    match first_digit.round() as u32 {
        1 | 2 | 5 => number(value),
        _ => String::new(),
    }
}
