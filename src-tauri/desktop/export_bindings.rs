//! Writes the panel's generated files and the reference of settings into the given folder. `cargo xtask bindings` runs
//! it and compares.

use std::path::PathBuf;

use anyhow::Context as _;
use specta_typescript::Typescript;

const HEADER: &str =
    "// Generated from the Rust views; do not edit. `cargo xtask bindings` writes it.\n";

#[expect(clippy::disallowed_methods, reason = "a program reads its arguments")]
fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).context("give the folder to write into")?;
    let folder = PathBuf::from(folder);
    gatehouse_desktop::bindings()
        .export(Typescript::default().header(HEADER), folder.join("bindings.ts"))
        .context("the bindings could not be written")?;
    for (name, text) in [
        ("tables.ts", format!("{HEADER}\n{}", gatehouse_desktop::panel_tables()?)),
        ("form-tables.ts", format!("{HEADER}\n{}", gatehouse_desktop::form_tables()?)),
        ("presets.ts", format!("{HEADER}\n{}", gatehouse_desktop::fake_presets()?)),
        ("panel.json", gatehouse_desktop::capability()),
        ("SETTINGS.md", control::settings_reference()?),
    ] {
        std::fs::write(folder.join(name), text)
            .with_context(|| format!("{name} could not be written"))?;
    }
    Ok(())
}
