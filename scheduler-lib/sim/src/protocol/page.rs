//! The generated part of the page `docs/protocol.md`.

use std::fmt::Write as _;

use super::{Bounds, CounterExample, Search, Variant};

/// What a mistake needs to fail, and no more, so that its trace shows nothing else.
#[must_use]
pub fn bounds_of(variant: Variant) -> Bounds {
    Bounds {
        rollbacks: u8::from(variant == Variant::GenerationOnly),
        edits: u8::from(matches!(
            variant,
            Variant::RescheduleFromMessage | Variant::WithoutRevision
        )),
        every_order: true,
        ..Bounds::of_one_job()
    }
}

/// The shortest failures of a mistake, one of each property that it breaks, in the properties'
/// order.
#[must_use]
pub fn shortest(variant: Variant) -> Vec<CounterExample> {
    let search = Search {
        variant,
        bounds: bounds_of(variant),
        max_states: u64::MAX,
        threads: 1,
    };
    search.run(|_| ()).counter_examples
}

/// All of them, as Markdown.
#[must_use]
pub fn traces() -> String {
    let mut page = String::new();
    for variant in &Variant::ALL[1..] {
        let summary = variant.summary();
        // A String takes everything.
        let _ = write!(page, "### {variant}\n\nThe mistake: {summary}.\n\n");
        for counter_example in shortest(*variant) {
            let steps = counter_example.steps.len();
            let property = counter_example.property;
            let _ = write!(
                page,
                "Breaks *{property}* in {steps} steps:\n\n```text\n{counter_example}\n```\n\n"
            );
        }
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}
