//! `gatehouse keys`: adds, verifies, replaces and removes keys. No command prints a key.

mod copies;
mod import;
mod oauth;
mod scan;

use clap::{Subcommand, ValueHint};
use control::view::{
    BillingProvider, KeyAdd, KeyEdit, KeyEventView, KeyHistoryView, KeyNotice, KeyRef, KeyReplace,
    KeyState, KeyVerificationView, KeyView, RetiredKeyState, UnixMs, VariableKey, VaultKind,
};
use control::{Core, Label};

use super::completers;
use crate::arguments::name::NameArgument;
use crate::confirm::{YesArgument, confirm_removal, describe_consequences};
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, UNKNOWN, format_distance, format_distance_if_known};
use crate::secret_input::{SecretSource, StdinArgument, read_secret};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::unlock::unlock_interactively;
use crate::word::word;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// List keys with their last four characters, state and use
    #[command(visible_alias = "ls")]
    List,
    /// Add a key; it is prompted for, or read from standard input
    #[command(visible_alias = "new")]
    Add(AddKeyArguments),
    /// Import keys from a file of variables such as .env
    Import(import::ImportKeysArguments),
    /// Find keys in plain text in shell profiles, files of tools, the given files and this shell's
    /// environment
    #[command(visible_alias = "find")]
    Scan(scan::ScanKeysArguments),
    /// Show plain copies that were removed from files, and put them back
    #[command(subcommand)]
    Copies(copies::CopiesCommand),
    /// Check that the provider accepts a key; nothing is billed
    #[command(alias = "test")]
    Verify(KeyArgument),
    /// Change a key's display name and when it expires
    Edit(EditKeyArguments),
    /// Write down something about a key, at most 500 characters; an empty text removes it
    Note(NoteKeyArguments),
    /// Show what happened to a key: replaced, rejected, accepted again, expired
    History(KeyArgument),
    /// Replace a key; a new one that its provider rejects is refused
    #[command(visible_alias = "rotate", aliases = ["set", "update"])]
    Replace(ReplaceKeyArguments),
    /// Check that the provider rejects the previous key
    Retired(KeyArgument),
    /// Remove a key from the vault and from the backends that use it
    #[command(visible_aliases = ["rm", "del"], alias = "delete")]
    Remove(RemoveKeyArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgument {
    /// Its name
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::key_names))]
    name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RemoveKeyArguments {
    #[command(flatten)]
    key: KeyArgument,
    #[command(flatten)]
    yes: YesArgument,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddKeyArguments {
    #[command(flatten)]
    named: NameArgument,
    #[command(flatten)]
    stdin: StdinArgument,
    /// Allowed host. Defaults to the preset of that name, else to the first backend that uses the
    /// key
    #[arg(long, value_hint = ValueHint::Url)]
    url: Option<String>,
    /// Display name
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
    /// An admin key that reads this provider's cost reports; no request is sent with it
    #[arg(long, value_name = "PROVIDER", value_parser = word::<BillingProvider>())]
    billing: Option<BillingProvider>,
    #[command(flatten)]
    oauth: oauth::OAuthArguments,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NoteKeyArguments {
    #[command(flatten)]
    named: KeyArgument,
    /// The note. It is stored as plain text, so it must not contain a key
    text: String,
}

/// What the user knows of a key; the rest stays.
#[derive(Debug, clap::Args)]
pub(crate) struct EditKeyArguments {
    #[command(flatten)]
    named: KeyArgument,
    /// When it expires: a date such as 2026-12-31, a span such as 90d, or `never`
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Display name
    #[arg(long)]
    label: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReplaceKeyArguments {
    #[command(flatten)]
    named: KeyArgument,
    #[command(flatten)]
    stdin: StdinArgument,
    /// Store it without asking the provider first
    #[arg(long)]
    untested: bool,
}

pub(crate) async fn run(
    wanted: KeysCommand,
    core: &Core,
    environment: &[VariableKey],
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        KeysCommand::List => {
            let now = console.now();
            console.print_view(&control::keys(core).await?, |keys| table(keys, now))?;
            Ok(Exit::Success)
        }
        KeysCommand::Add(wanted) => add(wanted, core, console).await,
        KeysCommand::Import(wanted) => import::run(wanted, core, console).await,
        KeysCommand::Scan(wanted) => scan::run(wanted, core, environment, console).await,
        KeysCommand::Copies(wanted) => copies::run(wanted, core, console).await,
        KeysCommand::Verify(named) => verify(named, core, console).await,
        KeysCommand::Edit(wanted) => edit(wanted, core, console).await,
        KeysCommand::History(named) => history(named, core, console).await,
        KeysCommand::Note(wanted) => note(wanted, core, console).await,
        KeysCommand::Retired(named) => check_retired(named, core, console).await,
        KeysCommand::Replace(wanted) => replace(wanted, core, console).await,
        KeysCommand::Remove(wanted) => remove(wanted, core, console).await,
    }
}

async fn remove(
    wanted: RemoveKeyArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let RemoveKeyArguments { key: KeyArgument { name }, yes } = wanted;
    let known = control::keys(core).await?;
    if let Some(key) = known.iter().find(|key| key.id == name) {
        let told = describe_consequences(&key.dependents);
        confirm_removal(&format!("Remove the key {name}?"), &told, yes, console)?;
    }
    unlock_interactively(core, console).await?;
    control::key_remove(core, KeyRef { id: name.clone() }).await?;
    console.print_view(&(), |()| render_sentence(&format!("Removed the key {name}.")))?;
    Ok(Exit::Success)
}

async fn add(
    wanted: AddKeyArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if wanted.oauth.is_given() {
        return oauth::add(wanted, core, console).await;
    }
    let secret =
        read_secret(SecretSource::from_argument(wanted.stdin), &wanted.named.name, console)?;
    unlock_interactively(core, console).await?;
    let (id, label) = (wanted.named.name, wanted.label);
    let url = match wanted.url {
        Some(url) => Some(url),
        None if wanted.billing.is_some() => None,
        None => preset_base_url(&id, core).await?,
    };
    let billing = wanted.billing;
    let key = control::key_add(core, KeyAdd { id, label, secret, url, billing }).await?;
    console.print_view(&key, |key| render_stored_key("Stored", "in", key))?;
    Ok(Exit::Success)
}

/// The base URL of the hosted preset of that name.
async fn preset_base_url(name: &str, core: &Core) -> Result<Option<String>, CommandError> {
    let presets = control::presets(core).await?;
    let known = presets.into_iter().find(|preset| preset.id == name && !preset.local);
    Ok(known.map(|preset| preset.base_url))
}

async fn replace(
    wanted: ReplaceKeyArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let secret =
        read_secret(SecretSource::from_argument(wanted.stdin), &wanted.named.name, console)?;
    unlock_interactively(core, console).await?;
    let request = KeyReplace { id: wanted.named.name, secret, untested: wanted.untested };
    let key = control::key_replace(core, request).await?;
    console.print_view(&key, |key| render_stored_key("Replaced", "in", key))?;
    // A process of its own forgets the old key when it ends.
    if key.retired.is_some() && !matches!(core, Core::Local(..)) {
        let next = format!(
            "Revoke the old key at the provider, then `gatehouse keys retired {}` checks it.",
            key.id
        );
        console.print_remark(&render_sentence(&next));
    }
    Ok(Exit::Success)
}

async fn edit(
    wanted: EditKeyArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let found = find_key(core, &wanted.named.name).await?;
    let expires_at = parse_expiry(wanted.expires.as_deref(), found.expires_at, console.now())?;
    let label = wanted.label.unwrap_or(found.label);
    let edit = KeyEdit { id: found.id, label, expires_at, note: found.note };
    let key = control::key_edit(core, edit).await?;
    let now = console.now();
    console.print_view(&key, |key| {
        let ends = key.expires_at.map_or("never".to_owned(), |at| format_distance(now, at));
        render_sentence(&format!("{} ({}) expires: {ends}.", key.id, key.label))
    })?;
    Ok(Exit::Success)
}

async fn note(
    wanted: NoteKeyArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let KeyView { id, label, expires_at, .. } = find_key(core, &wanted.named.name).await?;
    let edit = KeyEdit { id, label, expires_at, note: Some(wanted.text) };
    let key = control::key_edit(core, edit).await?;
    console.print_view(&key, |key| {
        render_sentence(&match &key.note {
            Some(note) => format!("{}: {note}", key.id),
            None => format!("{} has no note.", key.id),
        })
    })?;
    Ok(Exit::Success)
}

async fn history(
    named: KeyArgument,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let found = control::key_history(core, KeyRef { id: named.name }).await?;
    let now = console.now();
    console.print_view(&found, |found| history_table(found, now))?;
    Ok(Exit::Success)
}

pub(super) fn history_table(found: &KeyHistoryView, now: UnixMs) -> StyledText {
    let mut table = TextTable::new(&[
        Column::Left("When"),
        Column::Left("Event"),
        Column::Left("What happened"),
    ]);
    for KeyEventView { at, event, sentence } in &found.events {
        let when = format_distance(now, *at);
        table.row([when.as_str().into(), Sign::from(*event).into(), sentence.as_str().into()]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    if !found.is_whole {
        text.line(Tone::Muted, "Older events are left out.");
    }
    text
}

async fn find_key(core: &Core, id: &str) -> Result<KeyView, CommandError> {
    let known = control::keys(core).await?;
    let found = known.iter().find(|key| key.id == id).cloned();
    Ok(found.ok_or_else(|| {
        control::unknown_name_error("key", id, known.iter().map(|key| key.id.as_str()))
    })?)
}

/// Reads the value of `--expires`; without one, what is known stays.
pub(super) fn parse_expiry(
    typed: Option<&str>,
    known: Option<UnixMs>,
    now: UnixMs,
) -> Result<Option<UnixMs>, control::ApiError> {
    match typed {
        None => Ok(known),
        Some("never") => Ok(None),
        Some(text) => {
            let wrong = "name a time to come, such as 2026-12-31 or 90d, or `never`";
            let time = control::parse_time_to_come(text, now);
            Ok(Some(time.ok_or_else(|| control::ApiError::invalid("expires", wrong))?))
        }
    }
}

async fn check_retired(
    named: KeyArgument,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let check = control::key_retired_check(core, KeyRef { id: named.name }).await?;
    console.print_view(&check, |check| render_sentence(&check.sentence))?;
    let is_rejected = check.state == RetiredKeyState::Rejected;
    Ok(if is_rejected { Exit::Success } else { Exit::Negative })
}

async fn verify(
    named: KeyArgument,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    unlock_interactively(core, console).await?;
    let verification = control::key_verify(core, KeyRef { id: named.name }).await?;
    console.print_view(&verification, render_verification)?;
    Ok(match verification.state {
        KeyState::Valid => Exit::Success,
        KeyState::Unverified | KeyState::Rejected | KeyState::Expired | KeyState::Missing => {
            Exit::Negative
        }
    })
}

/// The label without its note in parentheses.
pub(super) fn vault_kind_word(kind: VaultKind) -> &'static str {
    kind.label().split(" (").next().unwrap_or_default()
}

fn masked_tail(key: &KeyView) -> String {
    key.tail.as_ref().map_or_else(|| UNKNOWN.to_owned(), |tail| format!("…{tail}"))
}

pub(super) fn render_stored_key(what: &str, whither: &str, key: &KeyView) -> StyledText {
    render_sentence(&describe_stored_key(what, whither, key))
}

fn describe_stored_key(what: &str, whither: &str, key: &KeyView) -> String {
    let place = vault_kind_word(key.storage);
    let origin = match &key.origin {
        Some(origin) => format!("Allowed host: {origin}."),
        None => "It will be locked to the first backend that uses it.".to_owned(),
    };
    let tail = masked_tail(key);
    let checked = describe_unchecked(key);
    format!("{what} the key {} ({tail}) {whither} the vault ({place}). {origin}{checked}", key.id)
}

/// Why a key is not checked; empty for one that is.
fn describe_unchecked(key: &KeyView) -> String {
    let is_unused = key.used_by.is_empty() && key.dependents.services.is_empty();
    match key.state {
        KeyState::Unverified if key.billing.is_some() => {
            " Not checked: it reads cost reports and is sent with no request.".to_owned()
        }
        KeyState::Unverified if is_unused && key.provider.is_none() => {
            " Not checked: no backend and no service uses it, and its provider is not known."
                .to_owned()
        }
        KeyState::Unverified => {
            format!(" Not checked yet: `gatehouse keys verify {}` does that.", key.id)
        }
        _ => String::new(),
    }
}

pub(super) fn render_verification(verification: &KeyVerificationView) -> StyledText {
    let mut text = StyledText::new();
    text.sign(verification.state).piece(Tone::Plain, "  ");
    text.line(Tone::Plain, &format!("{}: {}", verification.id, verification.detail));
    if let Some(fix) = &verification.fix {
        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, fix);
    }
    text
}

pub(super) fn table(keys: &Vec<KeyView>, now: UnixMs) -> StyledText {
    if keys.is_empty() {
        return render_sentence("No API keys yet. Add one with `gatehouse keys add NAME`.");
    }
    let mut table = TextTable::new(&[
        Column::Left("Key"),
        Column::Left("State"),
        Column::Left("Ends in").hidden_at_rank(1),
        Column::Left("Allowed host").hidden_at_rank(4),
        Column::Left("Used by").hidden_at_rank(2),
        Column::Right("30 days").hidden_at_rank(3),
        Column::Right("Balance").hidden_at_rank(5),
        Column::Left("Last used"),
    ]);
    for key in keys {
        table.row([
            TableCell::styled(Tone::Strong, &key.id),
            Sign::from(key.state).into(),
            masked_tail(key).into(),
            key.origin.as_deref().unwrap_or("any, until first use").into(),
            used_by(key).into(),
            CostSum::from(&key.last_month).text().into(),
            left(key).into(),
            format_distance_if_known(now, key.used_at).into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    for key in keys {
        if let Some(ends) = oauth::describe_access_token(key, now) {
            text.line(Tone::Muted, &format!("{}: {ends}", key.id));
        }
        if let Some(reason) = &key.reason {
            text.line(Tone::Muted, &format!("{}: {reason}", key.id));
        }
        let is_low = key.notices.iter().any(|it| it.notice == KeyNotice::BalanceLow);
        if let Some(balance) = key.balance.as_ref().filter(|_| !is_low) {
            text.line(Tone::Muted, &format!("{}: {}", key.id, balance.sentence));
        }
        if let Some(permissions) = &key.permissions {
            text.line(Tone::Muted, &format!("{}: {}", key.id, permissions.sentence));
        }
        for notice in &key.notices {
            let sign = Sign::from(notice.notice);
            text.piece(sign.tone.into(), &format!("{} ", sign.shape.symbol()));
            text.line(Tone::Plain, &format!("{}: {}", key.id, notice.sentence));
        }
    }
    text
}

/// What its provider says is left.
fn left(key: &KeyView) -> &str {
    let told = key.balance.as_ref().and_then(|balance| balance.left.as_deref());
    told.unwrap_or(UNKNOWN)
}

fn used_by(key: &KeyView) -> String {
    if key.used_by.is_empty() { "not used".to_owned() } else { key.used_by.join(", ") }
}
