//! `--allow-model`, `--allow-backend` and `--allow-route` of `gatehouse clients add` and `edit`.
//!
//! `none` is refused: it reads as "nothing", and a limit that is lifted by mistake is not noticed.

use control::ApiError;
use control::view::ClientScopeView;

use super::completers;

/// The word that lifts the limit of a kind.
const ALL: &str = "all";

/// What a client may ask for; without any of a kind, everything of that kind.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ClientScopeArguments {
    /// Allow only this model name (repeatable); a trailing * matches anything, `all` allows every model
    #[arg(long = "allow-model", value_name = "MODEL", add = completers::candidates_from(completers::model_names))]
    models: Vec<String>,
    /// Allow only this backend (repeatable); `all` allows every one
    #[arg(long = "allow-backend", value_name = "BACKEND",
        add = completers::candidates_from(completers::backend_names))]
    backends: Vec<String>,
    /// Allow only this route (repeatable); `all` allows every one
    #[arg(long = "allow-route", value_name = "ROUTE", add = completers::candidates_from(completers::route_names))]
    routes: Vec<String>,
}

impl ClientScopeArguments {
    /// The typed lists; those of `known` where none was typed.
    pub(super) fn merge_with(self, known: ClientScopeView) -> Result<ClientScopeView, ApiError> {
        Ok(ClientScopeView {
            models: merge_list("models", self.models, known.models)?,
            backends: merge_list("backends", self.backends, known.backends)?,
            routes: merge_list("routes", self.routes, known.routes)?,
        })
    }
}

fn merge_list(kind: &str, typed: Vec<String>, known: Vec<String>) -> Result<Vec<String>, ApiError> {
    let wrong = |message: String| ApiError::invalid(&format!("scope.{kind}"), message);
    match typed.as_slice() {
        [] => Ok(known),
        [only] if only == ALL => Ok(Vec::new()),
        [_, _, ..] if typed.iter().any(|name| name == ALL) => {
            Err(wrong(format!("`{ALL}` stands alone, without names of {kind}")))
        }
        _ if typed.iter().any(|name| name == "none") => {
            Err(wrong("`none` is no limit that can be set".to_owned()).with_hint(format!(
                "`{ALL}` allows all {kind}. `gatehouse clients block NAME` refuses all requests."
            )))
        }
        _ => Ok(typed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lifts_a_limit_and_none_is_refused() {
        let check = |typed: &[&str], expected: Result<&[&str], &str>| {
            let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let typed = ClientScopeArguments { models: list(typed), ..Default::default() };
            let known = ClientScopeView {
                models: list(&["gpt-*"]),
                backends: list(&["up"]),
                routes: Vec::new(),
            };
            let merged = typed.merge_with(known.clone());
            let expected = expected.map(|names| ClientScopeView { models: list(names), ..known });
            assert_eq!(merged.map_err(|error| error.message), expected.map_err(str::to_owned));
        };
        check(&[], Ok(&["gpt-*"]));
        check(&["small", "large"], Ok(&["small", "large"]));
        check(&["all"], Ok(&[]));
        check(&["all", "small"], Err("`all` stands alone, without names of models"));
        check(&["none"], Err("`none` is no limit that can be set"));
    }
}
