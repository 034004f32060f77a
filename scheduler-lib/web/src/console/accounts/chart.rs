//! How often a job burst, drawn.

use maud::{Markup, html};
use scheduler_lib::store::Burst;

use super::Span;

/// Bars of a chart.
const BARS: usize = 48;

/// A bar's width, and the chart's height, in the drawing's own unit.
const WIDTH: usize = 3;
const HEIGHT: usize = 28;

/// How many bursts are in each part of the time.
fn counted(bursts: &[Burst], span: Span) -> [usize; BARS] {
    let mut bars = [0; BARS];
    let length_ms = (span.until_ms - span.from_ms).max(1);
    for burst in bursts.iter().filter(|burst| span.has(burst)) {
        let part = (burst.at_ms - span.from_ms) * BARS as i64 / length_ms;
        bars[usize::try_from(part).unwrap_or(0).min(BARS - 1)] += 1;
    }
    bars
}

/// The most bursts in one part of the time.
pub(super) fn highest(bursts: &[Burst], span: Span) -> usize {
    counted(bursts, span).into_iter().max().unwrap_or_default()
}

/// Bursts over time; bars as high as the page's `highest` fill the height.
pub(super) fn bursts(bursts: &[Burst], span: Span, highest: usize) -> Markup {
    let bars = counted(bursts, span);
    let total: usize = bars.iter().sum();
    let height = |count: usize| (count * HEIGHT).div_ceil(highest.max(1));
    let label = format!(
        "{total} bursts, at most {} in one bar",
        bars.iter().max().unwrap_or(&0)
    );
    html! {
        svg.spark viewBox={ "0 0 " (BARS * WIDTH) " " (HEIGHT) } width=(BARS * WIDTH) height=(HEIGHT) role="img" aria-label=(label) {
            title { (label) }
            line x1="0" x2=(BARS * WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
            @for (at, count) in bars.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                rect x=(at * WIDTH) y=(HEIGHT - height(count)) width=(WIDTH - 1) height=(height(count)) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burst(at_ms: i64) -> Burst {
        Burst {
            at_ms,
            id: "posts:42".parse().unwrap(),
            account: "42".parse().unwrap(),
            events: 20,
            waited_ms: None,
            next_ms: None,
        }
    }

    #[test]
    fn each_burst_of_the_time_shown_is_in_one_bar() {
        let span = Span {
            from_ms: 1_000,
            until_ms: 1_000 + 4_800,
        };
        let kept: Vec<_> = [999, 1_000, 1_099, 1_100, 5_800, 5_801].map(burst).into();
        let bars = counted(&kept, span);
        assert_eq!((bars[0], bars[1], bars[BARS - 1]), (2, 1, 1));
        assert_eq!(
            bars.iter().sum::<usize>(),
            4,
            "what is outside of it is not"
        );
        assert_eq!(highest(&kept, span), 2);
    }
}
