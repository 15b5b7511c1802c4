//! `gatehouse services`: what work depends on beside the backends.

use clap::{Subcommand, ValueHint};
use control::Core;
use control::view::{
    ServiceAccountView, ServiceExpectationView, ServiceKey, ServiceKind, ServiceMethod, ServiceRef,
    ServiceSet, ServiceTestView, ServiceView, ServicesView, UnixMs,
};

use super::backends::append_test_steps;
use super::completers;
use crate::confirm::{YesArgument, confirm_removal};
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_distance, format_duration};
use crate::secret_input::{SecretSource, read_secret};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::unlock::unlock_interactively;
use crate::word::word;

#[derive(Debug, Subcommand)]
pub(crate) enum ServicesCommand {
    /// List services with their state
    #[command(visible_alias = "ls")]
    List,
    /// Watch a service
    #[command(visible_alias = "new", alias = "create")]
    Add(Box<AddServiceArguments>),
    /// Check a service step by step; nothing is billed
    #[command(alias = "check")]
    Test(ServiceArgument),
    /// Change a service; options that are not given stay as they are
    #[command(aliases = ["set", "update"])]
    Edit(Box<EditServiceArguments>),
    /// Remove a service; its key stays in the vault
    #[command(visible_aliases = ["rm", "del"], alias = "delete")]
    Remove(RemoveServiceArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServiceArgument {
    /// Its name
    #[arg(value_name = "NAME", add = completers::candidates_from(completers::service_names))]
    name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddServiceArguments {
    /// A name of your own
    #[arg(value_name = "NAME")]
    id: String,
    /// How it is checked
    #[arg(long, value_parser = word::<ServiceKind>())]
    kind: ServiceKind,
    /// A URL, or host and port; not needed for GitHub
    #[arg(value_name = "ADDRESS", value_hint = ValueHint::Url, default_value = "",
        hide_default_value = true)]
    address: String,
    #[command(flatten)]
    options: ServiceOptions,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EditServiceArguments {
    #[command(flatten)]
    named: ServiceArgument,
    /// A URL, or host and port
    #[arg(long, value_hint = ValueHint::Url)]
    address: Option<String>,
    /// Check it again
    #[arg(long)]
    enable: bool,
    /// Do not check it
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    #[command(flatten)]
    options: ServiceOptions,
}

/// What may be said of a new service and of a known one.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ServiceOptions {
    /// Display name
    #[arg(long)]
    label: Option<String>,
    /// Work stops without it
    #[arg(long)]
    required: bool,
    /// Work goes on without it
    #[arg(long, conflicts_with = "required")]
    optional: bool,
    /// Use this stored key
    #[arg(long, value_name = "KEY", add = completers::candidates_from(completers::key_names))]
    key: Option<String>,
    /// Read a new key from standard input
    #[arg(long, conflicts_with = "key")]
    stdin: bool,
    /// Use no key
    #[arg(long, conflicts_with_all = ["key", "stdin"])]
    no_key: bool,
    /// Its public name may resolve to a private address: true or false
    #[arg(long, value_name = "BOOL")]
    private_network: Option<bool>,
    /// Method of an HTTP check
    #[arg(long, value_parser = word::<ServiceMethod>())]
    method: Option<ServiceMethod>,
    /// Status that an HTTP check expects; 0 for any from 200 to 299
    #[arg(long)]
    status: Option<u16>,
    /// Text that the answer to an HTTP check must contain; empty for any
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// Header that carries the key of an HTTP check; empty for `Authorization: Bearer`
    #[arg(long, value_name = "HEADER")]
    key_header: Option<String>,
    /// A scope that a GitHub token must have (repeatable); replaces the list
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RemoveServiceArguments {
    #[command(flatten)]
    named: ServiceArgument,
    #[command(flatten)]
    yes: YesArgument,
}

pub(crate) async fn run(
    wanted: ServicesCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        ServicesCommand::List => {
            let (view, now) = (control::services(core).await?, console.now());
            console.print_view(&view, |it| table(it, now))?;
        }
        ServicesCommand::Add(wanted) => add(*wanted, core, console).await?,
        ServicesCommand::Test(named) => return test(named, core, console).await,
        ServicesCommand::Edit(wanted) => edit(*wanted, core, console).await?,
        ServicesCommand::Remove(wanted) => remove(wanted, core, console).await?,
    }
    Ok(Exit::Success)
}

async fn add(
    wanted: AddServiceArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let AddServiceArguments { id, kind, address, options } = wanted;
    let known = control::services(core).await?.services;
    if known.iter().any(|service| service.id == id) {
        let message = format!("a service named {id} already exists");
        return Err(CommandError::new(Exit::Usage, message)
            .with_hint(format!("Change it with `gatehouse services edit {id}`.")));
    }
    let key = options.read_key(&id, core, console).await?;
    let fresh = ServiceSet {
        id,
        label: String::new(),
        kind,
        address,
        key,
        required: false,
        enabled: true,
        private_network: false,
        expects: ServiceExpectationView::default(),
    };
    let added = control::service_set(core, options.apply(fresh)).await?;
    console.print_view(&added, |service| render_service("Watching", service))
}

async fn edit(
    wanted: EditServiceArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let EditServiceArguments { named, address, enable, disable, options } = wanted;
    let services = control::services(core).await?.services;
    let ids: Vec<String> = services.iter().map(|service| service.id.clone()).collect();
    let known = services.into_iter().find(|service| service.id == named.name);
    let known = known.ok_or_else(|| {
        let ids = ids.iter().map(String::as_str);
        CommandError::from(control::unknown_name_error("service", &named.name, ids))
    })?;
    let key = options.read_key(&known.id, core, console).await?;
    let before = ServiceSet {
        id: known.id,
        label: known.label,
        kind: known.kind,
        address: address.unwrap_or(known.address),
        key,
        required: known.required,
        enabled: enable || (known.enabled && !disable),
        private_network: known.private_network,
        expects: known.expects,
    };
    let edited = control::service_set(core, options.apply(before)).await?;
    console.print_view(&edited, |service| render_service("Changed", service))
}

impl ServiceOptions {
    async fn read_key(
        &self,
        id: &str,
        core: &Core,
        console: &Console,
    ) -> Result<ServiceKey, CommandError> {
        if self.no_key {
            return Ok(ServiceKey::None);
        }
        if !self.stdin && self.key.is_none() {
            return Ok(ServiceKey::Keep);
        }
        let new = self.stdin.then(|| read_secret(SecretSource::Stdin, id, console)).transpose()?;
        unlock_interactively(core, console).await?;
        Ok(match (new, self.key.clone()) {
            (Some(secret), _) => ServiceKey::New { secret },
            (None, Some(id)) => ServiceKey::Stored { id },
            (None, None) => ServiceKey::Keep,
        })
    }

