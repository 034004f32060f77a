//! Whether every state leads on: no job waits for something that cannot come.

use std::collections::HashMap;

use super::{
    apply::{Verdict, apply, verdict},
    bounds::Bounds,
    fingerprint::{AsIs, fingerprint},
    state::{HELD, IN_FLIGHT, Settling, State},
    step::{Step, Steps},
    variant::Variant,
};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// States reached, with all faults within the bounds.
    pub states: usize,
    /// Those from which no course of events without further faults and edits brings the job to a
    /// settle.
    pub stuck: usize,
}

/// Visits every state, then walks back from those that settle.
///
/// A job that is held or not registered waits for a hand, and one that is not in flight when its
/// dispatches are used up waits for more of them than the bounds have: nothing is asked of those.
/// For one job, on one thread, in memory for every state.
#[must_use]
pub fn liveness(variant: Variant, bounds: Bounds) -> Liveness {
    let mut graph = Graph::new(variant, bounds);
    let mut next = 0;
    while next < graph.states.len() {
        graph.expand(next);
        next += 1;
    }
    Liveness {
        states: graph.states.len(),
        stuck: graph.stuck(),
    }
}

struct Graph {
    variant: Variant,
    bounds: Bounds,
    numbers: HashMap<u64, usize, AsIs>,
    states: Vec<State>,
    /// For each state those from which a step without fault leads to it.
    before: Vec<Vec<u32>>,
    /// Where a job settles, or nothing is asked of it.
    good: Vec<bool>,
}

impl Graph {
    fn new(variant: Variant, bounds: Bounds) -> Self {
        let mut graph = Self {
            variant,
            bounds,
            numbers: HashMap::default(),
            states: Vec::new(),
            before: Vec::new(),
            good: Vec::new(),
        };
        graph.number(State::first(&bounds));
        graph
    }

    /// A state's number; a new one if it was never seen.
    fn number(&mut self, state: State) -> usize {
        let state = state.canonical(&self.bounds);
        let next = self.states.len();
        let number = *self.numbers.entry(fingerprint(&state)).or_insert(next);
        if number == next {
            self.good.push(self.asks_nothing(&state));
            self.states.push(state);
            self.before.push(Vec::new());
        }
        number
    }

    fn asks_nothing(&self, state: &State) -> bool {
        let job = &state.jobs[0];
        let used_up = job.dispatched == self.bounds.dispatches && !job.record.is(IN_FLIGHT);
        !job.record.registered || job.record.is(HELD) || (used_up && job.record.places != 0)
    }

    fn expand(&mut self, number: usize) {
        let (state, mut steps) = (self.states[number], Vec::new());
        let following = Steps {
            bounds: &self.bounds,
            variant: self.variant,
        };
        following.after(&state, &mut steps);
        for step in steps {
            let after = self.number(apply(self.variant, &state, step).state);
            if !step.is_fault() {
                self.good[number] |= self.settles(&state, step);
                self.before[after].push(number as u32);
            }
        }
    }

    fn settles(&self, state: &State, step: Step) -> bool {
        let Step::Settle { scheduler, .. } = step else {
            return false;
        };
        let Settling::Decided { of, revision } = state.schedulers[usize::from(scheduler)].settling
        else {
            return false;
        };
        verdict(self.variant, state, of, revision) == Verdict::Accepted
    }

    fn stuck(&mut self) -> usize {
        let mut open: Vec<usize> = (0..self.states.len())
            .filter(|number| self.good[*number])
            .collect();
        while let Some(number) = open.pop() {
            for before in std::mem::take(&mut self.before[number]) {
                let before = before as usize;
                if !self.good[before] {
                    self.good[before] = true;
                    open.push(before);
                }
            }
        }
        self.good.iter().filter(|good| !**good).count()
    }
}
