//! How long answers are, as far as a reservation must assume it.

use std::collections::{HashMap, VecDeque};

/// Output tokens that are assumed of a model with fewer than [`ANSWERS_MIN`] answers.
pub const OUTPUT_TOKENS_ASSUMED: u64 = 4_096;

/// Answers of a model from which its own lengths are used.
pub const ANSWERS_MIN: usize = 10;

/// Latest answers of a model that count.
pub(crate) const ANSWERS_KEPT_MAX: usize = 64;

/// Models whose answers are kept; any further one counts as having none.
pub const MODELS_MAX: usize = 256;

/// Output tokens of the latest answers, by the model as the backend names it.
#[derive(Debug, Default)]
pub struct AnswerLengths(HashMap<String, VecDeque<u64>>);

impl AnswerLengths {
    /// Notes an answer of `model`.
    pub fn record(&mut self, model: &str, output_tokens: u64) {
        let is_full = self.0.len() >= MODELS_MAX;
        let lengths = match self.0.get_mut(model) {
            Some(lengths) => lengths,
            None if is_full => return,
            None => self.0.entry(model.to_owned()).or_default(),
        };
        if lengths.len() >= ANSWERS_KEPT_MAX {
            lengths.pop_front();
        }
        lengths.push_back(output_tokens);
    }

    /// The length that 95 of 100 of the latest answers do not exceed, by the nearest rank.
    #[must_use]
    pub fn expected(&self, model: &str) -> u64 {
        let Some(lengths) = self.0.get(model).filter(|it| it.len() >= ANSWERS_MIN) else {
            return OUTPUT_TOKENS_ASSUMED;
        };
        let mut sorted: Vec<u64> = lengths.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * 95).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(OUTPUT_TOKENS_ASSUMED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_expected_to_be_as_long_as_nineteen_of_twenty_were() {
        let mut lengths = AnswerLengths::default();
        for tokens in 1..10 {
            lengths.record("m", tokens);
        }
        assert_eq!(lengths.expected("m"), OUTPUT_TOKENS_ASSUMED, "nine answers say too little");
        for tokens in 10..=20 {
            lengths.record("m", tokens);
        }
        assert_eq!((lengths.expected("m"), lengths.expected("n")), (19, OUTPUT_TOKENS_ASSUMED));
        for _again in 0..ANSWERS_KEPT_MAX {
            lengths.record("m", 7);
        }
        assert_eq!(lengths.expected("m"), 7, "only the latest count");
    }

    #[test]
    fn models_past_the_limit_are_assumed_to_answer_at_length() {
        let mut lengths = AnswerLengths::default();
        for model in 0..=MODELS_MAX {
            for _answer in 0..ANSWERS_MIN {
                lengths.record(&format!("m{model}"), 3);
            }
        }
        let last = format!("m{}", MODELS_MAX - 1);
        assert_eq!(lengths.expected(&last), 3);
        assert_eq!(lengths.expected(&format!("m{MODELS_MAX}")), OUTPUT_TOKENS_ASSUMED);
    }
}
