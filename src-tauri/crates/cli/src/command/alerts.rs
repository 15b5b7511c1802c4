//! `gatehouse alerts`: what is wrong, silences, rules and what was wrong.

use clap::Subcommand;
use control::view::{
    AlertChannel, AlertChannelRef, AlertChannelSecret, AlertChannelState, AlertChannelView,
    AlertRef, AlertRule, AlertSilence, AlertState, AlertTestAnswer, AlertView, AlertsView,
    DesktopServiceView, InboxQuery, InboxRead, InboxView, IncidentNote, IncidentView, SilenceRef,
    UnixMs,
};
use control::{ApiError, Core};

use super::alert_ladder::render_ladder;
use super::alert_rules::RuleArguments;
use super::alert_trials::RehearseArguments;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{format_at_least, format_distance};
use crate::secret_input::{SecretSource, StdinArgument, read_secret};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::unlock::unlock_interactively;
use crate::word::word;

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsCommand {
    /// List firing alerts, which of them are kept quiet, and silences
    #[command(visible_alias = "ls")]
    List,
    /// List alerts that fired before, newest first
    #[command(visible_alias = "inbox")]
    History(HistoryArguments),
    /// Show an alert with its time line
    Show(ShowArguments),
    /// Acknowledge a firing alert
    #[command(visible_alias = "acknowledge")]
    Ack(NumberArgument),
    /// Write a note to the time line of an alert
    Note(NoteArguments),
    /// Mark an alert as read; all of them without a number
    Read {
        /// Number of the alert
        number: Option<u32>,
    },
    /// Keep alerts from being shown for a time; they are still listed
    Silence(SilenceArguments),
    /// Remove a silence
    Unsilence(NumberArgument),
    /// List the channels that alerts are sent through, and whether each works
    Channels,
    /// Show when each channel is told of an unacknowledged alert
    Ladder,
    /// Store the address of the webhook or the password of the mail server
    Secret(SecretArguments),
    /// Send a test through a channel, and ask whether it arrived
    Test(TestArguments),
    /// List alert rules, or change one
    #[command(visible_alias = "rule")]
    Rules(RuleArguments),
    /// Simulate a rule with made-up facts and show its notifications
    Rehearse(RehearseArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NumberArgument {
    /// Its number, as listed
    number: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArguments {
    /// Only alerts that were not read
    #[arg(long)]
    unread: bool,
    /// Only alerts with a smaller number
    #[arg(long, value_name = "NUMBER")]
    before: Option<u32>,
    /// Number of alerts
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArguments {
    /// Number of the alert
    number: u32,
    /// Print it as Markdown
    #[arg(long)]
    markdown: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NoteArguments {
    /// Number of the alert
    number: u32,
    /// What to write
    note: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SilenceArguments {
    /// Only alerts of this rule
    #[arg(long, value_parser = word::<AlertRule>())]
    rule: Option<AlertRule>,
    /// Only alerts about this backend, route, budget or key
    #[arg(long, value_name = "NAME")]
    about: Option<String>,
    /// How long: a span such as 2h, "tomorrow", or a time such as "2026-12-01 18:00"
    #[arg(long, value_name = "TIME", default_value = "1h")]
    until: String,
    /// Why, for the list of silences
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SecretArguments {
    /// The channel
    #[arg(value_parser = word::<AlertChannel>())]
    channel: AlertChannel,
    #[command(flatten)]
    stdin: StdinArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TestArguments {
    /// The channel
    #[arg(value_parser = word::<AlertChannel>())]
    channel: AlertChannel,
    /// Answer for the last test instead of sending one: did it arrive?
    #[arg(long, value_name = "YES_OR_NO", value_parser = ["yes", "no"])]
    seen: Option<String>,
}

pub(crate) async fn run(
    wanted: AlertsCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let now = console.now();
    match wanted {
        AlertsCommand::List => {
            console.print_view(&control::alerts(core).await?, |it| render_alerts(it, now))?;
        }
        AlertsCommand::History(HistoryArguments { unread, before, limit }) => {
            let query = InboxQuery { before, unread_only: unread, limit };
            console.print_view(&control::inbox(core, query).await?, |it| render_inbox(it, now))?;
        }
        AlertsCommand::Show(ShowArguments { number, markdown }) => {
            let shown = control::incident(core, AlertRef { number }).await?;
            console.print_view(&shown, |it| render_incident(it, markdown, now))?;
        }
        AlertsCommand::Ack(NumberArgument { number }) => {
            let left = control::alert_acknowledge(core, AlertRef { number }).await?;
            console.print_view(&left, |it| render_alerts(it, now))?;
        }
        AlertsCommand::Note(NoteArguments { number, note }) => {
            let noted = control::incident_note(core, IncidentNote { number, note }).await?;
            console.print_view(&noted, |it| render_incident(it, false, now))?;
        }
        AlertsCommand::Read { number } => {
            control::inbox_read(core, InboxRead { number }).await?;
            let sentence = match number {
                Some(number) => format!("Alert {number} is marked as read."),
                None => "All alerts are marked as read.".to_owned(),
            };
            console.print_view(&(), |()| render_sentence(&sentence))?;
        }
        AlertsCommand::Silence(typed) => silence(typed, core, console).await?,
        AlertsCommand::Unsilence(NumberArgument { number }) => {
            control::silence_remove(core, SilenceRef { number }).await?;
            let sentence = format!("The silence {number} is removed.");
            console.print_view(&(), |()| render_sentence(&sentence))?;
        }
        AlertsCommand::Channels => {
            let all = control::alert_channels(core).await?;
            console.print_view(&all, |all| render_channels(all, now))?;
        }
        AlertsCommand::Secret(SecretArguments { channel, stdin }) => {
            let secret = read_secret(SecretSource::from_argument(stdin), channel.word(), console)?;
            unlock_interactively(core, console).await?;
            let wanted = AlertChannelSecret { channel, secret };
            let stored = control::alert_channel_secret(core, wanted).await?;
            console.print_view(&stored, render_stored_secret)?;
        }
        AlertsCommand::Test(typed) => return test(typed, core, console).await,
        AlertsCommand::Ladder => {
            console.print_view(&control::alert_ladder(core).await?, render_ladder)?;
        }
        AlertsCommand::Rules(typed) => super::alert_rules::run(typed, core, console).await?,
        AlertsCommand::Rehearse(typed) => {
            super::alert_trials::rehearse(typed, core, console).await?;
        }
    }
    Ok(Exit::Success)
}

async fn test(
    typed: TestArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let channel = typed.channel;
    if let Some(answer) = typed.seen {
        let answer = AlertTestAnswer { channel, is_seen: answer == "yes" };
        let noted = control::alert_test_answer(core, answer).await?;
        console.print_view(&noted, render_answer)?;
        return Ok(Exit::Success);
    }
    let tested = control::alert_channel_test(core, AlertChannelRef { channel }).await?;
    console.print_view(&tested, render_test)?;
    Ok(if tested.test_failure.is_none() { Exit::Success } else { Exit::Negative })
}

async fn silence(
    typed: SilenceArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let now = console.now();
    let until = control::parse_time_to_come(&typed.until, now).ok_or_else(|| {
        let example = "2h, 2026-12-01 or 2026-12-01 18:00";
        ApiError::invalid("until", format!("name a time to come, such as {example}"))
    })?;
    let wanted = AlertSilence { rule: typed.rule, scope: typed.about, reason: typed.reason, until };
    let added = control::alert_silence(core, wanted).await?;
    console.print_view(&added, |it| {
        let ends = format_distance(now, it.until);
        render_sentence(&format!("Silence {} is in force; it ends {ends}.", it.number))
    })?;
    Ok(())
}

/// The table of alerts, and what is kept quiet.
pub(super) fn render_alerts(all: &AlertsView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    if all.alerts.is_empty() {
        text.line(Tone::Plain, "No alert fires.");
    } else {
        let mut table = TextTable::new(&[
            Column::Right("No."),
            Column::Left("Severity"),
            Column::Left("Alert"),
            Column::Left("Since"),
            Column::Left("State"),
            Column::Left("Detail").hidden_at_rank(1),
        ]);
        for alert in &all.alerts {
            table.row([
                alert.number.map_or_else(|| "–".to_owned(), |number| number.to_string()).into(),
                Sign::from(alert.severity).into(),
                TableCell::styled(Tone::Strong, &alert.title),
                format_distance(now, alert.since).into(),
                format_state(alert).into(),
                alert.detail.as_str().into(),
            ]);
        }
        text.table(&table);
    }
    for part in &all.suppressed {
        text.line(Tone::Plain, &format!("{} is part of {}.", part.title, part.by));
    }
    for silence in &all.silences {
        let rule = silence.rule.map_or("every rule", AlertRule::word);
        let about = silence.scope.as_ref().map_or_else(String::new, |it| format!(" about {it}"));
        let ends = format_distance(now, silence.until);
        text.line(
            Tone::Plain,
            &format!("Silence {}: {rule}{about}; it ends {ends}.", silence.number),
        );
    }
    text
}

fn format_state(alert: &AlertView) -> String {
    match (alert.acknowledged_at, alert.silenced_by, alert.state) {
        (Some(_), ..) => "acknowledged".to_owned(),
        (_, Some(silence), _) => format!("silence {silence}"),
        (.., AlertState::Ending) => "over, may come back".to_owned(),
        (.., state) => state.word().to_owned(),
    }
}

pub(super) fn render_inbox(page: &InboxView, now: UnixMs) -> StyledText {
    if page.entries.is_empty() {
        return render_sentence("There is no alert.");
    }
    let mut text = StyledText::new();
    let mut table = TextTable::new(&[
        Column::Right("No."),
        Column::Left("Severity"),
        Column::Left("Alert"),
        Column::Left("Fired"),
        Column::Left("Ended"),
        Column::Left("Detail").hidden_at_rank(1),
    ]);
    for entry in &page.entries {
        let title = if entry.is_read { Tone::Plain } else { Tone::Strong };
        table.row([
            entry.number.to_string().into(),
            Sign::from(entry.severity).into(),
            TableCell::styled(title, &entry.title),
            format_distance(now, entry.fired_at).into(),
            entry.ended_at.map_or_else(|| "–".to_owned(), |at| format_distance(now, at)).into(),
            entry.detail.as_str().into(),
        ]);
    }
    text.table(&table);
    if let Some(next) = page.next {
        text.line(Tone::Plain, &format!("Older ones: gatehouse alerts history --before {next}"));
    }
    text
}

/// An alert and its time line.
pub(super) fn render_incident(incident: &IncidentView, markdown: bool, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    if markdown {
        for line in incident.markdown.lines() {
            text.line(Tone::Plain, line);
        }
        return text;
    }
    let alert = &incident.alert;
    text.line(Tone::Strong, &alert.title);
    text.line(Tone::Plain, &alert.detail);
    if let Some(failed) = &incident.failed {
        let count = format_at_least(failed.count, failed.is_at_least);
        text.line(Tone::Plain, &format!("Failed requests: {count}"));
    }
    let mut table =
        TextTable::new(&[Column::Left("When"), Column::Left("From"), Column::Left("What")]);
    for event in &incident.events {
        table.row([
            format_distance(now, event.at).into(),
            event.source.word().into(),
            event.text.as_str().into(),
        ]);
    }
    text.table(&table);
    text
}

pub(super) fn render_channels(channels: &[AlertChannelView], now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    let mut table = TextTable::new(&[
        Column::Left("Channel"),
        Column::Left("State"),
        Column::Left("From"),
        Column::Left("Host").hidden_at_rank(2),
        Column::Left("Last sent"),
        Column::Left("Test arrived").hidden_at_rank(3),
        Column::Left("Detail").hidden_at_rank(1),
    ]);
    for channel in channels {
        let sent = channel.last_sent_at.map(|at| format_distance(now, at));
        table.row([
            TableCell::styled(Tone::Strong, channel.channel.word()),
            Sign::from(channel.state).into(),
            channel.from_severity.word().into(),
            channel.host.clone().unwrap_or_else(|| "–".to_owned()).into(),
            sent.unwrap_or_else(|| "–".to_owned()).into(),
            seen_word(channel).into(),
            channel.detail.as_str().into(),
        ]);
    }
    text.table(&table);
    channels.iter().filter_map(|it| it.service.as_ref()).for_each(|it| add_service(&mut text, it));
    text
}

/// What shows notifications on this machine, and what it can do.
fn add_service(text: &mut StyledText, service: &DesktopServiceView) {
    text.end();
    if let Some(problem) = &service.problem {
        text.line(Tone::Plain, problem);
        return;
    }
    if let Some(name) = &service.name {
        text.line(Tone::Plain, &format!("{name} shows notifications and reports these abilities:"));
    }
    let mut table = TextTable::new(&[
        Column::Left("Ability"),
        Column::Left("Available"),
        Column::Left("Meaning").hidden_at_rank(1),
    ]);
    for ability in &service.abilities {
        table.row([
            TableCell::from(ability.ability.word()),
            if ability.is_there { "yes" } else { "no" }.into(),
            ability.detail.as_str().into(),
        ]);
    }
    text.table(&table);
}

const fn seen_word(channel: &AlertChannelView) -> &'static str {
    match (channel.test_seen, &channel.test_failure, channel.tested_at) {
        (Some(true), ..) => "yes",
        (Some(false), ..) => "no",
        (None, Some(_), _) => "not sent",
        (None, None, Some(_)) => "not answered",
        (None, None, None) => "–",
    }
}

/// How a test ended, and the question whether it arrived.
pub(super) fn render_test(tested: &AlertChannelView) -> StyledText {
    let channel = tested.channel.word();
    match &tested.test_failure {
        Some(reason) => {
            render_sentence(&format!("The test was not sent: {}.", reason.trim_end_matches('.')))
        }
        None => render_sentence(&format!(
            "The test was sent. Did it arrive? Answer with: gatehouse alerts test {channel} --seen \
             yes (or no)"
        )),
    }
}

pub(super) fn render_answer(noted: &AlertChannelView) -> StyledText {
    render_sentence(match noted.test_seen {
        Some(true) => "Noted: the test arrived.",
        _ => "Noted: the test did not arrive. Check the address and what filters messages there.",
    })
}

pub(super) fn render_stored_secret(stored: &AlertChannelView) -> StyledText {
    let host = stored.host.as_deref().unwrap_or("its server");
    let channel = stored.channel.word();
    let next = match stored.state {
        AlertChannelState::Off => {
            format!("Switch it on with: gatehouse settings set {channel}_enabled true")
        }
        _ => format!("Try it with: gatehouse alerts test {channel}"),
    };
    render_sentence(&format!("Stored in the vault; it goes to {host} alone. {next}"))
}
