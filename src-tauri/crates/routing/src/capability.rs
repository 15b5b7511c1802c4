//! Checks whether a candidate supports what a request needs. Only a known gap excludes a candidate;
//! unknown capabilities never do.

use std::fmt;

use domain::UnsupportedFeature;

use crate::exclusion::ExclusionReason;
use crate::model_facts::{ModelFacts, Support};
use crate::request::Needs;
use crate::route::BackendCapabilities;

/// A capability that a request may need and a backend or model may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    Tools,
    /// Images in messages.
    Images,
    /// Answers that follow a JSON schema.
    JsonSchema,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tools => "does not support tools",
            Self::Images => "does not support images",
            Self::JsonSchema => "does not support JSON schemas",
        })
    }
}

/// Why a backend with a model of these `facts` cannot serve the request. `None` if there is no
/// known reason.
pub(crate) fn find_exclusion(
    needs: &Needs,
    traits: &BackendCapabilities,
    facts: impl FnOnce() -> Option<&'static ModelFacts>,
) -> Option<ExclusionReason> {
    if *needs == (Needs { dialect: needs.dialect, ..Needs::default() }) {
        return None;
    }
    if needs.embeddings && !traits.has_embeddings {
        return Some(ExclusionReason::NoEmbeddings);
    }
    let wanted = [
        (needs.tools, Capability::Tools, UnsupportedFeature::Tools),
        (needs.vision, Capability::Images, UnsupportedFeature::Images),
        (needs.json_schema, Capability::JsonSchema, UnsupportedFeature::JsonSchema),
    ];
    let mut wanted = wanted.into_iter().filter(|(is_wanted, ..)| *is_wanted);
    if let Some((_, ability, _)) =
        wanted.clone().find(|(.., lack)| traits.unsupported.contains(lack))
    {
        return Some(ExclusionReason::BackendLacks(ability));
    }
    let facts = facts()?;
    if let Some((_, ability, _)) =
        wanted.find(|(_, ability, _)| capability_support(facts, *ability) == Support::No)
    {
        return Some(ExclusionReason::ModelLacks(ability));
    }
    exceeded_limit(needs, facts)
}

const fn capability_support(facts: &ModelFacts, ability: Capability) -> Support {
    match ability {
        Capability::Tools => facts.tools,
        Capability::Images => facts.images,
        Capability::JsonSchema => facts.json_schema,
    }
}

fn exceeded_limit(needs: &Needs, facts: &ModelFacts) -> Option<ExclusionReason> {
    let (tokens, tokens_max) = (needs.input_tokens, facts.input_tokens_max?);
    if tokens > tokens_max {
        return Some(ExclusionReason::InputTooLong { tokens, tokens_max });
    }
    let (tokens, tokens_max) = (needs.output_tokens, facts.output_tokens_max?);
    (tokens > tokens_max).then_some(ExclusionReason::OutputTooLong { tokens, tokens_max })
}
