//! Breadth first through every state, so that what is found first is shortest.

use std::{
    collections::{BTreeMap, HashMap},
    thread,
};

use super::{
    apply::apply,
    bounds::Bounds,
    fingerprint::{AsIs, fingerprint},
    state::State,
    step::Steps,
    trace::{CounterExample, plainest},
    variant::{Property, Variant},
};

/// Parts of the set of visited states. A fixed number, so that the order of the search, and with it
/// each trace, does not depend on how many threads there are.
const PARTS: usize = 16;

/// States expanded between two looks at the limit.
const BATCH: usize = 1 << 16;

/// Failures of one property, equally short, of which the plainest is told.
const MAX_TOLD: usize = 2_000;

/// The depth at which a property broke first, and the states one step before.
type Broken = BTreeMap<Property, (u32, Vec<u64>)>;

/// A search to run.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// Which protocol.
    pub variant: Variant,
    /// How much of everything.
    pub bounds: Bounds,
    /// Stops soon after so many states.
    pub max_states: u64,
    /// Threads, at least 1.
    pub threads: usize,
}

/// Where a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Different states reached, the first included.
    pub states: u64,
    /// Steps taken from them.
    pub steps: u64,
    /// Steps from the first state to those now expanded.
    pub depth: u32,
}

/// What a search found.
#[derive(Debug, Clone)]
pub struct Report {
    /// What was searched.
    pub search: Search,
    /// Where it ended.
    pub reached: Progress,
    /// Every state within the bounds was reached.
    pub whole: bool,
    /// The shortest of each property that does not hold.
    pub counter_examples: Vec<CounterExample>,
}

impl Search {
    /// Searches until all is seen, each property that the variant is known to break is broken, any
    /// other is, or the limit is reached.
    pub fn run(&self, mut progress: impl FnMut(Progress)) -> Report {
        let mut frontier = Frontier::new(self);
        let mut reached = Progress {
            states: 1,
            ..Progress::default()
        };
        let mut broken = Broken::new();
        while !frontier.level.is_empty() && !self.is_enough(&broken) {
            let level = std::mem::take(&mut frontier.level);
            for batch in level.chunks(BATCH) {
                let found = frontier.expand(self, batch);
                reached.steps += found.steps;
                for (property, parent) in found.broken {
                    let first = broken
                        .entry(property)
                        .or_insert((reached.depth, Vec::new()));
                    if first.0 == reached.depth && first.1.len() < MAX_TOLD {
                        first.1.push(parent);
                    }
                }
                reached.states = frontier.states();
                progress(reached);
                if reached.states >= self.max_states {
                    break;
                }
            }
            if reached.states >= self.max_states {
                break;
            }
            frontier.next_level();
            reached.depth += 1;
        }
        let whole = frontier.level.is_empty() && reached.states < self.max_states;
        let counter_examples = broken.iter().filter_map(|(property, (_, parents))| {
            let paths = parents.iter().map(|parent| frontier.path_to(*parent));
            plainest(self, *property, paths)
        });
        let counter_examples = counter_examples.collect();
        Report {
            search: *self,
            reached,
            whole,
            counter_examples,
        }
    }

    fn is_enough(&self, broken: &Broken) -> bool {
        let known = self.variant.breaks();
        let unexpected = broken.keys().any(|property| !known.contains(property));
        unexpected || (!known.is_empty() && broken.len() == known.len())
    }
}

impl Report {
    /// Whether exactly what the variant is known to break was broken.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        let mut broken: Vec<_> = self
            .counter_examples
            .iter()
            .map(|one| one.property)
            .collect();
        broken.sort_unstable();
        broken == self.search.variant.breaks()
    }
}

/// Each visited state's fingerprint, with that of the state from which it was reached first.
type Part = HashMap<u64, u64, AsIs>;

/// A state not seen before, on its way to its part.
struct Reached {
    fingerprint: u64,
    parent: u64,
    state: State,
}

