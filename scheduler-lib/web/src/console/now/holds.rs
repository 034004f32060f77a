//! How many jobs are held, and as what.

use maud::{Markup, html};
use scheduler_lib::{
    Registry,
    store::{Hold, Place},
};

use crate::console::words::number;

/// Most held jobs that are looked at; of more it is said that there are more.
const MAX_SEEN: usize = 200;

/// How many of the held jobs are held as what.
#[derive(Clone, Copy)]
pub(super) struct Holds {
    jobs: [u64; Hold::ALL.len()],
    is_all: bool,
}

impl Holds {
    /// None where the store does not tell.
    pub(super) async fn look(registry: &Registry) -> Option<Self> {
        let page = registry.held(None, MAX_SEEN).await.ok()?;
        let mut jobs = [0; Hold::ALL.len()];
        for record in &page.records {
            let is_so = |hold: &Hold| record.state.place == Place::Held(*hold);
            if let Some(at) = Hold::ALL.iter().position(is_so) {
                jobs[at] += 1;
            }
        }
        let is_all = page.next.is_none();
        Some(Self { jobs, is_all })
    }

    /// Each leads to its jobs.
    pub(super) fn links(holds: Option<Self>, jobs: &str) -> Markup {
        html! {
            @for (at, hold) in Hold::ALL.iter().enumerate() {
                a #{ "see-" (hold) } href={ (jobs) "?place=" (hold) } {
                    (hold)
                    @if let Some(holds) = holds { " " (number(holds.jobs[at])) @if !holds.is_all { "+" } }
                }
                " "
            }
        }
    }
}
