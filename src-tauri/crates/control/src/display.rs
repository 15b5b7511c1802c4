//! Detects whether a window can be shown, which the desktop program and the command line need to
//! know before they try.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    Here,
    /// Nobody would see a window.
    None,
}

impl Display {
    /// Reads the environment: X11 and Wayland set a variable. Windows and macOS always have a
    /// display.
    #[must_use]
    pub fn among(variables: &[(String, String)]) -> Self {
        let named = |name: &str, value: &str| {
            matches!(name, "DISPLAY" | "WAYLAND_DISPLAY") && !value.is_empty()
        };
        let always = cfg!(any(windows, target_os = "macos"));
        if always || variables.iter().any(|(name, value)| named(name, value)) {
            Self::Here
        } else {
            Self::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn an_empty_variable_is_no_display() {
        let among =
            |name: &str, value: &str| Display::among(&[(name.to_owned(), value.to_owned())]);
        assert_eq!(among("DISPLAY", ":0"), Display::Here);
        assert_eq!(among("WAYLAND_DISPLAY", "wayland-0"), Display::Here);
        assert_eq!(among("DISPLAY", ""), Display::None);
        assert_eq!(among("HOME", "/h"), Display::None);
    }
}
