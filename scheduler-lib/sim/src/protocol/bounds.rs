//! How far a search goes.

/// Most jobs of a search.
pub const MAX_JOBS: usize = 2;
/// Most dispatches of each job.
pub const MAX_DISPATCHES: usize = 4;
/// Most schedulers, and most workers.
pub const MAX_ACTORS: usize = 3;

/// How many of each a search has. Crashes, duplicates and late deliveries have no bound: each may
/// happen at any step, any number of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Jobs, registered from the start; at most [`MAX_JOBS`].
    pub jobs: u8,
    /// Dispatches of each job, over all histories; at most [`MAX_DISPATCHES`].
    pub dispatches: u8,
    /// Schedulers; at most [`MAX_ACTORS`].
    pub schedulers: u8,
    /// Workers; at most [`MAX_ACTORS`].
    pub workers: u8,
    /// Times that the store returns to a snapshot, taken at any time before.
    pub rollbacks: u8,
    /// Edits by hand: pause, resume, update, replace the context, run now, remove, register.
    pub edits: u8,
    /// Dead letters without a completion between, after which a job is quarantined; 0 leaves dead
    /// letters out.
    pub strikes: u8,
    /// Interleaves a worker's steps with everything else, too. They commute with all other steps:
    /// nobody sees what a worker does until its completion is stored, and what follows changes
    /// nothing. So a worker that has a message may as well do all it does at once.
    pub every_order: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            jobs: 2,
            dispatches: 3,
            schedulers: 2,
            workers: 2,
            rollbacks: 1,
            edits: 1,
            strikes: 0,
            every_order: false,
        }
    }
}

impl Bounds {
    /// A whole space within a minute or so.
    #[must_use]
    pub const fn of_one_job() -> Self {
        Self {
            jobs: 1,
            dispatches: 2,
            schedulers: 2,
            workers: 2,
            rollbacks: 1,
            edits: 1,
            strikes: 0,
            every_order: false,
        }
    }
}
