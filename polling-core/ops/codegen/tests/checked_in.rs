//! What is checked in is what the generators make of the interfaces.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

#[test]
fn the_generated_code_is_that_of_the_interfaces() {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for folder in polling_ops_codegen::generate(|_| fresh.to_path_buf()).unwrap() {
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap();
            let checked_in = fs::read_to_string(file.path()).unwrap();
            let generated = fs::read_to_string(fresh.join(file.file_name())).unwrap();
            assert!(
                checked_in == generated,
                "{} is not up to date: `cargo run -p polling-ops-codegen`",
                file.path().display()
            );
        }
    }
}
