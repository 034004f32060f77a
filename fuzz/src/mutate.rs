//! Inputs from seeds: bytes changed, pieces left out, repeated, exchanged or put in.

use rand::{RngExt, rngs::StdRng};

/// What upsets decoders of JSON, TOML and lines of words.
const WORDS: &[&str] = &[
    "0",
    "-1",
    "1",
    "2",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e999",
    "-0",
    "1.5",
    "0.1e-400",
    "00",
    "+1",
    "NaN",
    "inf",
    "null",
    "true",
    "false",
    "\"\"",
    "\"x\"",
    "{}",
    "[]",
    "{\"v\":1}",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\\"",
    "\\u0000",
    "\\ud800",
    "\\udfff",
    "\\uD83E\\uDD80",
    "\\ufffe",
    "\\uffff",
    "\\u00e9",
    "\0",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{7f}",
    "\u{80}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{feff}",
    "\u{1f980}",
    "\u{85}",
    "\u{2028}",
    "'",
    "'''",
    "\"\"\"",
    "#",
    "=",
    ".",
    "-",
    "_",
    "|",
    "@",
    "/",
    "{{",
    "}}",
    "=1",
    "[a]",
    "[[a]]",
    "a.b.c=1",
    "1979-05-27T07:32:00Z",
    "5m",
    "1s",
    "0s",
    "99999999999d",
    "18446744073709551615s",
    "5 minutes",
    "-5s",
];

/// Pairs that open and close.
const NESTS: &[(&str, &str)] = &[
    ("[", "]"),
    ("{\"a\":", "}"),
    ("[[", "]]"),
    ("a.", ""),
    ("{a=", "}"),
];

/// Most mutations of one input.
const MAX_MUTATIONS: usize = 6;

/// Deepest nest that is put in.
const MAX_DEPTH: usize = 100_000;

/// Largest input, bytes: twice the largest cap of any decoder here.
const MAX_SIZE_BYTES: usize = 600 * 1024;

/// A seed of the pool with some mutations.
pub(crate) fn mutated(pool: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut input = pick(pool, rng).clone();
    for _ in 0..rng.random_range(1..=MAX_MUTATIONS) {
        mutate(&mut input, pool, rng);
    }
    input.truncate(MAX_SIZE_BYTES);
    input
}

fn mutate(input: &mut Vec<u8>, pool: &[Vec<u8>], rng: &mut StdRng) {
    let at = rng.random_range(0..=input.len());
    let end = at + rng.random_range(0..=(input.len() - at).min(64));
    match rng.random_range(0..100u32) {
        0..15 if at < input.len() => input[at] ^= 1 << rng.random_range(0..8u32),
        15..25 if at < input.len() => input[at] = rng.random(),
        25..35 => drop(input.drain(at..end)),
        35..40 => input.truncate(at),
        40..60 => put(input, at, end, pick(WORDS, rng).as_bytes()),
        60..75 => put(input, at, at, pick(WORDS, rng).as_bytes()),
        75..80 => {
            let piece = input[at..end].to_vec();
            let elsewhere = rng.random_range(0..=input.len());
            put(input, elsewhere, elsewhere, &piece);
        }
        80..90 => {
            let other = pick(pool, rng);
            let from = rng.random_range(0..=other.len());
            let to = from + rng.random_range(0..=(other.len() - from).min(200));
            put(input, at, end, &other[from..to]);
        }
        90..92 => {
            let other = pick(pool, rng);
            input.truncate(at);
            input.extend_from_slice(&other[at.min(other.len())..]);
        }
        92..96 => {
            let piece = input[at..end].repeat(rng.random_range(1..=1_000));
            put(input, at, end, &piece);
        }
        96..97 => {
            let (open, close) = *pick(NESTS, rng);
            let depth = rng.random_range(1..=MAX_DEPTH) / rng.random_range(1..=10_000);
            let mut nest = open.repeat(depth).into_bytes();
            nest.extend_from_slice(&input[at..end]);
            nest.extend_from_slice(close.repeat(depth).as_bytes());
            put(input, at, end, &nest);
        }
        _ if at < input.len() => input[at] = b' ' + rng.random_range(0..95u8),
        _ => {}
    }
}

/// Replaces `at..end`.
fn put(input: &mut Vec<u8>, at: usize, end: usize, piece: &[u8]) {
    input.splice(at..end, piece.iter().copied());
}

fn pick<'a, T>(all: &'a [T], rng: &mut StdRng) -> &'a T {
    &all[rng.random_range(0..all.len())]
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_they_are_bounded() {
        let pool = [b"{\"v\":1,\"id\":\"posts:42\"}".to_vec(), Vec::new()];
        let inputs = |seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            (0..2_000)
                .map(|_| mutated(&pool, &mut rng))
                .collect::<Vec<_>>()
        };
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
        assert!(inputs(7).iter().all(|input| input.len() <= MAX_SIZE_BYTES));
    }
}
