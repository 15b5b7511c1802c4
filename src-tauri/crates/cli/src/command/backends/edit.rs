//! `gatehouse backends edit`: merges the typed changes into the full description that the core
//! takes.

use control::Core;
use control::view::{BackendEdit, BackendKind, BackendView};

use super::compatibility::{Compatibility, CompatibilityArguments};
use crate::command::completers;
use crate::console::Console;
use crate::exit::CommandError;
use crate::unlock::unlock_interactively;
use crate::word::word_except;

#[derive(Debug, clap::Args)]
pub(crate) struct EditBackendArguments {
    /// The backend
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    id: String,
    /// Display name
    #[arg(long)]
    label: Option<String>,
    /// Its protocol; changing it clears --lacks and --offers
    #[arg(long, value_parser = word_except(BackendKind::Mock))]
    kind: Option<BackendKind>,
    /// Base URL
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    base_url: Option<String>,
    /// Use this stored key
    #[arg(long, value_name = "KEY", add = completers::candidates_from(completers::key_names))]
    key: Option<String>,
    /// Use no key
    #[arg(long, conflicts_with = "key")]
    no_key: bool,
    /// A model it has (repeatable); replaces the list
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Fetch the list of models from the backend
    #[arg(long, conflicts_with = "models")]
    ask_for_models: bool,
    #[command(flatten)]
    differing: CompatibilityArguments,
}

pub(crate) async fn run(
    wanted: EditBackendArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    if wanted.key.is_some() {
        unlock_interactively(core, console).await?;
    }
    let known = control::backends(core).await?;
    let ids: Vec<String> = known.iter().map(|backend| backend.id.clone()).collect();
    let known = known.into_iter().find(|backend| backend.id == wanted.id).ok_or_else(|| {
        CommandError::from(control::unknown_name_error(
            "backend",
            &wanted.id,
            ids.iter().map(String::as_str),
        ))
    })?;
    let edited = control::backend_edit(core, wanted.merge_with(known)).await?;
    console.print_view(&edited, |backend| super::render_backend("Changed", backend))
}

impl EditBackendArguments {
    /// The new description: the typed values, and `known` for those not typed.
    pub(super) fn merge_with(self, known: BackendView) -> BackendEdit {
        let known_models = known.declared_models;
        let kind = self.kind.unwrap_or(known.kind);
        let (lacks, offers) = match kind == known.kind {
            true => (known.lacks, known.offers),
            false => (Vec::new(), Vec::new()),
        };
        let Compatibility { lacks, offers, crossing } =
            self.differing.merge_with(Compatibility { lacks, offers, crossing: known.crossing });
        BackendEdit {
            id: known.id,
            label: self.label.unwrap_or(known.label),
            kind,
            base_url: self.base_url.or(known.base_url).unwrap_or_default(),
            credential: if self.no_key { None } else { self.key.or(known.credential) },
            pool: None,
            limits: None,
            models: match (self.ask_for_models, self.models.is_empty()) {
                (true, _) => Vec::new(),
                (false, true) => known_models,
                (false, false) => self.models,
            },
            lacks,
            offers,
            crossing,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use control::view::{BackendKind, ExtraDialect, TranslationMode, UnsupportedFeature};
    use serde_json::json;

    use super::*;

    #[derive(Parser)]
    struct ParsedLine {
        #[command(flatten)]
        edit: EditBackendArguments,
    }

    fn edited(typed: &[&str]) -> BackendEdit {
        let known = json!({"id": "up", "label": "Up", "kind": "openai-compatible",
            "base_url": "http://h/v1", "enabled": true, "in_profile": true, "built_in": false,
            "credential": "up",
            "pool": {"order": "ordered", "members": [{"credential": "up", "weight": 1}]},
            "limits": {"requests_per_minute": null, "tokens_per_minute": null,
                "in_flight_max": null},
            "health": {"state": "up", "reason": "", "since": null, "last_checked": null,
                "probe_ms": null},
            "models": [{"id": "listed", "price": null}], "declared_models": ["m"],
            "lacks": ["images"], "offers": ["messages"], "crossing": "lenient",
            "dependents": {"backends": [], "routes": [], "broken_routes": [], "clients": [], "services": [],
                "cache_server": false},
            "last_day": {"spend": {"cost_nano_usd": 0, "is_cost_unknown": false, "requests": 0,
                "unpriced_requests": 0},
                "failed": 0, "requests_per_hour": [], "first_token_ms": null}});
        let known: BackendView = serde_json::from_value(known).expect("a view");
        let line = ["edit", "up"].iter().chain(typed);
        let edit = ParsedLine::try_parse_from(line).expect("understood").edit.merge_with(known);
        assert_eq!(edit.id, "up");
        edit
    }

    #[test]
    fn what_is_not_named_stays() {
        let check = |typed: &[&str], label: &str, url: &str, key: Option<&str>, models: &[&str]| {
            let models = models.iter().map(|model| (*model).to_owned()).collect();
            let wanted = (label.to_owned(), url.to_owned(), key.map(str::to_owned), models);
            let BackendEdit { label, base_url, credential, models, .. } = edited(typed);
            assert_eq!((label, base_url, credential, models), wanted, "{typed:?}");
        };
        let (url, key) = ("http://h/v1", Some("up"));
        check(&[], "Up", url, key, &["m"]);
        check(&["--label", "New"], "New", url, key, &["m"]);
        check(&["--base-url", "http://i"], "Up", "http://i", key, &["m"]);
        check(&["--key", "other"], "Up", url, Some("other"), &["m"]);
        check(&["--no-key"], "Up", url, None, &["m"]);
        check(&["--model", "a", "--model", "b"], "Up", url, key, &["a", "b"]);
        check(&["--ask-for-models"], "Up", url, key, &[]);
    }

    #[test]
    fn how_it_differs_stays_until_it_is_said_otherwise_or_the_kind_is_another() {
        use BackendKind::{Anthropic, OpenAiCompatible};
        let check = |typed: &[&str],
                     kind,
                     lacks: &[UnsupportedFeature],
                     offers: &[ExtraDialect],
                     crossing| {
            let edit = edited(typed);
            assert_eq!((edit.kind, edit.crossing), (kind, crossing), "{typed:?}");
            assert_eq!((&edit.lacks[..], &edit.offers[..]), (lacks, offers), "{typed:?}");
        };
        let (images, tools) = (UnsupportedFeature::Images, UnsupportedFeature::Tools);
        let (messages, lenient) = (&[ExtraDialect::Messages][..], TranslationMode::Lenient);
        check(&[], OpenAiCompatible, &[images], messages, lenient);
        check(&["--lacks", "tools,images"], OpenAiCompatible, &[tools, images], messages, lenient);
        check(&["--lacks", "none"], OpenAiCompatible, &[], messages, lenient);
        check(&["--offers", "none"], OpenAiCompatible, &[images], &[], lenient);
        check(
            &["--crossing", "strict"],
            OpenAiCompatible,
            &[images],
            messages,
            TranslationMode::Strict,
        );
        check(&["--kind", "anthropic"], Anthropic, &[], &[], lenient);
        check(&["--kind", "openai-compatible"], OpenAiCompatible, &[images], messages, lenient);
    }
}