    /// `to` with what was typed in place of what it says.
    pub(super) fn apply(self, to: ServiceSet) -> ServiceSet {
        let expects = ServiceExpectationView {
            method: self.method.unwrap_or(to.expects.method),
            status: match self.status {
                Some(0) => None,
                typed => typed.or(to.expects.status),
            },
            contains: self.contains.unwrap_or(to.expects.contains),
            key_header: self.key_header.unwrap_or(to.expects.key_header),
            scopes: if self.scopes.is_empty() { to.expects.scopes } else { self.scopes },
        };
        ServiceSet {
            label: self.label.unwrap_or(to.label),
            required: self.required || (to.required && !self.optional),
            private_network: self.private_network.unwrap_or(to.private_network),
            expects,
            ..to
        }
    }
}

async fn test(
    named: ServiceArgument,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    unlock_interactively(core, console).await?;
    let test = control::service_test(core, ServiceRef { id: named.name }).await?;
    console.print_view(&test, render_test)?;
    Ok(if test.passed { Exit::Success } else { Exit::Negative })
}

async fn remove(
    wanted: RemoveServiceArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let RemoveServiceArguments { named: ServiceArgument { name }, yes } = wanted;
    let known = control::services(core).await?.services;
    let known = known.into_iter().find(|service| service.id == name);
    if let Some(service) = &known {
        let told = ["It is no longer watched, and its alerts end.".to_owned()];
        confirm_removal(&format!("Remove the service {}?", service.id), &told, yes, console)?;
    }
    control::service_remove(core, ServiceRef { id: name.clone() }).await?;
    let key = known.and_then(|service| service.credential);
    let kept = key.map(|key| format!(" Its key {key} stays in the vault.")).unwrap_or_default();
    console.print_view(&(), |()| render_sentence(&format!("Removed the service {name}.{kept}")))
}

pub(super) fn render_service(what: &str, service: &ServiceView) -> StyledText {
    let ServiceView { id, kind, address, credential, .. } = service;
    let need = if service.required { "required" } else { "optional" };
    let key = credential.as_ref().map(|key| format!(", with the key {key}")).unwrap_or_default();
    render_sentence(&format!("{what} the service {id} ({kind}, {address}, {need}{key})."))
}

pub(super) fn render_test(test: &ServiceTestView) -> StyledText {
    let mut text = StyledText::new();
    append_test_steps(&mut text, &test.steps);
    text
}

pub(super) fn table(view: &ServicesView, now: UnixMs) -> StyledText {
    if view.services.is_empty() {
        return render_sentence(
            "No service is watched. Add one: gatehouse services add NAME ADDRESS --kind http",
        );
    }
    let mut text = StyledText::new();
    text.line(Tone::Strong, &view.finding);
    append_services(&mut text, &view.services, now);
    text
}

/// The table of services, and what there is to say of each.
pub(super) fn append_services(text: &mut StyledText, services: &[ServiceView], now: UnixMs) {
    let mut table = TextTable::new(&[
        Column::Left("Service"),
        Column::Left("State"),
        Column::Left("Since").hidden_at_rank(4),
        Column::Left("24 hours").hidden_at_rank(7),
        Column::Left("90 days").hidden_at_rank(1),
        Column::Left("Needed"),
        Column::Left("Kind").hidden_at_rank(3),
        Column::Left("Address").hidden_at_rank(6),
        Column::Left("Key").hidden_at_rank(5),
        Column::Right("Check").hidden_at_rank(2),
    ]);
    for service in services {
        let health = &service.health;
        let share = |place: usize| service.availability.get(place).map(|it| it.sentence.clone());
        let took = health.probe_ms.map(|ms| format_duration(ms.into()));
        table.row([
            TableCell::styled(Tone::Strong, &service.id),
            Sign::from(health.state).into(),
            health.since.map(|at| format_distance(now, at)).unwrap_or_default().into(),
            share(0).unwrap_or_default().into(),
            share(2).unwrap_or_default().into(),
            if service.required { "required" } else { "optional" }.into(),
            service.kind.word().into(),
            service.address.as_str().into(),
            service.credential.as_deref().unwrap_or(UNKNOWN).into(),
            took.unwrap_or_else(|| UNKNOWN.to_owned()).into(),
        ]);
    }
    text.table(&table);
    for service in services {
        text.line(Tone::Muted, &format!("{}: {}", service.id, service.health.reason));
        if let Some(account) = &service.account {
            text.line(Tone::Muted, &format!("{}: {}", service.id, account_text(account, now)));
        }
    }
}

fn account_text(account: &ServiceAccountView, now: UnixMs) -> String {
    let scopes = match &account.scopes {
        None => "scopes not listed".to_owned(),
        Some(scopes) if scopes.is_empty() => "no scopes".to_owned(),
        Some(scopes) => format!("scopes {}", scopes.join(", ")),
    };
    let missing = match account.missing.as_slice() {
        [] => String::new(),
        missing => format!(", without {}", missing.join(", ")),
    };
    let ends = account.expires_at.map(|at| format!(", expires {}", format_distance(now, at)));
    format!("signed in as {}, {scopes}{missing}{}", account.login, ends.unwrap_or_default())
}
