//! Which series an alert looks at.

/// A metric, as the page of the handbook has it.
#[derive(Debug, PartialEq)]
pub(super) struct Metric {
    /// Without `_bucket` and `_count`.
    pub(super) name: &'static str,
    /// In the order in which exporters write them.
    pub(super) labels: &'static [&'static str],
}

/// Some series of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) metric: &'static Metric,
    pub(super) part: Part,
    /// What labels must be, or must not be.
    pub(super) picks: Vec<(&'static str, Pick)>,
}

/// What of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// The value of a counter or a gauge.
    Value,
    /// How much a histogram observed up to one of its bounds.
    UpTo(f64),
    /// How much a histogram observed in all.
    Count,
}

/// What a label must be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pick {
    Is(String),
    Not(String),
    AnyOf(Vec<String>),
}

impl Metric {
    pub(super) const fn new(name: &'static str, labels: &'static [&'static str]) -> Self {
        Self { name, labels }
    }
}

impl Series {
    /// All of a metric.
    pub(super) const fn of(metric: &'static Metric) -> Self {
        Self {
            metric,
            part: Part::Value,
            picks: Vec::new(),
        }
    }

    pub(super) fn with(self, label: &'static str, value: impl AsRef<str>) -> Self {
        self.pick(label, Pick::Is(value.as_ref().to_owned()))
    }

    pub(super) fn without(self, label: &'static str, value: impl AsRef<str>) -> Self {
        self.pick(label, Pick::Not(value.as_ref().to_owned()))
    }

    pub(super) fn with_any(self, label: &'static str, values: Vec<String>) -> Self {
        self.pick(label, Pick::AnyOf(values))
    }

    fn pick(mut self, label: &'static str, pick: Pick) -> Self {
        debug_assert!(self.metric.labels.contains(&label), "{label}");
        self.picks.push((label, pick));
        self
    }

    pub(super) fn part(&self, part: Part) -> Self {
        Self {
            part,
            ..self.clone()
        }
    }

    /// The name as exporters write it.
    pub(super) fn name(&self) -> String {
        let ending = match self.part {
            Part::Value => "",
            Part::UpTo(_) => "_bucket",
            Part::Count => "_count",
        };
        format!("{}{ending}", self.metric.name)
    }
}

/// A bound of a histogram, as exporters write it.
pub(super) fn le(bound: f64) -> String {
    format!("{bound:?}")
}
