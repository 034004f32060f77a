//! Which alerts there are, by what they are about.

mod channels;
mod job_types;
mod objectives;
mod services;

use super::{
    kind::Kind,
    subject::{Subject, Watched},
    value::Value,
};

/// An alert before its thresholds are read.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) subject: Subject,
    pub(super) kind: &'static Kind,
    pub(super) value: Value,
    /// Defaults that depend on its subject.
    pub(super) own: Vec<(&'static str, String)>,
}

impl Draft {
    fn new(subject: &Subject, kind: &'static Kind, value: Value) -> Self {
        Self {
            subject: subject.clone(),
            kind,
            value,
            own: Vec::new(),
        }
    }

    fn own(mut self, threshold: &'static str, default: String) -> Self {
        self.own.push((threshold, default));
        self
    }
}

/// All alerts, services first.
pub(super) fn drafts(watched: &Watched) -> Vec<Draft> {
    let services = watched.services.iter().flat_map(services::drafts);
    let channels = watched.channels.iter().flat_map(|channel| {
        let of_types = channel.job_types.iter();
        let of_types = of_types.flat_map(|job_type| job_types::drafts(&channel.id, job_type));
        channels::drafts(channel).into_iter().chain(of_types)
    });
    let objectives = watched.objectives.iter().map(objectives::draft);
    services.chain(channels).chain(objectives).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::series::Metric;

    /// Every metric that an alert looks at.
    fn metrics() -> impl Iterator<Item = &'static Metric> {
        let all = [
            services::METRICS,
            channels::METRICS,
            job_types::METRICS,
            objectives::METRICS,
        ];
        all.into_iter().flatten().copied()
    }

    /// The page is compared with the registry by a test of its own.
    #[test]
    fn every_metric_is_on_the_page_with_its_labels() {
        let page = include_str!("../../../../../docs/how-to/metrics.md");
        for metric in metrics() {
            let row = page
                .lines()
                .find(|line| line.starts_with(&format!("| `{}` |", metric.name)));
            let labels: Vec<_> = metric
                .labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            let labels = format!(" {} ", labels.join(", "));
            let found = row.and_then(|row| row.split('|').nth(3));
            assert_eq!(found, Some(&*labels), "{}", metric.name);
        }
    }
}
