//! What forms offer, defined once with the words of the core: their labels and order. The meaning of a
//! word is its help on the command line, too.

use std::borrow::Cow;

use domain::{Meter, Word as _};

use crate::operation::{meter_label, unit_sentence};
use crate::view::{
    CacheMode, ExtraDialect, PoolOrder, PriceTier, ResiliencePreset, RoutePolicy, TranslationMode,
    UnsupportedFeature,
};

/// Values that a form offers, in its order. The note of each is the meaning of its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceTable {
    pub name: &'static str,
    /// Name of the type in Rust and TypeScript.
    pub value_type: &'static str,
    pub choices: Vec<Choice>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub word: &'static str,
    pub label: Cow<'static, str>,
    pub note: &'static str,
}

macro_rules! choices {
    ($($name:ident: $Value:ident { $($value:ident => $label:literal,)+ })+) => {
        fn labelled_tables() -> Vec<ChoiceTable> {
            vec![$(ChoiceTable {
                name: stringify!($name),
                value_type: stringify!($Value),
                choices: vec![$(Choice {
                    word: $Value::$value.word(),
                    label: Cow::Borrowed($label),
                    note: $Value::$value.meaning(),
                }),+],
            }),+]
        }
    };
}

/// All choices, for the panel.
#[must_use]
pub fn choice_tables() -> Vec<ChoiceTable> {
    let meter = |meter: &Meter| Choice {
        word: meter.word(),
        label: Cow::Owned(meter_label(*meter)),
        note: unit_sentence(meter.unit()),
    };
    let choices = Meter::ALL.iter().map(meter).collect();
    let meters = ChoiceTable { name: "METERS", value_type: "Meter", choices };
    labelled_tables().into_iter().chain([meters]).collect()
}

choices! {
    POLICIES: RoutePolicy {
        Ordered => "In order",
        Balanced => "Balanced",
        Fastest => "Fastest",
        Cheapest => "Cheapest",
        LeastBusy => "Least busy",
        Weighted => "By weight",
        Split => "Split",
    }
    POOL_ORDERS: PoolOrder {
        Ordered => "In order",
        Weighted => "By weight",
    }
    CACHE_MODES: CacheMode {
        Auto => "Auto",
        On => "On",
        Off => "Off",
        Refresh => "Refresh",
    }
    TRANSLATION_MODES: TranslationMode {
        Strict => "Strict",
        Lenient => "Lenient",
    }
    UNSUPPORTED_FEATURES: UnsupportedFeature {
        StreamUsage => "Usage in streams",
        DeveloperRole => "developer role",
        MaxCompletionTokens => "max_completion_tokens",
        ParallelToolCalls => "parallel_tool_calls",
        ReasoningEffort => "reasoning_effort",
        JsonSchema => "JSON schema",
        Tools => "Tools",
        Images => "Images",
    }
    EXTRA_DIALECTS: ExtraDialect {
        Responses => "Responses",
        Messages => "Messages",
    }
    RESILIENCE_PRESETS: ResiliencePreset {
        Careful => "Careful",
        Balanced => "Balanced",
        Eager => "Eager",
        Custom => "Custom",
    }
    PRICE_TIERS: PriceTier {
        Standard => "Standard",
        Flex => "Flex",
        Priority => "Priority",
        Batch => "Batch",
        Fast => "Fast",
        Reserved => "Reserved",
    }
}
