//! Properties that the estimate has for every text.

use proptest::prelude::*;
use tokens::{BYTES_READ_MAX, MESSAGE_TOKENS, TokenEstimator, estimate_tokens};

#[test]
fn nothing_has_no_tokens_and_anything_has_one() {
    assert_eq!(estimate_tokens(""), 0);
    for text in ["a", " ", "\n", "\0", "ß", "字", "🦀", "\u{10FFFF}", "\u{FEFF}"] {
        assert!(estimate_tokens(text) >= 1, "{text:?}");
    }
}

#[test]
fn up_to_the_limit_every_byte_is_read_and_beyond_it_the_ratio_goes_on() {
    let limit = "a b\n".repeat(BYTES_READ_MAX / 4);
    assert_eq!(limit.len(), BYTES_READ_MAX);
    let within = estimate_tokens(&limit[..limit.len() - 4]);
    assert!(within < estimate_tokens(&limit));
    let double = format!("{limit}{limit}");
    assert_eq!(estimate_tokens(&double), 2 * estimate_tokens(&limit));
}

#[test]
fn beyond_the_limit_nothing_is_read_so_that_the_work_is_bounded() {
    let beginning = "a b\n".repeat(BYTES_READ_MAX / 4);
    let tail_bytes = 6_000_000;
    let letters = format!("{beginning}{}", "a".repeat(tail_bytes));
    let han = format!("{beginning}{}", "字".repeat(tail_bytes / 3));
    assert_eq!(letters.len(), han.len());
    assert_eq!(estimate_tokens(&letters), estimate_tokens(&han));
}

#[test]
fn a_character_across_the_limit_is_not_read_however_the_text_is_cut() {
    let text = format!("{}字 and more", "a".repeat(BYTES_READ_MAX - 1));
    let mut tally = TokenEstimator::new();
    for character in text.chars() {
        tally.push(character.encode_utf8(&mut [0; 4]));
    }
    assert_eq!(tally.tokens(), estimate_tokens(&text));
}

#[test]
fn one_character_a_million_times_costs_each_the_same() {
    for character in ["a", " ", "=", "0", "\n", "字"] {
        let thousand = estimate_tokens(&character.repeat(1_000));
        let million = estimate_tokens(&character.repeat(1_000_000));
        let expected = thousand * 1_000;
        assert!(million.abs_diff(expected) <= expected / 100 + 1_000, "{character:?}: {million}");
    }
}

#[test]
fn words_near_a_mark_are_cut_finer_and_those_far_from_it_are_not() {
    // The texts differ in their first letter only, so the surplus shows how far its diacritic
    // counts.
    let (reach_chars, word) = (256, " archives");
    let with =
        |first: &str, words: usize| estimate_tokens(&format!("{first}{}", word.repeat(words)));
    let surplus = |words: usize| with("é", words) - with("e", words);
    let within = reach_chars / word.len();
    assert!(surplus(within) > surplus(within / 2), "{} {}", surplus(within), surplus(within / 2));
    assert!(surplus(10 * within) <= surplus(within) + 1);
}

#[test]
fn a_message_has_its_envelope_and_continues_nothing() {
    let mut tally = TokenEstimator::new();
    tally.begin_message();
    assert_eq!(tally.tokens(), MESSAGE_TOKENS);
    tally.push("Hello");
    tally.begin_message();
    tally.push("Hello");
    assert!(tally.tokens().abs_diff(2 * (MESSAGE_TOKENS + estimate_tokens("Hello"))) <= 1);
    assert!(tally.tokens() > 2 * MESSAGE_TOKENS);
}

#[test]
fn the_envelopes_are_not_extrapolated() {
    let text = "a b\n".repeat(BYTES_READ_MAX / 2);
    let mut tally = TokenEstimator::new();
    tally.begin_message();
    tally.push(&text);
    assert_eq!(tally.tokens(), MESSAGE_TOKENS + estimate_tokens(&text));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn visible_text_is_never_nothing_nor_more_than_its_bytes_allow(text in ".*") {
        let tokens = estimate_tokens(&text);
        prop_assert!(text.trim().is_empty() || tokens >= 1);
        // No tokenizer used here has more than two tokens for one byte, and the first is a whole
        // one.
        prop_assert!(tokens <= 2 * text.len() as u64 + 1);
    }

    #[test]
    fn a_longer_text_never_has_fewer_tokens(first in ".*", second in ".*") {
        let together = format!("{first}{second}");
        prop_assert!(estimate_tokens(&together) >= estimate_tokens(&first));
    }

    #[test]
    fn together_two_texts_have_hardly_more_than_apart(first in ".{1,40}", second in ".{1,40}") {
        // One character may cost more at the seam than at a beginning; rounding adds one.
        let together = estimate_tokens(&format!("{first}{second}"));
        let apart = estimate_tokens(&first) + estimate_tokens(&second);
        prop_assert!(together <= apart + apart / 2 + 6, "{together} against {apart}");
    }

    #[test]
    fn it_makes_no_difference_where_a_text_is_cut(pieces in prop::collection::vec(".*", 0..8)) {
        let mut tally = TokenEstimator::new();
        for piece in &pieces {
            tally.push(piece);
        }
        prop_assert_eq!(tally.tokens(), estimate_tokens(&pieces.concat()));
    }
}
