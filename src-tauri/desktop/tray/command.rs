//! What a row of the tray's menu does, and its form as the id of a menu item.

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Separates the parts of an id; masked within them.
const PART_SEPARATOR: char = '|';
const MASKED: &AsciiSet = &CONTROLS.add(b'|').add(b'%');

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TrayCommand {
    Open,
    /// Opens the window on a page of the panel.
    OpenPage(String),
    RunChecks,
    PauseGateway,
    ResumeGateway,
    CopyAddress,
    /// Shows no notifications for an hour.
    Quiet,
    /// Ends that, and every other silence that matches all alerts.
    EndQuiet,
    /// Puts a candidate of a route before the others.
    PutFirst {
        route: String,
        backend: String,
        /// `None` for a candidate that is asked for the model that the client named.
        model: Option<String>,
    },
    Quit,
}

impl TrayCommand {
    /// Reads the id of a menu item; `None` if the menu has no such item.
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        let parts: Option<Vec<String>> = id
            .split(PART_SEPARATOR)
            .map(|part| Some(percent_decode_str(part).decode_utf8().ok()?.into_owned()))
            .collect();
        let parts = parts?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Some(match parts.as_slice() {
            ["open"] => Self::Open,
            ["page", path] => Self::OpenPage((*path).to_owned()),
            ["checks"] => Self::RunChecks,
            ["pause"] => Self::PauseGateway,
            ["resume"] => Self::ResumeGateway,
            ["copy-address"] => Self::CopyAddress,
            ["quiet"] => Self::Quiet,
            ["end-quiet"] => Self::EndQuiet,
            ["put-first", route, backend] => Self::put_first(route, backend, None),
            ["put-first", route, backend, model] => Self::put_first(route, backend, Some(model)),
            ["quit"] => Self::Quit,
            _ => return None,
        })
    }

    fn put_first(route: &str, backend: &str, model: Option<&str>) -> Self {
        Self::PutFirst {
            route: route.to_owned(),
            backend: backend.to_owned(),
            model: model.map(str::to_owned),
        }
    }

    fn parts(&self) -> Vec<&str> {
        match self {
            Self::Open => vec!["open"],
            Self::OpenPage(path) => vec!["page", path],
            Self::RunChecks => vec!["checks"],
            Self::PauseGateway => vec!["pause"],
            Self::ResumeGateway => vec!["resume"],
            Self::CopyAddress => vec!["copy-address"],
            Self::Quiet => vec!["quiet"],
            Self::EndQuiet => vec!["end-quiet"],
            Self::PutFirst { route, backend, model } => {
                let named = ["put-first", route, backend];
                named.into_iter().chain(model.as_deref()).collect()
            }
            Self::Quit => vec!["quit"],
        }
    }
}

/// Writes the id of a menu item.
impl fmt::Display for TrayCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts().into_iter().enumerate() {
            if place > 0 {
                write!(f, "{PART_SEPARATOR}")?;
            }
            write!(f, "{}", utf8_percent_encode(part, MASKED))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read_back_from_its_id() {
        let first = |model: Option<&str>| TrayCommand::put_first("fast", "groq", model);
        let commands = [
            TrayCommand::Open,
            TrayCommand::OpenPage("/settings?part=Vault".to_owned()),
            TrayCommand::OpenPage("/backends/a|b%7C".to_owned()),
            TrayCommand::RunChecks,
            TrayCommand::PauseGateway,
            TrayCommand::ResumeGateway,
            TrayCommand::CopyAddress,
            TrayCommand::Quiet,
            TrayCommand::EndQuiet,
            first(None),
            first(Some("meta/llama-3:free")),
            first(Some("odd|model%é")),
            // A model without a name is not the same as none.
            first(Some("")),
            TrayCommand::Quit,
        ];
        for (place, command) in commands.iter().enumerate() {
            let id = command.to_string();
            assert_eq!(TrayCommand::from_id(&id).as_ref(), Some(command), "{id}");
            let same = commands.iter().filter(|other| other.to_string() == id).count();
            assert_eq!(same, 1, "{place}: {id} is also another command's");
        }
        for wrong in ["", "page", "open|x", "put-first|fast", "put-first|a|b|c|d", "page|%ff", "7"]
        {
            assert_eq!(TrayCommand::from_id(wrong), None, "{wrong}");
        }
    }
}
