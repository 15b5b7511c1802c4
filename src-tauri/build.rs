//! Hands `tauri.conf.json` and the capabilities to Tauri's code generator.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let commands = tauri_build::AppManifest::new();
    let attributes = tauri_build::Attributes::new()
        .app_manifest(commands)
        .capabilities_path_pattern("./src-tauri/capabilities/**/*");
    tauri_build::try_build(attributes)?;
    // Editor schemas only; without this a `gen` folder appears beside the manifest at every build.
    let _ = std::fs::remove_dir_all("gen");
    Ok(())
}
