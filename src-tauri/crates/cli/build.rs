//! Makes cargo rebuild a release program when the panel has been rebuilt, since the program embeds
//! it. Debug builds read the panel from its folder at run time.

#![expect(clippy::disallowed_methods, reason = "cargo says the profile in the environment")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=../../../ui/dist");
    }
}
