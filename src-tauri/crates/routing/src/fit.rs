//! Checks whether a candidate supports what a request needs. Only a known gap excludes a candidate;
//! unknown capabilities never do.

use std::fmt;

use domain::Lack;

use crate::facts::{Known, ModelFacts};
use crate::{BackendTraits, Needs, Reason};

/// A capability that a request may need and a backend or model may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ability {
    Tools,
    /// Images in messages.
    Images,
    /// Answers that follow a JSON schema.
    JsonSchema,
}

impl fmt::Display for Ability {
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
pub(crate) fn misfit(
    needs: &Needs,
    traits: &BackendTraits,
    facts: impl FnOnce() -> Option<&'static ModelFacts>,
) -> Option<Reason> {
    if *needs == (Needs { dialect: needs.dialect, ..Needs::default() }) {
        return None;
    }
    if needs.vectors && !traits.offers_vectors {
        return Some(Reason::NoVectors);
    }
    let wanted = [
        (needs.tools, Ability::Tools, Lack::Tools),
        (needs.vision, Ability::Images, Lack::Images),
        (needs.json_schema, Ability::JsonSchema, Lack::JsonSchema),
    ];
    let mut wanted = wanted.into_iter().filter(|(is_wanted, ..)| *is_wanted);
    if let Some((_, ability, _)) = wanted.clone().find(|(.., lack)| traits.lacks.contains(lack)) {
        return Some(Reason::BackendLacks(ability));
    }
    let facts = facts()?;
    if let Some((_, ability, _)) =
        wanted.find(|(_, ability, _)| knows(facts, *ability) == Known::No)
    {
        return Some(Reason::ModelLacks(ability));
    }
    too_large(needs, facts)
}

const fn knows(facts: &ModelFacts, ability: Ability) -> Known {
    match ability {
        Ability::Tools => facts.tools,
        Ability::Images => facts.images,
        Ability::JsonSchema => facts.json_schema,
    }
}

fn too_large(needs: &Needs, facts: &ModelFacts) -> Option<Reason> {
    let (tokens, tokens_max) = (needs.input_tokens, facts.input_tokens_max?);
    if tokens > tokens_max {
        return Some(Reason::InputTooLong { tokens, tokens_max });
    }
    let (tokens, tokens_max) = (needs.output_tokens, facts.output_tokens_max?);
    (tokens > tokens_max).then_some(Reason::OutputTooLong { tokens, tokens_max })
}
