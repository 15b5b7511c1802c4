//! Regenerates `src/boundaries.txt`: `fit FIT_FOLDER CHECK_FOLDER > src/boundaries.txt`.
//!
//! Each file in the first folder is one kind of text (a language, code, data), in UTF-8, a few
//! hundred kilobytes long. The second folder holds other texts, which the fit must never have seen;
//! the error on each is printed to standard error.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own")]
#![expect(clippy::disallowed_methods, reason = "a program of its own: it reads its arguments")]
#![expect(clippy::indexing_slicing, reason = "every index is a kind or a place in its own text")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of a token, limited to a byte"
)]

use std::error::Error;
use std::fs;
use std::path::PathBuf;

#[path = "../src/character.rs"]
mod character;

use character::{KINDS_COUNT, NEWLINE, character_kind, has_diacritic, is_latin};

/// One vocabulary of each vendor; the table is fitted to their mean.
const VOCABULARIES: [&str; 6] =
    ["o200k_base", "deepseek_v3", "qwen2", "mistral_v3", "kimi_k2", "glm4"];

/// Same as `MARK_REACH_CHARS` in the crate.
const DIACRITIC_WINDOW_CHARS: usize = 256;

/// One token in table cells.
const CELLS_PER_TOKEN: f64 = 50.0;

/// Smoothing weight: a pair of kinds seen less often than this is pulled towards the average of its
/// second kind.
const PRIOR_WEIGHT: f64 = 5.0;

/// Rounds that reweight the kinds of text with a large error.
const FIT_ROUNDS: usize = 30;

/// Relative error above which a text gains weight.
const TARGET_ERROR_MAX: f64 = 0.04;

/// Statistics of one text and its tokenizations.
struct SampleText {
    name: String,
    weight: f64,
    tokens_by_vocabulary: Vec<f64>,
    chars: f64,
    /// Number of occurrences of each pair of kinds: ordinary ones, then those of Latin letters soon
    /// after a diacritic.
    pairs: [Vec<f64>; 2],
    /// Tokens that begin at the second character of each pair, averaged over the vocabularies.
    begins: [Vec<f64>; 2],
}

/// The table, and the factor for letters soon after a diacritic.
struct FittedTable {
    cells: Vec<f64>,
    surcharge: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut folders = std::env::args().skip(1);
    let usage = "usage: fit FIT_FOLDER CHECK_FOLDER";
    let mut texts = read_folder(folders.next().ok_or(usage)?.into())?;
    let checks = read_folder(folders.next().ok_or(usage)?.into())?;
    let mut fit = FittedTable::fit_table(&texts);
    for _ in 0..FIT_ROUNDS {
        for text in &mut texts {
            let error = (fit.tokens(text) / text.tokens() - 1.0).abs();
            let growth = if error > TARGET_ERROR_MAX { 1.12 } else { 0.97 };
            text.weight = (text.weight * growth).clamp(0.25, 5.0);
        }
        fit = FittedTable::fit_table(&texts);
    }
    fit.print();
    eprintln!("surcharge after a mark: {:.3}", fit.surcharge);
    eprintln!("{:16} to the mean, to o200k_base; vocabularies to o200k_base", "");
    for text in &checks {
        let (tokens, first) = (fit.tokens(text), text.tokens_by_vocabulary[0]);
        let share = |least: f64, count: &f64| least.min(count / first);
        let least = text.tokens_by_vocabulary.iter().fold(1.0, share);
        let most = text.tokens_by_vocabulary.iter().fold(1.0_f64, |most, c| most.max(c / first));
        let (to_mean, to_first) = (tokens / text.tokens(), tokens / first);
        eprintln!("{:16} {to_mean:.3} {to_first:.3}   {least:.2}..{most:.2}", text.name);
    }
    Ok(())
}

