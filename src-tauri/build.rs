//! Passes `tauri.conf.json` and the capabilities to Tauri's code generator.
//!
//! The window may call only the commands that its one capability names; a test compares that list
//! with the table of operations.

use std::error::Error;

const CAPABILITY: &str = "src-tauri/capabilities/panel.json";

fn main() -> Result<(), Box<dyn Error>> {
    let commands = commands(&std::fs::read_to_string(CAPABILITY)?)?;
    // The generator requires names that live as long as the program, so the build script leaks
    // them.
    let commands: Vec<&'static str> =
        commands.into_iter().map(|name| &*Box::leak(name.into_boxed_str())).collect();
    let attributes = tauri_build::Attributes::new()
        .app_manifest(tauri_build::AppManifest::new().commands(commands.leak()))
        .capabilities_path_pattern("./src-tauri/capabilities/**/*");
    tauri_build::try_build(attributes)?;
    // Removes the `gen` folder, which holds only editor schemas and would appear beside the
    // manifest at every build. The `permissions` folder, one file per command, has to stay: without
    // it cargo rebuilds.
    let _ = std::fs::remove_dir_all("gen");
    println!("cargo::rerun-if-changed={CAPABILITY}");
    Ok(())
}

/// Parses the command names from the capability: `allow-backend-add` allows `backend_add`.
fn commands(capability: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let capability: serde_json::Value = serde_json::from_str(capability)?;
    let permissions = capability.get("permissions").and_then(|list| list.as_array());
    let names = permissions.into_iter().flatten().filter_map(|permission| permission.as_str());
    Ok(names.filter_map(|name| name.strip_prefix("allow-")).map(|n| n.replace('-', "_")).collect())
}
