//! Writes the generated code in its place.

use std::path::Path;

fn main() -> anyhow::Result<()> {
    polling_ops_codegen::generate(Path::to_path_buf)?;
    Ok(())
}
