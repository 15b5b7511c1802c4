//! Compares the estimate with the vendors' real tokenizers, which the released programs do not
//! contain.

use tokens::estimate_tokens;

/// Same as in `examples/fit.rs`.
const VOCABULARIES: [&str; 6] =
    ["o200k_base", "deepseek_v3", "qwen2", "mistral_v3", "kimi_k2", "glm4"];

/// Returns the vendors' counts, our estimate, and its deviation from their mean in percent.
#[expect(clippy::expect_used, reason = "the manifest builds these vocabularies in")]
fn check(text: &str) -> (Vec<usize>, u64, f64) {
    let vendors: Vec<usize> = VOCABULARIES
        .iter()
        .map(|name| tiktoken::get_encoding(name).expect("built in").count(text))
        .collect();
    let mean = vendors.iter().sum::<usize>() as f64 / vendors.len() as f64;
    let ours = estimate_tokens(text);
    (vendors, ours, (ours as f64 / mean - 1.0) * 100.0)
}

#[test]
fn pages_of_text_code_and_data_are_close_to_the_mean_of_the_vendors() {
    for (name, text, percent_max) in [
        ("english", include_str!("texts/english.txt"), 10.0),
        ("german", include_str!("texts/german.txt"), 10.0),
        ("chinese", include_str!("texts/chinese.txt"), 10.0),
        ("code", include_str!("texts/code.txt"), 10.0),
        ("json", include_str!("texts/json.txt"), 10.0),
    ] {
        let (vendors, ours, percent) = check(text);
        println!("{name}: {ours} against {vendors:?}: {percent:+.1} %");
        assert!(percent.abs() <= percent_max, "{name}: {ours} against {vendors:?}");
    }
}

#[test]
fn a_few_words_are_within_a_half_or_two_tokens() {
    for text in [
        "Hello",
        "Hello, world!",
        "What is the capital of France?",
        "fn main() { println!(\"hi\"); }",
        "Wie spät ist es in Köln?",
        "你好，世界",
        "{\"city\":\"Paris\",\"days\":3}",
        "1,234,567.89",
        "https://example.com/a/b?c=d",
    ] {
        let (vendors, ours, percent) = check(text);
        let mean = (vendors.iter().sum::<usize>() / vendors.len()) as u64;
        println!("{text}: {ours} against {vendors:?}: {percent:+.1} %");
        assert!(percent.abs() <= 50.0 || ours.abs_diff(mean) <= 2, "{text}: {ours}");
    }
}
