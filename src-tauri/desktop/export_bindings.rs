//! Writes the TypeScript bindings to the given path. `cargo xtask bindings` runs it and compares.

use anyhow::Context as _;
use specta_typescript::Typescript;

#[expect(clippy::disallowed_methods, reason = "a program reads its arguments")]
fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).context("give the path of the file to write")?;
    let header =
        "// Generated from the Rust views; do not edit. `cargo xtask bindings` writes it.\n";
    gatehouse_desktop::bindings()
        .export(Typescript::default().header(header), &path)
        .with_context(|| format!("the bindings could not be written to {path}"))
}
