//! Formats the figures of one run as text and JSON.

use anyhow::Result;
use serde_json::{Value, json};

use super::environment::Rounds;
use super::figures::median;
use super::{nginx, process};
use crate::call::ProgramCall;
use crate::repository::Repository;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum FigureTarget {
    AtLeast(f64),
    AtMost(f64),
    /// No target: shown for comparison only.
    Nothing,
}

#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// The measured quantity, with its unit.
    pub(crate) quantity: &'static str,
    /// Direct requests to the upstream.
    pub(crate) direct: Option<f64>,
    pub(crate) nginx: Option<f64>,
    pub(crate) gatehouse: Option<f64>,
    /// Through each peer that succeeded.
    pub(crate) peers: Vec<(String, f64)>,
    /// The value compared with the target; `None` if it could not be measured.
    pub(crate) result: Option<f64>,
    pub(crate) target: FigureTarget,
    /// A remark; may be empty.
    pub(crate) note: String,
}

/// The machine, the versions and the load during the run.
pub(crate) struct RunConditions {
    lines: Vec<(&'static str, String)>,
}

impl Figure {
    /// A figure of Gatehouse alone, without contenders.
    pub(crate) fn of_gatehouse(quantity: &'static str, result: f64, target: FigureTarget) -> Self {
        let gatehouse = Some(result);
        Self { gatehouse, ..Self::of(quantity, Some(result), target) }
    }

    /// A figure from rounds with all contenders.
    pub(crate) fn from_rounds(
        quantity: &'static str,
        rounds: &Rounds<f64>,
        result: Option<f64>,
        target: FigureTarget,
    ) -> Self {
        let middle = |values: &[f64]| (!values.is_empty()).then(|| median(values));
        Self {
            direct: middle(&rounds.direct),
            nginx: middle(&rounds.nginx),
            gatehouse: middle(&rounds.gatehouse),
            peers: rounds
                .peers
                .iter()
                .filter_map(|(name, values)| Some((name.clone(), middle(values)?)))
                .collect(),
            ..Self::of(quantity, result, target)
        }
    }

    /// A figure that could not be measured, with the reason.
    pub(crate) fn missing(quantity: &'static str, why: String) -> Self {
        Self { note: why, ..Self::of(quantity, None, FigureTarget::Nothing) }
    }

    pub(crate) fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    fn of(quantity: &'static str, result: Option<f64>, target: FigureTarget) -> Self {
        let (direct, nginx, gatehouse) = (None, None, None);
        let (peers, note) = (Vec::new(), String::new());
        Self { quantity, direct, nginx, gatehouse, peers, result, target, note }
    }

    /// One word: is the target met?
    fn verdict(&self) -> &'static str {
        match (self.result, self.target) {
            (None, _) => "no figure",
            (Some(_), FigureTarget::Nothing) => "",
            (Some(result), FigureTarget::AtLeast(target)) if result >= target => "ok",
            (Some(result), FigureTarget::AtMost(target)) if result <= target => "ok",
            (Some(_), _) => "MISS",
        }
    }

    fn table_row(&self) -> String {
        let target = match self.target {
            FigureTarget::AtLeast(target) => format!(">= {}", format_value(Some(target))),
            FigureTarget::AtMost(target) => format!("<= {}", format_value(Some(target))),
            FigureTarget::Nothing => String::new(),
        };
        let [direct, nginx, ours] = [self.direct, self.nginx, self.gatehouse].map(format_value);
        let (quantity, result, verdict) =
            (self.quantity, format_value(self.result), self.verdict());
        let peer = |(name, value): &(String, f64)| format!("{name} {}", format_value(Some(*value)));
        let said = std::iter::once(self.note.clone()).filter(|note| !note.is_empty());
        let note = said.chain(self.peers.iter().map(peer)).collect::<Vec<_>>().join("; ");
        format!(
            "| {quantity:<46} | {direct:>8} | {nginx:>8} | {ours:>9} | {result:>8} | {target:>9} | \
             {verdict:<9} | {note} |"
        )
    }

