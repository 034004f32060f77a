//! The jobs of one place, in their order.

use std::collections::VecDeque;

use super::state::At;

/// A double-ended list out of which any job goes at once: each knows its position. A position stands
/// for the same job until that job leaves, whatever is pushed or popped at either end.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    jobs: VecDeque<At>,
    /// The position of the first.
    first: i64,
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    pub(super) fn front(&self) -> Option<At> {
        self.jobs.front().copied()
    }

    pub(super) fn back(&self) -> Option<At> {
        self.jobs.back().copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = At> {
        self.jobs.iter().copied()
    }

    /// The position of the job pushed.
    pub(super) fn push_back(&mut self, at: At) -> i64 {
        self.jobs.push_back(at);
        self.first + self.jobs.len() as i64 - 1
    }

    /// The position of the job pushed.
    pub(super) fn push_front(&mut self, at: At) -> i64 {
        self.jobs.push_front(at);
        self.first -= 1;
        self.first
    }

    /// Whether the job is at that position.
    pub(super) fn has(&self, at: At, position: i64) -> bool {
        self.jobs.get(self.index(position)) == Some(&at)
    }

    /// Takes out the job at that position, if it is there. One from the middle leaves its position to
    /// the last job, which is returned.
    pub(super) fn remove(&mut self, at: At, position: i64) -> Option<At> {
        if !self.has(at, position) {
            return None;
        }
        if position == self.first {
            self.jobs.pop_front();
            self.first += 1;
            return None;
        }
        let index = self.index(position);
        self.jobs.swap_remove_back(index);
        self.jobs.get(index).copied()
    }

    /// Past the end where the position is not in the list.
    fn index(&self, position: i64) -> usize {
        usize::try_from(position - self.first).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        PushBack,
        PushFront,
        /// One of the jobs that are in, by its place in the order.
        Remove(prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::PushBack),
            Just(Step::PushFront),
            any::<prop::sample::Index>().prop_map(Step::Remove),
        ]
    }

    proptest! {
        #[test]
        fn each_job_stays_at_its_known_position(steps in prop::collection::vec(step(), 0..200)) {
            let (mut list, mut positions) = (List::default(), std::collections::BTreeMap::new());
            for (at, step) in steps.into_iter().enumerate() {
                match step {
                    Step::PushBack => {
                        positions.insert(at, list.push_back(at));
                        prop_assert_eq!(list.back(), Some(at));
                    }
                    Step::PushFront => {
                        positions.insert(at, list.push_front(at));
                        prop_assert_eq!(list.front(), Some(at));
                    }
                    Step::Remove(_) if list.is_empty() => {}
                    Step::Remove(index) => {
                        let gone = *index.get(&list.iter().collect::<Vec<_>>());
                        let position = positions.remove(&gone).unwrap();
                        if let Some(moved) = list.remove(gone, position) {
                            positions.insert(moved, position);
                        }
                        prop_assert!(!list.has(gone, position));
                        prop_assert_eq!(list.remove(gone, position), None);
                    }
                }
                prop_assert_eq!(list.len(), positions.len());
                prop_assert!(positions.iter().all(|(&at, &position)| list.has(at, position)));
            }
        }
    }
}
