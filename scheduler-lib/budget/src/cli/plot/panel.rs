//! A panel: its name and legend above, and a chart with the windows as its grid.

use std::ops::Range;

use plotters::{
    coord::{
        Shift,
        ranged1d::{DefaultFormatting, KeyPointHint},
        types::RangedCoordf64,
    },
    prelude::*,
};

use super::Run;

pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Time, RangedCoordf64>>;

/// Height of the name and the legend.
const HEADING: u32 = 28;

/// Room for the labels of the vertical axes: the panels' left edges are one line.
const LABELS: u32 = 56;

/// Most windows that are told apart on the axis of time.
const WINDOWS: u64 = 32;

const TEXT: RGBColor = RGBColor(70, 74, 80);

pub(super) struct Panel<'a> {
    pub(super) name: &'a str,
    pub(super) legend: &'a [(&'a str, RGBColor)],
    pub(super) low: f64,
    pub(super) high: f64,
    /// The end of the axis of time.
    pub(super) end: f64,
    /// What the axis of time is called, if it is labelled.
    pub(super) time: Option<&'a str>,
    /// Where windows begin and end.
    pub(super) windows: Vec<f64>,
}

impl Panel<'_> {
    /// One whose axis of time is the run's.
    pub(super) fn of(run: &Run) -> Self {
        let scenario = &run.scenario;
        let apart = scenario.windows.div_ceil(WINDOWS).max(1) as usize;
        let begins = |window| run.in_units(window as i64 * scenario.window_ms);
        Panel {
            name: "",
            legend: &[],
            low: 0.0,
            high: 1.0,
            end: begins(scenario.windows),
            time: None,
            windows: (0..=scenario.windows).step_by(apart).map(begins).collect(),
        }
    }

    pub(super) fn chart<'b>(
        &self,
        area: &Area<'b>,
    ) -> Result<Chart<'b>, Box<dyn std::error::Error>> {
        let (heading, body) = area.split_vertically(HEADING);
        self.head(&heading)?;
        let time = Time {
            end: self.end,
            windows: self.windows.clone(),
        };
        let mut chart = ChartBuilder::on(&body)
            .margin_right(12)
            .x_label_area_size(if self.time.is_some() { 44 } else { 24 })
            .y_label_area_size(LABELS)
            .build_cartesian_2d(time, self.low..self.high)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .axis_style(BLACK.mix(0.4))
            .y_labels(7)
            .x_desc(self.time.unwrap_or_default())
            .x_label_formatter(&|at| format!("{at:.0}"))
            .y_label_formatter(&|calls| format!("{:.0}", calls.abs()))
            .draw()?;
        Ok(chart)
    }

    fn head(&self, heading: &Area<'_>) -> Drawn {
        let name = TextStyle::from(("sans-serif", 15).into_font()).color(&BLACK);
        let small = TextStyle::from(("sans-serif", 13).into_font()).color(&TEXT);
        let mut x = LABELS as i32;
        heading.draw_text(self.name, &name, (x, 8))?;
        x += heading.estimate_text_size(self.name, &name)?.0 as i32 + 28;
        for (text, color) in self.legend {
            heading.draw(&Rectangle::new([(x, 11), (x + 12, 21)], color.filled()))?;
            heading.draw_text(text, &small, (x + 18, 9))?;
            x += heading.estimate_text_size(text, &small)?.0 as i32 + 38;
        }
        Ok(())
    }
}

/// The axis of time, marked where windows begin.
pub(super) struct Time {
    end: f64,
    windows: Vec<f64>,
}

impl Ranged for Time {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, at: &f64, (left, right): (i32, i32)) -> i32 {
        left + (f64::from(right - left) * at / self.end).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _most: Hint) -> Vec<f64> {
        self.windows.clone()
    }

    fn range(&self) -> Range<f64> {
        0.0..self.end
    }
}
