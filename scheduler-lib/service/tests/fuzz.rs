//! The configuration's decoder, fuzzed: `POLLING_FUZZ_S=600 cargo test -p scheduler fuzz`.

use polling_fuzz::{Taken, allocating_at_most};
use scheduler::config::{Config, ConfigError, ENVIRONMENT_PREFIX};

polling_fuzz::fuzz! {
    fuzz_config in "tests/corpus/config" => |bytes| config(bytes)
    fuzz_config_override in "tests/corpus/override" => |bytes| overridden(bytes)
}

/// The seeds hold it where secrets are: in addresses and tokens. Nothing may show it.
const SECRET: &str = "5ec2e75ec2e7";

/// What a byte costs at most: a table of one-letter keys, cloned while it is read.
const COST_PER_BYTE: usize = 1_500;

const ERROR_SIZE_BYTES: usize = 64 * 1024;

const SMALL: &str = "[channels.mastodon]\nstore = \"memory\"\n[channels.mastodon.job_types.posts]\ninterval = \"5m\"\n";

fn config(bytes: &[u8]) -> Taken {
    let Ok(text) = str::from_utf8(bytes) else {
        return Taken::No;
    };
    // A fuzzed path would be read.
    let names_a_file = |line: &str| line.contains("token_file") && !line.starts_with('#');
    if text.lines().any(names_a_file) {
        return Taken::No;
    }
    checked(text, bytes.len(), [], secrets_in_place(text))
}

/// Each line of the input is a variable without its prefix.
fn overridden(bytes: &[u8]) -> Taken {
    let Ok(text) = str::from_utf8(bytes) else {
        return Taken::No;
    };
    if text.to_ascii_lowercase().contains("token") {
        return Taken::No;
    }
    let variables = text.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<_> = variables
        .map(|(name, value)| (format!("{ENVIRONMENT_PREFIX}{name}"), value.to_owned()))
        .collect();
    let cost = (SMALL.len() + bytes.len()) * (variables.len() + 1);
    let in_place = |(name, value): &(String, String)| {
        let nowhere = !format!("{name}{value}").contains(SECRET);
        // A name is shown, whatever it is the name of.
        nowhere || (name.ends_with("__REDIS") && !name.contains(SECRET))
    };
    let in_place = variables.iter().all(in_place);
    checked(SMALL, cost, variables, in_place)
}

fn checked<V>(text: &str, size_bytes: usize, variables: V, secrets_in_place: bool) -> Taken
where
    V: IntoIterator<Item = (String, String)>,
{
    let cost = size_bytes * COST_PER_BYTE + ERROR_SIZE_BYTES;
    let parsed = allocating_at_most(cost, || Config::parse("s.toml", text, variables));
    match &parsed {
        Ok(config) => assert!(!format!("{config:?}").contains(SECRET)),
        Err(error) => {
            check_error(error, text);
            assert!(
                !secrets_in_place || !error.to_string().contains(SECRET),
                "{error}"
            );
        }
    }
    Taken::if_ok(&parsed)
}

/// Whether they are values of the keys that are for them, in whatever table. A secret in the place
/// of an interval is shown like any wrong interval; `work` gives the names of queues to any key.
fn secrets_in_place(text: &str) -> bool {
    let in_place = |line: &str| line.starts_with("redis = ") || line.starts_with("token = ");
    let mut lines = text.lines().filter(|line| line.contains(SECRET));
    lines.all(in_place) && !text.contains("work")
}

/// Each problem says where, and what.
fn check_error(error: &ConfigError, text: &str) {
    assert!(!error.problems.is_empty());
    for problem in &error.problems {
        assert!(!problem.what.is_empty());
        if let scheduler::config::Origin::File { line, .. } = &problem.origin {
            assert!(*line <= text.lines().count().max(1) + 1, "line {line}");
        }
    }
}
