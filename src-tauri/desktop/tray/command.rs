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
    /// Sends a client's requests to a backend or a route; without both, the routing rules decide.
    SwitchClient {
        client: String,
        backend: Option<String>,
        route: Option<String>,
    },
    /// Refuses a client's requests.
    BlockClient(String),
    AllowClient(String),
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
            ["switch-client", client] => Self::switch_client(client, None, None),
            ["switch-client", client, "backend", id] => Self::switch_client(client, Some(id), None),
            ["switch-client", client, "route", id] => Self::switch_client(client, None, Some(id)),
            ["block-client", client] => Self::BlockClient((*client).to_owned()),
            ["allow-client", client] => Self::AllowClient((*client).to_owned()),
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

    fn switch_client(client: &str, backend: Option<&str>, route: Option<&str>) -> Self {
        let [backend, route] = [backend, route].map(|id| id.map(str::to_owned));
        Self::SwitchClient { client: client.to_owned(), backend, route }
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
            Self::SwitchClient { client, backend, route } => {
                let mut parts = vec!["switch-client", client];
                parts.extend(backend.iter().flat_map(|id| ["backend", id]));
                parts.extend(route.iter().flat_map(|id| ["route", id]));
                parts
            }
            Self::BlockClient(client) => vec!["block-client", client],
            Self::AllowClient(client) => vec!["allow-client", client],
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
            TrayCommand::switch_client("editor", None, None),
            TrayCommand::switch_client("editor", Some("fast"), None),
            TrayCommand::switch_client("editor", None, Some("fast")),
            TrayCommand::BlockClient("editor".to_owned()),
            TrayCommand::AllowClient("editor".to_owned()),
            TrayCommand::Quit,
        ];
        for (place, command) in commands.iter().enumerate() {
            let id = command.to_string();
            assert_eq!(TrayCommand::from_id(&id).as_ref(), Some(command), "{id}");
            let same = commands.iter().filter(|other| other.to_string() == id).count();
            assert_eq!(same, 1, "{place}: {id} is also another command's");
        }
        for wrong in [
            "",
            "page",
            "open|x",
            "put-first|fast",
            "put-first|a|b|c|d",
            "page|%ff",
            "7",
            "switch-client",
            "switch-client|a|model|b",
        ] {
            assert_eq!(TrayCommand::from_id(wrong), None, "{wrong}");
        }
    }
}
