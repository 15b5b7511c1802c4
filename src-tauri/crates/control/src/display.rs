//! Detects whether a window can be shown, which the desktop program and the command line need to
//! know before they try.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisplayAvailability {
    Available,
    /// Nobody would see a window.
    Unavailable,
}

impl DisplayAvailability {
    /// Reads the environment: X11 and Wayland set a variable. Windows and macOS always have a
    /// display.
    #[must_use]
    pub fn from_variables(variables: &[(String, String)]) -> Self {
        let named = |name: &str, value: &str| {
            matches!(name, "DISPLAY" | "WAYLAND_DISPLAY") && !value.is_empty()
        };
        let always = cfg!(any(windows, target_os = "macos"));
        if always || variables.iter().any(|(name, value)| named(name, value)) {
            Self::Available
        } else {
            Self::Unavailable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn an_empty_variable_is_no_display() {
        let among = |name: &str, value: &str| {
            DisplayAvailability::from_variables(&[(name.to_owned(), value.to_owned())])
        };
        assert_eq!(among("DISPLAY", ":0"), DisplayAvailability::Available);
        assert_eq!(among("WAYLAND_DISPLAY", "wayland-0"), DisplayAvailability::Available);
        assert_eq!(among("DISPLAY", ""), DisplayAvailability::Unavailable);
        assert_eq!(among("HOME", "/h"), DisplayAvailability::Unavailable);
    }
}
