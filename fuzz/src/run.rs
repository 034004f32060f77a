//! Runs a target: the corpus, then mutations, then the smallest form of what failed.

use std::{
    cell::Cell,
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    panic::{self, AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Once,
    time::{Duration, Instant},
};

use rand::{
    RngExt, SeedableRng, TryRng,
    rngs::{StdRng, SysRng},
};

use crate::mutate::mutated;

/// Seconds of mutations, unless [`SECONDS_VARIABLE`] says otherwise.
const SECONDS: u64 = 1;

/// Names how long each target runs.
const SECONDS_VARIABLE: &str = "POLLING_FUZZ_S";

/// Names the seed of the random numbers.
const SEED_VARIABLE: &str = "POLLING_FUZZ_SEED";

/// Largest seed that joins the pool while running, bytes.
const MAX_POOLED_SIZE_BYTES: usize = 64 * 1024;

/// Most seeds in the pool.
const MAX_POOL: usize = 2_000;

/// Longest search for the smallest form of a failing input.
const SHRINK_FOR: Duration = Duration::from_secs(20);

/// A decoder to test, and where its seeds are.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The test's name.
    pub name: &'static str,
    /// The folder of the seeds.
    pub corpus: &'static str,
}

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The decoder took it.
    Yes,
    /// The decoder refused it.
    No,
}

impl Taken {
    /// For decoders that return a `Result`.
    pub const fn if_ok<T, E>(decoded: &Result<T, E>) -> Self {
        if decoded.is_ok() { Self::Yes } else { Self::No }
    }

    /// For decoders that return an `Option`.
    pub const fn if_some<T>(decoded: &Option<T>) -> Self {
        if decoded.is_some() {
            Self::Yes
        } else {
            Self::No
        }
    }
}

/// Runs `decode` and returns what it does.
///
/// # Panics
///
/// When more than `size_bytes` were allocated at any time while it ran.
pub fn allocating_at_most<T>(size_bytes: usize, decode: impl FnOnce() -> T) -> T {
    let mut decoded = None;
    let measured = allocation_counter::measure(|| decoded = Some(decode()));
    assert!(
        measured.bytes_max <= size_bytes as u64,
        "{} bytes were allocated, at most {size_bytes} are allowed",
        measured.bytes_max
    );
    decoded.expect("it has run")
}

/// Runs a target; see the crate's page.
///
/// # Panics
///
/// When the check panics for any input, or a seed is not treated as its name says.
pub fn run(target: &Target, check: impl Fn(&[u8]) -> Taken) {
    let seeds = seeds(target);
    for (name, seed) in &seeds {
        let taken = check(seed);
        let wanted = match name.split('-').next() {
            Some("ok") => Taken::Yes,
            Some("bad") => Taken::No,
            _ => taken,
        };
        assert!(
            taken == wanted,
            "seed {name} of {}: taken {taken:?}, wanted {wanted:?}",
            target.corpus
        );
    }
    let seconds = number(SECONDS_VARIABLE).unwrap_or(SECONDS);
    let seed = number(SEED_VARIABLE).unwrap_or_else(random_seed);
    let mut pool: Vec<Vec<u8>> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
    let mut rng = StdRng::seed_from_u64(seed);
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut inputs = 0u64;
    while Instant::now() < until {
        inputs += 1;
        let input = mutated(&pool, &mut rng);
        match catch_unwind(AssertUnwindSafe(|| check(&input))) {
            // What is still taken is worth going on from.
            Ok(Taken::Yes) if input.len() <= MAX_POOLED_SIZE_BYTES => {
                if pool.len() < MAX_POOL {
                    pool.push(input);
                } else {
                    let at = rng.random_range(0..pool.len());
                    pool[at] = input;
                }
            }
            Ok(_) => {}
            Err(_) => fail(target, seed, input, &check),
        }
    }
    tell(target, inputs, seed);
}

/// Shown with `--nocapture`.
#[expect(clippy::print_stderr, reason = "a test's own report")]
fn tell(target: &Target, inputs: u64, seed: u64) {
    eprintln!("{}: {inputs} inputs, {SEED_VARIABLE}={seed}", target.name);
}

fn fail(target: &Target, seed: u64, input: Vec<u8>, check: &impl Fn(&[u8]) -> Taken) -> ! {
    let fails = |bytes: &[u8]| catch_unwind(AssertUnwindSafe(|| check(bytes))).is_err();
    silence(true);
    let small = shrunk(input, fails);
    silence(false);
    let mut hasher = DefaultHasher::new();
    small.hash(&mut hasher);
    let folder = env::temp_dir().join("polling-fuzz");
    let file = folder.join(format!("{}-{:016x}", target.name, hasher.finish()));
    let kept = fs::create_dir_all(&folder).and_then(|()| fs::write(&file, &small));
    let kept = match kept {
        Ok(()) => format!("kept in {}", file.display()),
        Err(error) => format!("not kept: {error}"),
    };
    let start = String::from_utf8_lossy(&small[..small.len().min(500)]).into_owned();
    panic!(
        "{} fails for {} bytes, {kept} ({SEED_VARIABLE}={seed}): {start:?}",
        target.name,
        small.len()
    );
}

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// Whether the panics of this thread are told. The search for the smallest form makes thousands.
fn silence(silent: bool) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !SILENT.get() {
                tell(panic);
            }
        }));
    });
    SILENT.set(silent);
}

/// Leaves out whatever can be left out, in ever smaller pieces.
fn shrunk(mut input: Vec<u8>, fails: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let until = Instant::now() + SHRINK_FOR;
    let mut piece = input.len().div_ceil(2);
    while piece > 0 && Instant::now() < until {
        let mut at = 0;
        while at < input.len() && Instant::now() < until {
            let mut without = input.clone();
            without.drain(at..(at + piece).min(input.len()));
            if fails(&without) {
                input = without;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    input
}

/// The seeds with their names, in the order of these.
fn seeds(target: &Target) -> Vec<(String, Vec<u8>)> {
    let read = |path: PathBuf| {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (name.unwrap_or_default(), bytes)
    };
    let entries = fs::read_dir(target.corpus)
        .unwrap_or_else(|error| panic!("the corpus {}: {error}", target.corpus));
    let mut seeds: Vec<_> = entries
        .filter_map(|entry| Some(read(entry.ok()?.path())))
        .collect();
    assert!(!seeds.is_empty(), "the corpus {} is empty", target.corpus);
    seeds.sort();
    seeds
}

fn random_seed() -> u64 {
    SysRng
        .try_next_u64()
        .expect("the system gives random numbers")
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_input_is_cut_down_to_what_it_needs() {
        let input = [vec![b'a'; 1_000], b"needle".to_vec(), vec![b'b'; 3_000]].concat();
        let fails = |bytes: &[u8]| bytes.windows(6).any(|window| window == b"needle");
        assert_eq!(shrunk(input, fails), b"needle");
    }

    #[test]
    #[should_panic(expected = "at most 100 are allowed")]
    fn what_allocates_too_much_is_told() {
        allocating_at_most(100, || vec![0u8; 101]);
    }
}