impl SampleText {
    fn new(name: String, text: &str) -> Result<Self, Box<dyn Error>> {
        let mut begins_at = vec![0.0; text.len() + 1];
        let mut tokens_by_vocabulary = Vec::new();
        for name in VOCABULARIES {
            let vocabulary = tiktoken::get_encoding(name).ok_or("a vocabulary is not built in")?;
            let tokens = vocabulary.encode(text);
            let mut place = 0;
            for token in &tokens {
                begins_at[place] += 1.0 / VOCABULARIES.len() as f64;
                place = text.len().min(place + vocabulary.decode(&[*token]).len());
            }
            tokens_by_vocabulary.push(tokens.len() as f64);
        }
        let empty = || [vec![0.0; KINDS_COUNT * KINDS_COUNT], vec![0.0; KINDS_COUNT * KINDS_COUNT]];
        let (mut pairs, mut begins) = (empty(), empty());
        let (mut before, mut mark_reach) = (NEWLINE, 0_usize);
        for (place, character) in text.char_indices() {
            let this = character_kind(character);
            mark_reach = if has_diacritic(this) {
                DIACRITIC_WINDOW_CHARS
            } else {
                mark_reach.saturating_sub(1)
            };
            let marked = usize::from(mark_reach > 0 && is_latin(before) && is_latin(this));
            let cell = usize::from(before) * KINDS_COUNT + usize::from(this);
            pairs[marked][cell] += 1.0;
            begins[marked][cell] +=
                begins_at[place..place + character.len_utf8()].iter().sum::<f64>();
            before = this;
        }
        let chars = text.chars().count() as f64;
        Ok(Self { name, weight: 1.0, tokens_by_vocabulary, chars, pairs, begins })
    }

    /// Mean over the vocabularies.
    fn tokens(&self) -> f64 {
        self.tokens_by_vocabulary.iter().sum::<f64>() / VOCABULARIES.len() as f64
    }
}

impl FittedTable {
    fn fit_table(texts: &[SampleText]) -> Self {
        let sum = |of: &dyn Fn(&SampleText) -> f64| -> f64 {
            texts.iter().map(|text| of(text) * text.weight / text.chars * 1e5).sum()
        };
        let pairs: Vec<f64> =
            (0..KINDS_COUNT * KINDS_COUNT).map(|cell| sum(&|t| t.pairs[0][cell])).collect();
        let begins: Vec<f64> =
            (0..KINDS_COUNT * KINDS_COUNT).map(|cell| sum(&|t| t.begins[0][cell])).collect();
        let mut cells = Vec::with_capacity(KINDS_COUNT * KINDS_COUNT);
        for cell in 0..KINDS_COUNT * KINDS_COUNT {
            let column = |of: &[f64]| -> f64 {
                of.iter().skip(cell % KINDS_COUNT).step_by(KINDS_COUNT).sum()
            };
            let elsewhere = (column(&begins) + 1.0) / (column(&pairs) + 1.0);
            let share = (begins[cell] + PRIOR_WEIGHT * elsewhere) / (pairs[cell] + PRIOR_WEIGHT);
            // A run of one character is never free, however long it is.
            let least = if cell / KINDS_COUNT == cell % KINDS_COUNT { 1.0 } else { 0.0 };
            cells.push((share * CELLS_PER_TOKEN).round().clamp(least, 255.0) / CELLS_PER_TOKEN);
        }
        let marked = sum(&|text| text.begins[1].iter().sum());
        let plain = sum(&|text| text.pairs[1].iter().zip(&cells).map(|(n, cell)| n * cell).sum());
        Self { cells, surcharge: marked / plain }
    }

    /// The table's estimate for a text.
    fn tokens(&self, text: &SampleText) -> f64 {
        let plain: f64 = text.pairs[0].iter().zip(&self.cells).map(|(n, cell)| n * cell).sum();
        let marked = |(n, cell): (&f64, &f64)| n * (cell * self.surcharge).min(1.0);
        plain + text.pairs[1].iter().zip(&self.cells).map(marked).sum::<f64>()
    }

    fn print(&self) {
        for row in self.cells.chunks(KINDS_COUNT) {
            let row: String = row
                .iter()
                .map(|cell| format!("{:02x}", (cell * CELLS_PER_TOKEN).round() as u8))
                .collect();
            println!("{row}");
        }
    }
}

fn read_folder(folder: PathBuf) -> Result<Vec<SampleText>, Box<dyn Error>> {
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::path);
    let text = |file: &fs::DirEntry| {
        SampleText::new(
            file.file_name().to_string_lossy().into_owned(),
            &fs::read_to_string(file.path())?,
        )
    };
    files.iter().map(text).collect()
}
