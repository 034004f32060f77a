//! How delay grows with accounts, and where things break, as SVG.

mod names;

use std::{ops::Range, path::Path};

use anyhow::anyhow;
use plotters::{
    coord::{Shift, combinators::WithKeyPoints},
    prelude::*,
};
use scheduler_lib::plan::{Break, Breaking};

use self::names::Name;
use super::{
    Planned,
    growth::Growth,
    text::{number, span, times},
};

type Drawn = Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const SIZE: (u32, u32) = (1200, 680);

/// Room for the names of the levels, beside the curves' ends.
const NAMES: u32 = 170;

/// Room for the names of what breaks, above the curves.
const BREAKS: u32 = 60;

const TEXT: RGBColor = RGBColor(70, 74, 80);
const STRETCHED: RGBColor = RGBColor(214, 148, 20);
const BROKEN: RGBColor = RGBColor(200, 60, 40);

/// How far below its dot a delay is written.
const BELOW: i32 = 11;

/// Told apart on white, also by those who see few colours.
const COLORS: [RGBColor; 6] = [
    RGBColor(31, 84, 140),
    RGBColor(0, 140, 110),
    RGBColor(150, 70, 150),
    RGBColor(90, 160, 220),
    RGBColor(110, 96, 80),
    RGBColor(30, 34, 40),
];

/// Marks of the axis of factors and of that of minutes, within their ranges.
const FACTORS: [f64; 17] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4,
];
const MINUTES: [f64; 18] = [
    1.0 / 60.0,
    1.0 / 12.0,
    0.25,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
    60.0,
    180.0,
    360.0,
    720.0,
    1_440.0,
    4_320.0,
    10_080.0,
    43_200.0,
    432_000.0,
];

/// Delays that are drawn, in minutes: not longer than the longest interval is.
const SEEN: Range<f64> = 1e-6..60.0 * 1440.0;

pub(super) fn draw(file: &Path, planned: &Planned) -> anyhow::Result<()> {
    let growth = Growth::of(planned)?;
    let drawn = draw_file(file, planned, &growth);
    drawn.map_err(|error| anyhow!("--plot: cannot draw {}: {error}", file.display()))
}

fn draw_file(file: &Path, planned: &Planned, growth: &Growth) -> Drawn {
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("{}: delay of items as accounts are added", planned.channel);
    let area = root.titled(&title, ("sans-serif", 22).into_font().color(&BLACK))?;
    let axes = Axes::of(growth);
    let mut chart = ChartBuilder::on(&area)
        .margin_left(12)
        .margin_bottom(8)
        .margin_top(BREAKS)
        .margin_right(NAMES)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(
            marked(&axes.factors, &FACTORS),
            marked(&axes.minutes, &MINUTES),
        )?;
    let breaks = growth.breaks(planned);
    shade(&mut chart, &axes, &breaks)?;
    mesh(&mut chart, planned)?;
    let marks = lines(&mut chart, &axes, planned, &breaks)?;
    let [ends, delays_now] = curves(&mut chart, planned, growth)?;
    drop(chart);
    names::beside(&root, ends)?;
    names::beside(&root, delays_now)?;
    names::above(&root, marks)?;
    root.present()?;
    Ok(())
}

/// What is seen.
struct Axes {
    factors: Range<f64>,
    minutes: Range<f64>,
}

impl Axes {
    fn of(growth: &Growth) -> Self {
        let factors = &growth.factors;
        let delays = growth.delays.iter().flatten().copied();
        let delays = delays.filter(|delay| SEEN.contains(delay));
        let (low, high) = delays.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), delay| {
            (low.min(delay), high.max(delay))
        });
        let minutes = if high > 0.0 {
            low / 1.5..high * 1.5
        } else {
            1.0..60.0
        };
        Self {
            factors: factors.first().copied().unwrap_or(0.5)
                ..factors.last().copied().unwrap_or(2.0),
            minutes,
        }
    }
}

type Axis = WithKeyPoints<LogCoord<f64>>;
type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

fn marked(range: &Range<f64>, marks: &[f64]) -> Axis {
    let within = marks.iter().copied().filter(|mark| range.contains(mark));
    range.clone().log_scale().with_key_points(within.collect())
}

