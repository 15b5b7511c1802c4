//! Tells cargo that a shipped program holds the built panel, so that a panel built after the program
//! is not left out of it. Unshipped builds read the panel from its folder while they run.

#![expect(clippy::disallowed_methods, reason = "cargo says the profile in the environment")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=../../../ui/dist");
    }
}
