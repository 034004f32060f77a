//! What an alert reckons, as Graphite is asked for it.

use super::{
    series::{Part, Pick, Series, le},
    value::Expr,
};
use crate::graphite::lines::cleaned;

impl Expr {
    /// A target whose last point is the number. It is to be rendered from `reach` ago on.
    pub(super) fn graphite(&self, prefix: &str) -> String {
        match self {
            Self::Max(series) => format!("maxSeries({})", path(series, prefix)),
            // Counters are pushed less often than kept, or the other way round: what is between two pushes is what was last.
            Self::Rise { series, ago, .. } => {
                let rise = format!(
                    "sumSeries(integral(nonNegativeDerivative(keepLastValue({}))))",
                    path(series, prefix)
                );
                match ago.as_secs() {
                    0 => rise,
                    ago_s => format!("timeShift({rise},'{ago_s}s')"),
                }
            }
            Self::OrZero(of) => format!("transformNull({},0)", of.graphite(prefix)),
            Self::AtLeast(of, least) => {
                format!("removeBelowValue({},{least})", of.graphite(prefix))
            }
            Self::Plus(of, number) => format!("offset({},{number})", of.graphite(prefix)),
            Self::Times(of, factor) => format!("scale({},{factor})", of.graphite(prefix)),
            Self::Minus(one, other) => {
                format!(
                    "diffSeries({},{})",
                    one.graphite(prefix),
                    other.graphite(prefix)
                )
            }
            Self::Over(one, other) => {
                format!(
                    "divideSeries({},{})",
                    one.graphite(prefix),
                    other.graphite(prefix)
                )
            }
        }
    }
}

/// The paths of these series, as the exporter writes them: labels in their order, each with its value.
fn path(series: &Series, prefix: &str) -> String {
    let mut path = match prefix {
        "" => series.name(),
        prefix => format!("{prefix}.{}", series.name()),
    };
    let mut excluded = Vec::new();
    for label in series.metric.labels {
        let pick = series.picks.iter().find(|(picked, _)| picked == label);
        let value = match pick.map(|(_, pick)| pick) {
            Some(Pick::Is(value)) => part(value),
            Some(Pick::AnyOf(values)) => any_of(values),
            Some(Pick::Not(value)) => {
                excluded.push(format!("[.]{label}[.]{}([.]|$)", part(value)));
                "*".to_owned()
            }
            None => "*".to_owned(),
        };
        path.push_str(&format!(".{label}.{value}"));
    }
    if let Part::UpTo(bound) = series.part {
        path.push_str(&format!(".le.{}", cleaned(&le(bound))));
    }
    excluded
        .into_iter()
        .fold(path, |path, pattern| format!("exclude({path},'{pattern}')"))
}

fn any_of(values: &[String]) -> String {
    match values {
        [only] => part(only),
        values => {
            let parts: Vec<_> = values.iter().map(|value| part(value)).collect();
            format!("{{{}}}", parts.join(","))
        }
    }
}

/// As the exporter cleans values. What is left can be no pattern, and ends no string.
fn part(value: &str) -> String {
    match value {
        "" => "none".to_owned(),
        value => cleaned(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::series::Metric;

    static METRIC: Metric = Metric::new("m", &["a", "b"]);

    #[test]
    fn labels_are_parts_of_the_path_in_their_order() {
        let series = Series::of(&METRIC)
            .with("b", "x.y*{z")
            .part(Part::UpTo(0.5));
        assert_eq!(path(&series, "p.*"), "p.*.m_bucket.a.*.b.x_y__z.le.0_5");
    }

    #[test]
    fn what_a_label_must_not_be_is_excluded() {
        let series = Series::of(&METRIC)
            .with_any("a", vec!["s/A".to_owned(), "s/B".to_owned()])
            .without("b", "");
        assert_eq!(
            path(&series, ""),
            "exclude(m.a.{s_A,s_B}.b.*,'[.]b[.]none([.]|$)')"
        );
    }
}
