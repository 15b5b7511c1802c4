//! Facts of the machine that this process runs on, kept for some minutes: reading them takes several
//! files, which nobody waits for twice.
//!
//! Where a fact cannot be found, nothing is said. Of a proxy neither its user nor its password is kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Moment, WallTime};
use tokio::sync::Mutex;
use url::Url;

/// How long a reading counts.
const KEPT: Duration = Duration::from_secs(300);
/// Where Linux tells of batteries and mains.
const POWER_FOLDER: &str = "/sys/class/power_supply";
/// Longest file that is read there, in bytes.
const POWER_FILE_BYTES_MAX: u64 = 64;
/// The variables that name the proxy of `https` requests, the first that is set counts.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The kinds of proxies that the client of requests knows.
const PROXY_SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// `None` where the system says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformReading {
    pub at: WallTime,
    /// With its version: "Debian GNU/Linux 12".
    pub system: Option<String>,
    pub kernel: Option<String>,
    /// "x86_64".
    pub architecture: String,
    pub power: Option<PowerSource>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerSource {
    NoBattery,
    Mains,
    Battery,
}

/// The proxy that the environment names for requests that leave this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyVariable {
    None,
    /// `http://proxy.corp:3128`, without user and password.
    Address {
        variable: &'static str,
        address: String,
        has_user: bool,
    },
    /// The variable holds something else, which is not shown.
    Unreadable(&'static str),
}

/// Reads what changes seldom; a test passes another function.
pub(crate) type ReadPlatform = fn(WallTime) -> PlatformReading;

pub struct Platform {
    clock: Arc<dyn Clock>,
    read: ReadPlatform,
    proxy: ProxyVariable,
    /// Held while it is read, so that those who ask meanwhile wait for the same reading.
    latest: Mutex<Option<(Moment, PlatformReading)>>,
}

impl Platform {
    pub(crate) fn new(clock: Arc<dyn Clock>, proxy: ProxyVariable) -> Self {
        Self { clock, read: read_platform, proxy, latest: Mutex::default() }
    }

    /// A reading of the last five minutes. `None` only while the program stops.
    pub async fn reading(&self) -> Option<PlatformReading> {
        let mut latest = self.latest.lock().await;
        let now = self.clock.now();
        if let Some((_, known)) = latest.as_ref().filter(|(at, _)| now.since(*at) < KEPT) {
            return Some(known.clone());
        }
        let (read, at) = (self.read, self.clock.wall());
        let found = tokio::task::spawn_blocking(move || read(at)).await.ok()?;
        *latest = Some((now, found.clone()));
        Some(found)
    }

    #[must_use]
    pub const fn proxy(&self) -> &ProxyVariable {
        &self.proxy
    }
}

impl ProxyVariable {
    /// From the variables of the environment, the first that has a value. Hosts that `NO_PROXY` excepts
    /// are not told apart.
    pub(crate) fn of(variables: &[(String, String)]) -> Self {
        let set = |wanted: &'static str| {
            let value = variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
            Some((wanted, value.filter(|value| !value.is_empty())?))
        };
        let Some((variable, value)) = PROXY_VARIABLES.into_iter().find_map(set) else {
            return Self::None;
        };
        // Without a scheme the name before a port would pass for one.
        let url = match value.contains("://") {
            true => Url::parse(value),
            false => Url::parse(&format!("http://{value}")),
        };
        let Ok(url) = url else { return Self::Unreadable(variable) };
        let Some(host) = url.host_str() else { return Self::Unreadable(variable) };
        let has_user = !url.username().is_empty() || url.password().is_some();
        // A `/`, `?` or `#` in a password ends the address before it: then a part of it would be shown.
        let is_cut = value.contains('@') && !has_user;
        if is_cut || !PROXY_SCHEMES.contains(&url.scheme()) {
            return Self::Unreadable(variable);
        }
        let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
        Self::Address { variable, address: format!("{}://{host}{port}", url.scheme()), has_user }
    }
}

fn read_platform(at: WallTime) -> PlatformReading {
    PlatformReading {
        at,
        system: sysinfo::System::long_os_version().ok(),
        kernel: sysinfo::System::kernel_version().ok(),
        architecture: sysinfo::System::cpu_arch(),
        power: cfg!(target_os = "linux").then(|| power_in(Path::new(POWER_FOLDER))).flatten(),
    }
}

/// `None` if the folder cannot be read, or what is in it does not say.
fn power_in(folder: &Path) -> Option<PowerSource> {
    let mut batteries = 0;
    let mut is_on_mains = None;
    for supply in std::fs::read_dir(folder).ok()? {
        let supply = supply.ok()?.path();
        let read = |name: &str| read_line(&supply.join(name));
        match read("type").as_deref() {
            // That of a mouse or a headset is none of the machine's.
            Some("Battery") if read("scope").as_deref() != Some("Device") => batteries += 1,
            Some("Mains") => match read("online").as_deref() {
                Some("1") => is_on_mains = Some(true),
                Some("0") => is_on_mains = is_on_mains.or(Some(false)),
                _ => {}
            },
            _ => {}
        }
    }
    match (batteries, is_on_mains) {
        (0, _) => Some(PowerSource::NoBattery),
        (_, Some(true)) => Some(PowerSource::Mains),
        (_, Some(false)) => Some(PowerSource::Battery),
        // Some machines tell of their battery alone.
        (_, None) => None,
    }
}