    fn json(&self) -> Value {
        let (bound, target) = match self.target {
            FigureTarget::AtLeast(target) => ("at_least", Some(target)),
            FigureTarget::AtMost(target) => ("at_most", Some(target)),
            FigureTarget::Nothing => ("none", None),
        };
        json!({
            "quantity": self.quantity, "direct": self.direct, "nginx": self.nginx,
            "gatehouse": self.gatehouse,
            "peers": self.peers.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
            "result": self.result, "bound": bound, "target": target,
            "verdict": self.verdict(), "note": self.note,
        })
    }
}

impl RunConditions {
    /// Collects the facts before the first measurement.
    pub(crate) fn collect(repository: &Repository, rounds: usize, program: String) -> Self {
        let said = |words: &str| {
            let (name, rest) = words.split_once(' ').unwrap_or((words, ""));
            let said = ProgramCall::new(name, &repository.root).words(rest).capture();
            said.map_or_else(|_| "unknown".to_owned(), |said| said.stdout.trim().to_owned())
        };
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let lines = vec![
            ("date", said("date -u +%Y-%m-%dT%H:%MZ")),
            ("checkout", said("git rev-parse --short HEAD")),
            ("system", format!("{}, {}", distribution(), said("uname -sr"))),
            ("processor", format!("{cores} x {}", processor())),
            ("compiler", said("rustc --version")),
            ("nginx", nginx::nginx_version().unwrap_or_else(|error| error.to_string())),
            ("program", program),
            ("rounds", rounds.to_string()),
            ("load before", process::load_averages()),
        ];
        Self { lines }
    }

    /// Adds the load after the last measurement.
    pub(crate) fn add_final_load(&mut self) {
        self.lines.push(("load after", process::load_averages()));
    }
}

/// The whole run as Markdown that is readable as plain text.
pub(crate) fn text(circumstances: &RunConditions, figures: &[Figure]) -> String {
    let mut lines: Vec<String> =
        circumstances.lines.iter().map(|(name, value)| format!("- {name}: {value}")).collect();
    lines.push(format!(
        "\n| {:<46} | {:>8} | {:>8} | {:>9} | {:>8} | {:>9} | {:<9} | Note |",
        "Quantity", "direct", "nginx", "Gatehouse", "result", "target", "verdict"
    ));
    lines.push("|---|--:|--:|--:|--:|--:|---|---|".to_owned());
    lines.extend(figures.iter().map(Figure::table_row));
    lines.join("\n")
}

/// The whole run as JSON.
pub(crate) fn json(circumstances: &RunConditions, figures: &[Figure]) -> Result<String> {
    let around: serde_json::Map<String, Value> = circumstances
        .lines
        .iter()
        .map(|(name, value)| (name.replace(' ', "_"), Value::from(value.as_str())))
        .collect();
    let figures: Vec<Value> = figures.iter().map(Figure::json).collect();
    Ok(serde_json::to_string_pretty(&json!({"circumstances": around, "figures": figures}))? + "\n")
}

/// Formats a value with its significant decimals.
fn format_value(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.fract() == 0.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 1_000.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.3}"),
    }
}

fn distribution() -> String {
    field("/etc/os-release", "PRETTY_NAME=", '\n').unwrap_or_else(|| std::env::consts::OS.into())
}

fn processor() -> String {
    field("/proc/cpuinfo", "model name\t: ", '\n').unwrap_or_else(|| std::env::consts::ARCH.into())
}

fn field(file: &str, name: &str, end: char) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let value = text.split_once(name)?.1.split(end).next()?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Figure, FigureTarget};

    #[test]
    fn a_target_is_met_up_to_its_bound_and_missed_past_it() {
        let check = |result, target, verdict| {
            assert_eq!(
                Figure::of_gatehouse("a", result, target).verdict(),
                verdict,
                "{result} {target:?}"
            );
        };
        check(0.5, FigureTarget::AtLeast(0.5), "ok");
        check(0.49, FigureTarget::AtLeast(0.5), "MISS");
        check(5.0, FigureTarget::AtMost(5.0), "ok");
        check(5.01, FigureTarget::AtMost(5.0), "MISS");
        check(7.0, FigureTarget::Nothing, "");
        assert_eq!(Figure::missing("a", "why".to_owned()).verdict(), "no figure");
    }
}