/// What one thread found.
#[derive(Default)]
struct Found {
    steps: u64,
    broken: Vec<(Property, u64)>,
    reached: [Vec<Reached>; PARTS],
}

struct Frontier {
    visited: [Part; PARTS],
    level: Vec<(u64, State)>,
    next: [Vec<(u64, State)>; PARTS],
}

const fn part_of(fingerprint: u64) -> usize {
    (fingerprint >> 32) as usize % PARTS
}

impl Frontier {
    fn new(search: &Search) -> Self {
        let first = State::first(&search.bounds).canonical(&search.bounds);
        let key = fingerprint(&first);
        let mut visited: [Part; PARTS] = Default::default();
        visited[part_of(key)].insert(key, key);
        Self {
            visited,
            level: vec![(key, first)],
            next: Default::default(),
        }
    }

    fn states(&self) -> u64 {
        self.visited.iter().map(|part| part.len() as u64).sum()
    }

    /// Takes every step from every state of a batch; all threads expand, then all insert.
    fn expand(&mut self, search: &Search, batch: &[(u64, State)]) -> Found {
        let threads = search.threads.max(1);
        let share = batch.len().div_ceil(threads);
        let visited = &self.visited;
        let mut found: Vec<Found> = thread::scope(|scope| {
            let running: Vec<_> = batch
                .chunks(share)
                .map(|states| scope.spawn(move || expand(search, visited, states)))
                .collect();
            running.into_iter().map(joined).collect()
        });
        let mut all = Found::default();
        for one in &mut found {
            all.steps += one.steps;
            all.broken.append(&mut one.broken);
        }
        let per_thread = PARTS.div_ceil(threads);
        let found = &found;
        thread::scope(|scope| {
            let visited = self.visited.chunks_mut(per_thread);
            let next = self.next.chunks_mut(per_thread);
            for (at, (visited, next)) in visited.zip(next).enumerate() {
                scope.spawn(move || {
                    for (part, (visited, next)) in visited.iter_mut().zip(next).enumerate() {
                        insert(found, at * per_thread + part, visited, next);
                    }
                });
            }
        });
        all
    }

    fn next_level(&mut self) {
        for part in &mut self.next {
            self.level.append(part);
        }
    }

    /// Fingerprints from the first state to this one.
    fn path_to(&self, mut fingerprint: u64) -> Vec<u64> {
        let mut path = vec![fingerprint];
        while let Some(parent) = self.visited[part_of(fingerprint)].get(&fingerprint) {
            if *parent == fingerprint {
                break;
            }
            fingerprint = *parent;
            path.push(fingerprint);
        }
        path.reverse();
        path
    }
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn expand(search: &Search, visited: &[Part; PARTS], states: &[(u64, State)]) -> Found {
    let steps_after = Steps {
        bounds: &search.bounds,
        variant: search.variant,
    };
    let (mut found, mut steps) = (Found::default(), Vec::new());
    for (parent, state) in states {
        steps.clear();
        steps_after.after(state, &mut steps);
        found.steps += steps.len() as u64;
        for step in &steps {
            let applied = apply(search.variant, state, *step);
            if let Some(property) = applied.broken {
                found.broken.push((property, *parent));
                continue;
            }
            let state = applied.state.canonical(&search.bounds);
            let fingerprint = fingerprint(&state);
            let part = part_of(fingerprint);
            if !visited[part].contains_key(&fingerprint) {
                found.reached[part].push(Reached {
                    fingerprint,
                    parent: *parent,
                    state,
                });
            }
        }
    }
    found
}

fn insert(found: &[Found], part: usize, visited: &mut Part, next: &mut Vec<(u64, State)>) {
    for reached in found.iter().flat_map(|found| &found.reached[part]) {
        if let std::collections::hash_map::Entry::Vacant(entry) = visited.entry(reached.fingerprint)
        {
            entry.insert(reached.parent);
            next.push((reached.fingerprint, reached.state));
        }
    }
}
