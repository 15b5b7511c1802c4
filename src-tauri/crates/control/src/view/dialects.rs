//! Protocols, and how a backend differs from the one it speaks: twins of the core's words, spelled
//! alike on every door.

use domain::{Crossing, Lack, Offer};
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
    /// The protocols of backends.
    BackendKindView of BackendKind {
        /// OpenAI itself.
        Openai = OpenAi,
        /// Anthropic's Messages.
        Anthropic = Anthropic,
        /// Google's Gemini API.
        Gemini = Gemini,
        /// Another server that speaks OpenAI's Chat Completions.
        OpenaiCompatible = OpenAiCompatible,
        /// Ollama's own chat.
        Ollama = Ollama,
        /// The built-in mock.
        Mock = Mock,
    }
}

twin! {
    /// What an OpenAI-compatible server lacks of Chat Completions. A request is then written without
    /// it, or refused if its meaning would change.
    LackView of Lack {
        /// `stream_options.include_usage`.
        StreamUsage = StreamUsage,
        /// The role `developer`.
        DeveloperRole = DeveloperRole,
        /// `max_completion_tokens`.
        MaxCompletionTokens = MaxCompletionTokens,
        /// `parallel_tool_calls`.
        ParallelToolCalls = ParallelToolCalls,
        /// `reasoning_effort`.
        ReasoningEffort = ReasoningEffort,
        /// `response_format` with a JSON schema.
        JsonSchema = JsonSchema,
        /// `tools`.
        Tools = Tools,
        /// Images in messages.
        Images = Images,
    }
}

twin! {
    /// What an OpenAI-compatible server speaks beside Chat Completions.
    OfferView of Offer {
        /// `POST /responses`.
        Responses = Responses,
        /// `POST /messages`.
        Messages = Messages,
    }
}

twin! {
    /// What becomes of a field that the backend's protocol has no word for.
    CrossingView of Crossing {
        /// Refused by name if it changes the answer, else dropped and named.
        Strict = Strict,
        /// Dropped and named.
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
        for lack in Lack::ALL {
            let view = LackView::from(*lack);
            let json = spelled(serde_json::to_value(view).expect("JSON"));
            assert_eq!((json.as_str(), Lack::from(view)), (lack.word(), *lack));
        }
        for offer in Offer::ALL {
            let view = OfferView::from(*offer);
            let json = spelled(serde_json::to_value(view).expect("JSON"));
            assert_eq!((json.as_str(), Offer::from(view)), (offer.word(), *offer));
        }
        for crossing in Crossing::ALL {
            let view = CrossingView::from(*crossing);
            let json = spelled(serde_json::to_value(view).expect("JSON"));
            assert_eq!((json.as_str(), Crossing::from(view)), (crossing.word(), *crossing));
        }
    }
}
