//! What is known of this machine, in words without secrets. What is not known is not guessed.

use std::env::consts::OS;

use engine::{Engine, PlatformReading, PowerSource, ProxyVariable};
use settings::VaultKind;

use crate::view::{MachineFact, MachineFactView};

pub(crate) async fn machine_facts(engine: &Engine) -> Vec<MachineFactView> {
    let platform = engine.platform();
    let reading = platform.reading().await;
    let web_view = match (engine.web_view().state(), engine.web_view().version()) {
        (None, _) => Some("No window in this process".to_owned()),
        (Some(_), version) => version.map(|version| format!("{} {version}", web_view_name(OS))),
    };
    let facts = [
        (MachineFact::System, "System", reading.as_ref().and_then(system)),
        (MachineFact::KeyStorage, "Key storage", Some(storage(engine.vault().kind(), OS))),
        (MachineFact::WebView, "Web view", web_view),
        (MachineFact::Proxy, "Proxy", Some(proxy(platform.proxy()))),
        (MachineFact::Power, "Power", reading.and_then(|it| it.power).map(power)),
    ];
    let view = |(fact, label, value): (MachineFact, &str, Option<String>)| MachineFactView {
        fact,
        label: label.to_owned(),
        value,
    };
    facts.into_iter().map(view).collect()
}

fn system(reading: &PlatformReading) -> Option<String> {
    let name = reading.system.as_ref()?;
    let kernel = reading.kernel.as_ref().map(|kernel| format!(", kernel {kernel}"));
    Some(format!("{name}{}, {}", kernel.unwrap_or_default(), reading.architecture))
}

fn storage(kind: VaultKind, os: &str) -> String {
    let words = match (kind, os) {
        (VaultKind::Keychain, "linux") => "Keychain, by the Secret Service",
        (VaultKind::Keychain, "windows") => "Keychain, the Credential Manager",
        (VaultKind::Keychain, _) => "Keychain",
        (VaultKind::File, _) => "Encrypted file",
        (VaultKind::Env, _) => "Environment, read only",
        (VaultKind::Memory, _) => "Memory, until Gatehouse ends",
    };
    words.to_owned()
}

fn web_view_name(os: &str) -> &'static str {
    match os {
        "windows" => "WebView2",
        "linux" => "WebKitGTK",
        _ => "WebKit",
    }
}

/// What stays on this machine never goes through a proxy.
fn proxy(known: &ProxyVariable) -> String {
    match known {
        ProxyVariable::None => "None named by the environment".to_owned(),
        ProxyVariable::Address { variable, address, has_user } => {
            let user = if *has_user { ", with a user" } else { "" };
            format!("{address}{user}, by {variable}")
        }
        ProxyVariable::Unreadable(variable) => format!("{variable} does not hold an address"),
    }
}

fn power(source: PowerSource) -> String {
    let words = match source {
        PowerSource::NoBattery => "No battery",
        PowerSource::Mains => "Mains",
        PowerSource::Battery => "Battery",
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use domain::WallTime;

    use super::*;

    #[test]
    fn facts_are_told_in_words_and_what_is_not_known_is_not_told() {
        let reading = PlatformReading {
            at: WallTime::default(),
            system: Some("Debian GNU/Linux 12".to_owned()),
            kernel: Some("6.1.0".to_owned()),
            architecture: "x86_64".to_owned(),
            power: None,
        };
        assert_eq!(system(&reading).as_deref(), Some("Debian GNU/Linux 12, kernel 6.1.0, x86_64"));
        let unnamed = PlatformReading { system: None, ..reading };
        assert_eq!(system(&unnamed), None);
        let named = |has_user| {
            let address = "http://proxy.corp:3128".to_owned();
            proxy(&ProxyVariable::Address { variable: "HTTPS_PROXY", address, has_user })
        };
        assert_eq!(named(false), "http://proxy.corp:3128, by HTTPS_PROXY");
        assert_eq!(named(true), "http://proxy.corp:3128, with a user, by HTTPS_PROXY");
        let unreadable = proxy(&ProxyVariable::Unreadable("ALL_PROXY"));
        assert_eq!(unreadable, "ALL_PROXY does not hold an address");
        assert_eq!(storage(VaultKind::Keychain, "linux"), "Keychain, by the Secret Service");
        assert_eq!(storage(VaultKind::Keychain, "macos"), "Keychain");
    }
}
