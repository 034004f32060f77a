//! The code of `polling-ops` that is generated from `proto/`, by generators in Rust: no `protoc`.
//!
//! After a change of an interface, or of a generator's version: `cargo run -p polling-ops-codegen`. A test holds
//! what is checked in against what would be written.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Interfaces, with where their code is.
const INTERFACES: [(&str, &str); 1] = [("externalscaler.proto", "src/keda/generated")];

/// Generates all code into the folders that `place` makes of the usual ones, and returns the usual ones.
///
/// # Errors
///
/// When an interface is wrong, or a folder cannot be written to.
pub fn generate(place: impl Fn(&Path) -> PathBuf) -> anyhow::Result<Vec<PathBuf>> {
    // As cargo says it now: what was compiled may be of another checkout with the same target folder.
    let here = env::var("CARGO_MANIFEST_DIR").context("run it by cargo")?;
    let root = Path::new(&here).join("..");
    let proto = root.join("proto");
    let mut folders = Vec::new();
    for (interface, folder) in INTERFACES {
        let descriptors = protox::compile([interface], [&proto])
            .with_context(|| format!("{interface} is wrong"))?;
        let folder = root.join(folder);
        tonic_prost_build::configure()
            .build_transport(false)
            .emit_rerun_if_changed(false)
            .out_dir(place(&folder))
            .compile_fds(descriptors)
            .with_context(|| format!("the code of {interface} cannot be written"))?;
        folders.push(folder);
    }
    Ok(folders)
}
