//! Kinds of alerts: what is the same whatever they are about.

/// A kind of alert.
#[derive(Debug, PartialEq)]
pub(super) struct Kind {
    /// In keys and in Nagios.
    pub(super) name: &'static str,
    /// In Prometheus.
    pub(super) alert: &'static str,
    pub(super) unit: Unit,
    pub(super) when: When,
    pub(super) silence: Silence,
    /// Those of its histogram, of which `within` is one.
    pub(super) bounds: &'static [f64],
    /// The names of its thresholds, each with its default.
    pub(super) thresholds: &'static [(&'static str, &'static str)],
    /// What is wrong; `{}` is the value, and a threshold's name in braces that threshold.
    pub(super) tells: &'static str,
}

/// What its value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Share,
    Count,
    Seconds,
}

/// On which side of a threshold something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Above,
    Below,
}

/// What it means that there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nothing happened that could be counted.
    Fine,
    /// Who should tell it is gone.
    Critical,
}

impl Kind {
    /// More than its threshold is wrong, and silence is fine.
    pub(super) const fn above(
        name: &'static str,
        alert: &'static str,
        unit: Unit,
        thresholds: &'static [(&'static str, &'static str)],
        tells: &'static str,
    ) -> Self {
        Self {
            name,
            alert,
            unit,
            when: When::Above,
            silence: Silence::Fine,
            bounds: &[],
            thresholds,
            tells,
        }
    }

    pub(super) const fn below(self) -> Self {
        Self {
            when: When::Below,
            ..self
        }
    }

    pub(super) const fn never_silent(self) -> Self {
        Self {
            silence: Silence::Critical,
            ..self
        }
    }

    pub(super) const fn within(self, bounds: &'static [f64]) -> Self {
        Self { bounds, ..self }
    }
}
