//! Protocols, and how a backend deviates from its protocol. Each word is spelled the same in the
//! API and in the settings file.

use domain::{ExtraDialect, TranslationMode, UnsupportedFeature};
use serde::{Deserialize, Serialize};
use settings::BackendKind;
use specta::Type;

macro_rules! twin {
    ($(#[$doc:meta])* $View:ident of $Core:ident { $($(#[$variant_doc:meta])* $view:ident = $core:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
        #[serde(rename_all = "kebab-case")]
        pub enum $View { $($(#[$variant_doc])* $view),+ }

        impl From<$Core> for $View {
            fn from(core: $Core) -> Self {
                match core { $($Core::$core => Self::$view),+ }
            }
        }

        impl From<$View> for $Core {
            fn from(view: $View) -> Self {
                match view { $($View::$view => Self::$core),+ }
            }
        }
    };
}

pub(super) use twin;

twin! {
    /// Protocols that backends speak.
    BackendKindView of BackendKind {
        /// OpenAI's own API.
        Openai = OpenAi,
        /// Anthropic Messages.
        Anthropic = Anthropic,
        Gemini = Gemini,
        /// Another server with OpenAI's Chat Completions.
        OpenaiCompatible = OpenAiCompatible,
        /// Ollama's own chat API.
        Ollama = Ollama,
        Mock = Mock,
    }
}

twin! {
    /// Features of Chat Completions that an OpenAI-compatible server lacks. A request is written
    /// without the feature, or refused if that would change its meaning.
    UnsupportedFeatureView of UnsupportedFeature {
        /// `stream_options.include_usage`.
        StreamUsage = StreamUsage,
        /// The role `developer`.
        DeveloperRole = DeveloperRole,
        MaxCompletionTokens = MaxCompletionTokens,
        ParallelToolCalls = ParallelToolCalls,
        ReasoningEffort = ReasoningEffort,
        /// `response_format` with a JSON schema.
        JsonSchema = JsonSchema,
        Tools = Tools,
        /// Images in messages.
        Images = Images,
    }
}

twin! {
    /// APIs that an OpenAI-compatible server offers besides Chat Completions.
    ExtraDialectView of ExtraDialect {
        /// `POST /responses`.
        Responses = Responses,
        /// `POST /messages`.
        Messages = Messages,
    }
}

twin! {
    /// What happens to a request field that the backend's protocol cannot express.
    TranslationModeView of TranslationMode {
        /// Refuses the request if the field changes the answer, else drops the field and reports
        /// it.
        Strict = Strict,
        /// Drops the field and reports it.
        Lenient = Lenient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_spelled_on_the_wire_as_in_the_settings_file() {
        let spelled = |view: serde_json::Value| view.as_str().expect("a word").to_owned();
        let json = |view| spelled(serde_json::to_value::<BackendKindView>(view).expect("JSON"));
        for word in BackendKind::WORDS {
            let kind: BackendKind = word.parse().expect("known");
            assert_eq!(
                (json(kind.into()), BackendKind::from(BackendKindView::from(kind))),
                ((*word).to_owned(), kind)
            );
        }
        for lack in UnsupportedFeature::ALL {
            let view = UnsupportedFeatureView::from(*lack);
            let json = spelled(serde_json::to_value(view).expect("JSON"));
            assert_eq!((json.as_str(), UnsupportedFeature::from(view)), (lack.word(), *lack));
        }
        for offer in ExtraDialect::ALL {
            let view = ExtraDialectView::from(*offer);
            let json = spelled(serde_json::to_value(view).expect("JSON"));
            assert_eq!((json.as_str(), ExtraDialect::from(view)), (offer.word(), *offer));
        }
        for crossing in TranslationMode::ALL {
            let view = TranslationModeView::from(*crossing);
            let json = spelled(serde_json::to_value(view).expect("JSON"));
            assert_eq!((json.as_str(), TranslationMode::from(view)), (crossing.word(), *crossing));
        }
    }
}