fn read_line(file: &Path) -> Option<String> {
    use std::io::Read;
    let mut text = String::new();
    let opened = std::fs::File::open(file).ok()?;
    opened.take(POWER_FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use domain::ManualClock;

    use super::*;
    use crate::test_parts::NOW;

    static READINGS: AtomicUsize = AtomicUsize::new(0);

    fn counted(at: WallTime) -> PlatformReading {
        READINGS.fetch_add(1, Ordering::Relaxed);
        let (system, kernel, power) = (None, None, None);
        PlatformReading { at, system, kernel, architecture: "x86_64".to_owned(), power }
    }

    #[tokio::test]
    async fn a_reading_counts_for_five_minutes_and_is_made_once_for_all_who_ask() {
        let clock = Arc::new(ManualClock::starting_at(NOW));
        let shared = Arc::<ManualClock>::clone(&clock);
        let platform = Platform { read: counted, ..Platform::new(shared, ProxyVariable::None) };
        let count = || READINGS.load(Ordering::Relaxed);
        let both = tokio::join!(platform.reading(), platform.reading());
        assert_eq!((both.0.as_ref(), count()), (both.1.as_ref(), 1));
        clock.advance(KEPT - Duration::from_millis(1));
        assert_eq!(platform.reading().await.expect("known").at, NOW);
        assert_eq!(count(), 1);
        clock.advance(Duration::from_millis(1));
        let later = platform.reading().await.expect("known");
        assert_eq!((later.at.unix_ms(), count()), (NOW.unix_ms() + 300_000, 2));
    }

    #[test]
    fn a_proxy_is_named_without_its_user_and_password_and_what_is_none_is_not_shown() {
        let of = |variables: &[(&str, &str)]| {
            let all =
                variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            ProxyVariable::of(&all.collect::<Vec<_>>())
        };
        let address = |variable, address: &str, has_user| ProxyVariable::Address {
            variable,
            address: address.to_owned(),
            has_user,
        };
        assert_eq!(of(&[("HTTP_PROXY", "http://p:1"), ("HTTPS_PROXY", "")]), ProxyVariable::None);
        let marked = "http://me:CANARY@proxy.corp:3128/CANARY?CANARY";
        let found = of(&[("ALL_PROXY", "http://other:1"), ("https_proxy", marked)]);
        assert_eq!(found, address("https_proxy", "http://proxy.corp:3128", true));
        assert_eq!(
            of(&[("ALL_PROXY", "proxy.corp:80")]),
            address("ALL_PROXY", "http://proxy.corp", false)
        );
        assert_eq!(
            of(&[("all_proxy", "socks5h://[::1]:9050")]),
            address("all_proxy", "socks5h://[::1]:9050", false)
        );
        for unreadable in [
            "http://CANARY:CANARY@",
            "http://me:2024#rest@proxy:3128",
            "http://tok/en@proxy:3128",
            "http://tok?en@proxy:3128",
            "x://sk-canary",
        ] {
            let found = of(&[("HTTPS_PROXY", unreadable)]);
            assert_eq!(found, ProxyVariable::Unreadable("HTTPS_PROXY"), "{unreadable}");
        }
    }

    /// A folder with these supplies, each with its files.
    fn power_of(supplies: &[(&str, &[(&str, &str)])]) -> Option<PowerSource> {
        let home = tempfile::tempdir().expect("a folder");
        for (name, files) in supplies {
            let supply = home.path().join(name);
            std::fs::create_dir(&supply).expect("made");
            for (file, text) in *files {
                private_files::write_atomic(&supply.join(file), text.as_bytes()).expect("written");
            }
        }
        power_in(home.path())
    }

    #[test]
    fn the_power_is_told_only_where_the_system_says_it() {
        let battery: (&str, &[(&str, &str)]) = ("BAT0", &[("type", "Battery\n")]);
        let mains = |online: &'static str| match online {
            "1" => ("AC", &[("type", "Mains\n"), ("online", "1\n")][..]),
            _ => ("AC", &[("type", "Mains\n"), ("online", "0\n")][..]),
        };
        let mouse: (&str, &[(&str, &str)]) =
            ("hid-1", &[("type", "Battery\n"), ("scope", "Device\n")]);
        assert_eq!(power_of(&[]), Some(PowerSource::NoBattery));
        assert_eq!(power_of(&[mouse]), Some(PowerSource::NoBattery));
        assert_eq!(power_of(&[battery, mains("1")]), Some(PowerSource::Mains));
        assert_eq!(power_of(&[battery, mains("0")]), Some(PowerSource::Battery));
        assert_eq!(power_of(&[battery]), None);
        assert_eq!(power_in(Path::new("/nowhere/at/all")), None);
    }

    #[test]
    fn this_machine_is_read() {
        let found = read_platform(NOW);
        assert!(!found.architecture.is_empty());
    }
}
