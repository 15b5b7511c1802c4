//! `gatehouse usage anomalies`: what was unusual, and why.

use control::Core;
use control::view::{
    GroupBy, TimeZoneChoice, UsageAnomaliesQuery, UsageAnomaliesView, UsageAnomalyFine,
    UsageAnomalyRef, UsageAnomalySplitView, UsageAnomalyView,
};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_money;
use crate::sign::Tone;
use crate::text::{StyledText, render_sentence};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AnomaliesArguments {
    /// Days until now
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=28))]
    days: u32,
    /// Say that this one is fine, so that it is not listed or alerted unless it goes on
    #[arg(long, value_name = "ID", conflicts_with = "restore")]
    fine: Option<String>,
    /// With --fine: however long it goes on
    #[arg(long, requires = "fine")]
    always: bool,
    /// Take --fine back
    #[arg(long, value_name = "ID")]
    restore: Option<String>,
    #[command(flatten)]
    zone: ZoneArguments,
}

#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ZoneArguments {
    /// Days are in UTC instead of local time
    #[arg(long)]
    utc: bool,
}

impl ZoneArguments {
    pub(super) const fn zone(self) -> TimeZoneChoice {
        if self.utc { TimeZoneChoice::Utc } else { TimeZoneChoice::Local }
    }
}

pub(super) async fn run(
    wanted: AnomaliesArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if let Some(id) = wanted.fine {
        let fine = UsageAnomalyFine { id: id.clone(), always: wanted.always };
        control::usage_anomaly_dismiss(core, fine).await?;
        let back = format!("Take it back: gatehouse usage anomalies --restore '{id}'");
        console.print_remark(&render_sentence(&format!("It is fine. {back}")));
    } else if let Some(id) = wanted.restore {
        control::usage_anomaly_restore(core, UsageAnomalyRef { id }).await?;
    }
    let query = UsageAnomaliesQuery { zone: wanted.zone.zone(), days: wanted.days };
    let found = control::usage_anomalies(core, query).await?;
    console.print_view(&found, text)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn text(found: &UsageAnomaliesView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &found.finding);
    if found.learning {
        let sentence = "Less than two weeks are known: an hour is compared with the mean of all.";
        text.line(Tone::Muted, sentence);
    }
    for anomaly in &found.anomalies {
        text.end().line(Tone::Plain, &anomaly.finding);
        for reason in reasons(anomaly) {
            text.line(Tone::Muted, &reason);
        }
        text.line(
            Tone::Muted,
            &format!("  Fine? gatehouse usage anomalies --fine '{}'", anomaly.id),
        );
    }
    if !found.dismissed.is_empty() {
        text.end().line(Tone::Strong, "You said these are fine:");
        for anomaly in &found.dismissed {
            text.line(Tone::Plain, &format!("{}  {}", anomaly.finding, anomaly.id));
        }
    }
    text.end();
    for rule in &found.unavailable_rules {
        text.line(Tone::Muted, rule);
    }
    text
}

fn reasons(anomaly: &UsageAnomalyView) -> Vec<String> {
    let split = anomaly.split.map(split_sentence);
    let subject = anomaly
        .subject
        .as_ref()
        .filter(|subject| !anomaly.finding.contains(&subject.label))
        .map(|subject| format!("  Most by the {} {}", noun(subject.dimension), subject.label));
    let names = anomaly.contributors.iter().map(|one| {
        let more = format_money(one.excess_nano_usd);
        format!("  {more} more by the {} {}", noun(one.dimension), one.label)
    });
    split.into_iter().chain(subject).chain(names).collect()
}

/// The word of the command line.
const fn noun(dimension: GroupBy) -> &'static str {
    match dimension {
        GroupBy::Credential => "key",
        other => other.word(),
    }
}

fn split_sentence(split: UsageAnomalySplitView) -> String {
    let [volume, mix, price] =
        [split.volume_nano_usd, split.mix_nano_usd, split.price_nano_usd].map(format_money);
    format!("  {volume} by more tokens, {mix} by dearer models, {price} by dearer tokens")
}
