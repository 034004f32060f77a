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

/// Every metric that an alert looks at.
#[cfg(test)]
pub(super) fn metrics() -> impl Iterator<Item = &'static super::series::Metric> {
    let all = [
        services::METRICS,
        channels::METRICS,
        job_types::METRICS,
        objectives::METRICS,
    ];
    all.into_iter().flatten().copied()
}