const fn color_of(found: &Break) -> RGBColor {
    match found.what {
        Breaking::Promises => BROKEN,
        _ => STRETCHED,
    }
}

fn broken(found: &Break) -> String {
    let (job_type, level) = &found.first;
    match found.what {
        Breaking::Promises => format!("max age of {job_type}.{level} fails"),
        _ => "intervals stretch".to_owned(),
    }
}

/// From where on something does not hold.
fn shade(chart: &mut Chart<'_>, axes: &Axes, breaks: &[(f64, &Break)]) -> Drawn {
    for what in [Breaking::Intervals, Breaking::Promises] {
        let Some((from, found)) = breaks.iter().find(|(_, found)| found.what == what) else {
            continue;
        };
        let corners = [
            (*from, axes.minutes.start),
            (axes.factors.end, axes.minutes.end),
        ];
        let color = color_of(found).mix(0.08);
        chart.draw_series([Rectangle::new(corners, color.filled())])?;
    }
    Ok(())
}

fn mesh(chart: &mut Chart<'_>, planned: &Planned) -> Drawn {
    let groups = planned.input.groups.iter();
    let jobs: f64 = groups.map(|group| group.jobs as f64).sum();
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.4))
        .label_style(("sans-serif", 13).into_font().color(&TEXT))
        .axis_desc_style(("sans-serif", 14).into_font().color(&TEXT))
        .x_desc(format!("accounts; x1 are {} jobs", number(jobs)))
        .y_desc("mean delay of an item")
        .x_label_formatter(&|factor| format!("x{factor}"))
        .y_label_formatter(&|minutes| span(*minutes))
        .draw()?;
    Ok(())
}

/// Where things break, and where the plan is; what to write above.
fn lines(
    chart: &mut Chart<'_>,
    axes: &Axes,
    planned: &Planned,
    breaks: &[(f64, &Break)],
) -> Result<Vec<Name>, Box<dyn std::error::Error>> {
    let Range { start, end } = axes.minutes;
    let mut names = Vec::new();
    for (factor, found) in breaks {
        let line = vec![(*factor, start), (*factor, end)];
        let color = color_of(found);
        chart.draw_series([PathElement::new(line, color.stroke_width(2))])?;
        names.push(Name {
            at: chart.backend_coord(&(*factor, end)),
            text: format!("{}: {} ({})", times(*factor), broken(found), found.scope),
            color,
        });
    }
    let now = planned.input.accounts;
    let line = DashedLineSeries::new([(now, start), (now, end)], 4, 4, TEXT.stroke_width(1));
    chart.draw_series(line)?;
    names.push(Name {
        at: chart.backend_coord(&(now, end)),
        text: "this plan".to_owned(),
        color: TEXT,
    });
    Ok(names)
}

/// Delays; what to write beside their ends, and beside those of this plan.
fn curves(
    chart: &mut Chart<'_>,
    planned: &Planned,
    growth: &Growth,
) -> Result<[Vec<Name>; 2], Box<dyn std::error::Error>> {
    let levels = planned.plan.levels.iter();
    let (mut names, mut delays_now) = (Vec::new(), Vec::new());
    for ((level, delays), color) in levels.zip(&growth.delays).zip(COLORS.iter().cycle()) {
        let points = growth.factors.iter().copied().zip(delays.iter().copied());
        let seen = points.filter(|(_, delay)| SEEN.contains(delay));
        let points: Vec<_> = seen.collect();
        let Some(last) = points.last() else { continue };
        let delay = level.staleness_minutes;
        names.push(Name {
            at: chart.backend_coord(last),
            text: format!("{}.{}", level.job_type, level.level),
            color: *color,
        });
        chart.draw_series([PathElement::new(points, color.stroke_width(3))])?;
        if SEEN.contains(&delay) {
            let at = (planned.input.accounts, delay);
            chart.draw_series([Circle::new(at, 5, color.filled())])?;
            let (x, y) = chart.backend_coord(&at);
            delays_now.push(Name {
                at: (x, y + BELOW),
                text: span(delay),
                color: *color,
            });
        }
    }
    Ok([names, delays_now])
}
