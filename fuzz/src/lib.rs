//! Fuzzing of decoders with the stable compiler, as ordinary tests.
//!
//! A target is a function from bytes to whether the decoder under test took them, which panics
//! when a promise does not hold. [`fuzz!`] makes a test of it:
//!
//! ```
//! use polling_fuzz::{Taken, allocating_at_most};
//!
//! polling_fuzz::fuzz! {
//!     /// Any whole number survives being written.
//!     whole_numbers in "tests/corpus/whole_numbers" => |bytes| {
//!         let decoded = allocating_at_most(1_000 + bytes.len(), || {
//!             str::from_utf8(bytes).ok()?.parse::<i64>().ok()
//!         });
//!         if let Some(number) = decoded {
//!             assert_eq!(number.to_string().parse(), Ok(number));
//!         }
//!         Taken::if_some(&decoded)
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! The test first runs every seed of the corpus as it is. A seed's name tells what must become of
//! it: one that begins with `ok-` is taken, with `bad-` refused; any other may be either. Then it
//! runs mutations of the seeds for a second. What fails is cut down to its smallest form and
//! written into the target folder, with its path in the message; once understood, it joins the
//! corpus.
//!
//! | variable | |
//! |---|---|
//! | `POLLING_FUZZ_S` | seconds of mutations per target; 1 unless set, 0 for the corpus alone |
//! | `POLLING_FUZZ_SEED` | repeats a run; random unless set, and told in the message of a failure |
//!
//! `POLLING_FUZZ_S=600 cargo test --workspace --all-features fuzz` runs every target for ten
//! minutes: the tests are named `fuzz_…`.
//!
//! # Why not `cargo fuzz`, `bolero` or `proptest` alone
//!
//! The first needs a nightly compiler, the second does for what it adds to ours, the feedback from
//! coverage. Texts that `proptest` makes up are nearly never JSON; mutated messages are, often
//! enough to get deep into a decoder. Round trips of well-formed values are `proptest`'s, in the
//! unit tests of each type.

mod mutate;
mod run;

pub use run::{Taken, Target, allocating_at_most, run};

/// Makes tests of targets, each `NAME in "FOLDER OF SEEDS" => |bytes| EXPRESSION`; the folder is
/// relative to the crate's.
#[macro_export]
macro_rules! fuzz {
    ($($(#[$attribute:meta])* $name:ident in $corpus:literal => |$bytes:ident| $check:expr)+) => {
        $(
            $(#[$attribute])*
            #[test]
            fn $name() {
                let target = $crate::Target {
                    name: stringify!($name),
                    corpus: concat!(env!("CARGO_MANIFEST_DIR"), "/", $corpus),
                };
                $crate::run(&target, |$bytes: &[u8]| $check);
            }
        )+
    };
}
