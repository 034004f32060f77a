//! A counter-example as a story.

use std::fmt;

use super::{
    apply::apply,
    fingerprint::fingerprint,
    search::Search,
    state::State,
    step::{Step, Steps},
    tell::{situation, told},
    variant::{Property, Variant},
};

/// The shortest way to break a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterExample {
    /// Of which protocol.
    pub variant: Variant,
    /// What it breaks.
    pub property: Property,
    /// From the first state to the broken one.
    pub steps: Vec<TraceStep>,
}

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceStep {
    /// Who does what.
    pub what: String,
    /// Where the jobs and their messages are then.
    pub then: String,
    /// Everyday work has no such step.
    pub unusual: bool,
}

/// Of the states that are one step away from breaking a property, the one whose story is plainest.
pub(super) fn plainest(
    search: &Search,
    property: Property,
    paths: impl Iterator<Item = Vec<u64>>,
) -> Option<CounterExample> {
    let unusual = |trace: &CounterExample| trace.steps.iter().filter(|step| step.unusual).count();
    paths
        .map(|path| retrace(search, property, &path))
        .min_by_key(|trace| (unusual(trace), trace.to_string()))
}

/// Finds again the steps along a path of fingerprints, with schedulers and workers that keep their
/// names, and the step that breaks the property.
fn retrace(search: &Search, property: Property, path: &[u64]) -> CounterExample {
    let mut state = State::first(&search.bounds);
    let mut steps = Vec::new();
    for next in path.iter().skip(1) {
        state = follow(search, &state, &mut steps, |after, broken| {
            broken.is_none() && fingerprint(&after.canonical(&search.bounds)) == *next
        });
    }
    follow(search, &state, &mut steps, |_, broken| {
        broken == Some(property)
    });
    CounterExample {
        variant: search.variant,
        property,
        steps,
    }
}

fn follow(
    search: &Search,
    before: &State,
    told_steps: &mut Vec<TraceStep>,
    is_it: impl Fn(&State, Option<Property>) -> bool,
) -> State {
    let mut steps: Vec<Step> = Vec::new();
    Steps {
        bounds: &search.bounds,
        variant: search.variant,
    }
    .after(before, &mut steps);
    let taken = steps
        .into_iter()
        .map(|step| (step, apply(search.variant, before, step)))
        .find(|(_, applied)| is_it(&applied.state, applied.broken));
    // What cannot tell two states apart allows the same steps from both.
    let (step, applied) = taken.expect("a path is made of steps");
    told_steps.push(TraceStep {
        what: told(search.variant, before, &applied.state, step),
        then: situation(search, &applied.state),
        unusual: step.is_unusual(),
    });
    applied.state
}

impl fmt::Display for CounterExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .steps
            .iter()
            .map(|step| step.what.len())
            .max()
            .unwrap_or(0);
        for (at, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>2}  {:width$}   {}", at + 1, step.what, step.then)?;
        }
        write!(f, "    ✗ {}", self.property)
    }
}
