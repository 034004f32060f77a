//! Every decoder of this crate, fuzzed: `POLLING_FUZZ_S=600 cargo test -p polling-model fuzz`.
//!
//! Another decoder joins with a line and a folder of seeds.

#![allow(clippy::unwrap_used)]

mod messages;
mod names;

polling_fuzz::fuzz! {
    fuzz_job in "tests/corpus/job" => |bytes| messages::job(bytes)
    fuzz_completion in "tests/corpus/completion" => |bytes| messages::completion(bytes)
    fuzz_id in "tests/corpus/id" => |bytes| names::id(bytes)
    fuzz_token in "tests/corpus/token" => |bytes| names::token(bytes)
    fuzz_event in "tests/corpus/event" => |bytes| names::event(bytes)
}

/// The seeds hold it where secrets are: in tokens and contexts. No error may show it.
const SECRET: &str = "5ec2e75ec2e7";
