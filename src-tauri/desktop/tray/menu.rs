//! The rows of the tray's menu, made from what the core told last. Nothing here touches the desktop.

use control::clock_time;
use control::view::{
    AlertState, AlertView, AlertsView, AvailabilityState, BudgetState, BudgetView,
    ClientTargetView, ClientView, CurrencyView, GatewayState, NanoDollars, PanelActionView,
    QuotaView, RouteCandidateView, RoutePolicy, RouteView, SilenceView, SpendView, StatusIssueView,
    StatusView, TimeZoneChoice, UnixMs,
};
use domain::{ShownCurrency, count_noun, cut_between_words, one_line};

use super::command::TrayCommand;

/// Longest row, in characters; menus do not wrap.
const LABEL_CHARS_MAX: usize = 72;
/// Most budgets, those with least left first.
const BUDGETS_MAX: usize = 3;
/// Most routes with a submenu, in their order.
const ROUTES_MAX: usize = 8;
/// Most candidates of one route.
const CANDIDATES_MAX: usize = 8;
/// Most clients with a submenu, those used last first.
const CLIENTS_MAX: usize = 8;
/// Most targets of one client, in their order; the current one is always shown.
const TARGETS_MAX: usize = 12;
/// The page that asks whether every tool is to be disconnected.
const DISCONNECT_ALL_PAGE: &str = "/clients?disconnect=all";
/// The core names no more issues than this.
const NEEDS_MAX: usize = 5;

/// What the core told last. Parts that were never told are empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrayView {
    pub(crate) status: Option<StatusView>,
    /// True while the core does not answer, so that the rest may be out of date.
    pub(crate) is_stale: bool,
    pub(crate) currency: Option<CurrencyView>,
    pub(crate) alerts: Option<AlertsView>,
    pub(crate) budgets: Vec<BudgetView>,
    pub(crate) routes: Vec<RouteView>,
    pub(crate) clients: Vec<ClientView>,
    /// Why the last command from this menu was refused.
    pub(crate) refusal: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TrayRow {
    /// Words only.
    Note(String),
    Item(TrayCommand, String),
    /// One of several, of which one is checked.
    Choice {
        command: TrayCommand,
        label: String,
        is_chosen: bool,
    },
    Submenu(String, Vec<Self>),
    Line,
}

/// All rows of the menu. Each part that is known and has something to say begins with a line.
pub(super) fn menu_rows(view: &TrayView, zone: TimeZoneChoice) -> Vec<TrayRow> {
    let mut rows = vec![TrayRow::Note(shorten(&state_line(view)))];
    // What is quoted in it may be one long word, such as a path.
    let refusal = view.refusal.as_deref().map(|why| one_line(why, LABEL_CHARS_MAX));
    rows.extend(refusal.map(TrayRow::Note));
    rows.extend(needs_row(view));
    rows.extend(view.alerts.as_ref().and_then(|alerts| incident_row(view, alerts)));
    let parts = [money_rows(view), command_rows(view, zone)];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        rows.push(TrayRow::Line);
        rows.extend(part);
    }
    rows.push(TrayRow::Line);
    rows.push(item(TrayCommand::Open, "Open Gatehouse"));
    rows.push(item(TrayCommand::Quit, "Quit"));
    rows
}

impl TrayView {
    /// The verdict alone, for a tooltip.
    pub(super) fn sentence(&self) -> String {
        match &self.status {
            Some(status) => format!("Gatehouse: {}", status.verdict.sentence),
            None => "Gatehouse".to_owned(),
        }
    }

    pub(super) fn open_incidents(&self) -> usize {
        let alerts = self.alerts.as_ref().map(|alerts| alerts.alerts.iter().filter(is_firing));
        alerts.map_or(0, Iterator::count)
    }

    /// When the last silence that matches every alert ends; `None` if there is none.
    fn quiet_until(&self) -> Option<UnixMs> {
        let now = self.status.as_ref()?.now;
        let silences = &self.alerts.as_ref()?.silences;
        silences.iter().filter(|it| is_for_all(it) && it.until > now).map(|it| it.until).max()
    }
}

/// True for a silence that keeps every alert from being shown.
pub(super) fn is_for_all(silence: &SilenceView) -> bool {
    silence.rule.is_none() && silence.scope.is_none()
}

/// The page of the panel that the button of an issue opens.
pub(super) fn page_of(need: &StatusIssueView) -> String {
    let action = match &need.action {
        PanelActionView::OpenBackend { id } => return format!("/backends/{id}"),
        PanelActionView::OpenKey { id } => return format!("/keys/{id}"),
        PanelActionView::OpenRoute { id } => return format!("/routing/{id}"),
        PanelActionView::OpenBudget { id } => return format!("/budgets?budget={id}"),
        PanelActionView::OpenSettings if need.id == "vault" || need.id.starts_with("vault/") => {
            "/settings?part=Vault"
        }
        PanelActionView::OpenRouting => "/routing",
        PanelActionView::AddBackend => "/backends?add=true",
        PanelActionView::AddClient | PanelActionView::OpenClients => "/clients",
        PanelActionView::FindKeys => "/keys?find=true",
        PanelActionView::RunChecks | PanelActionView::OpenReadiness => "/readiness",
        PanelActionView::OpenHealth => "/health",
        PanelActionView::ResumeGateway => "/",
        PanelActionView::OpenSettings => "/settings",
        PanelActionView::OpenLedger => "/settings?part=Ledger",
        PanelActionView::OpenBudgets => "/budgets",
        PanelActionView::OpenPrices => "/prices",
        PanelActionView::OpenAlertChannels => "/alerts/channels",
    };
    action.to_owned()
}

/// The verdict and where clients call.
fn state_line(view: &TrayView) -> String {
    let Some(status) = &view.status else { return "Gatehouse is starting".to_owned() };
    let port = status.gateway.port;
    let state = match status.gateway.state {
        GatewayState::Failed => format!("Gateway not running (port {port})"),
        GatewayState::Silent => format!("Gateway not answering (port {port})"),
        GatewayState::Listening | GatewayState::Paused => {
            format!("{} (port {port})", status.verdict.sentence)
        }
    };
    if view.is_stale { format!("Not connected. Last known: {state}") } else { state }
}

/// What needs the user; each opens its page.
fn needs_row(view: &TrayView) -> Option<TrayRow> {
    let needs = &view.status.as_ref()?.verdict.needs;
    let row = |need: &StatusIssueView| page(&page_of(need), &need.title);
    match needs.as_slice() {
        [] => None,
        [need] => Some(row(need)),
        several => {
            let number = several.len();
            let more = if number < NEEDS_MAX { "" } else { " or more" };
            let label = format!("{number}{more} things need you");
            Some(TrayRow::Submenu(label, several.iter().map(row).collect()))
        }
    }
}

/// The most severe and newest incident, unless an issue says the same.
fn incident_row(view: &TrayView, alerts: &AlertsView) -> Option<TrayRow> {
    let alert = alerts.alerts.iter().find(is_firing)?;
    let needs = view.status.as_ref().map(|status| status.verdict.needs.as_slice());
    if needs.unwrap_or_default().iter().any(|need| need.title.starts_with(&alert.title)) {
        return None;
    }
    let path = match alert.number {
        Some(number) => format!("/alerts/{number}"),
        None => alert.path.clone(),
    };
    Some(page(&path, &format!("Incident: {}", alert.title)))
}

/// What was spent and what is left.
fn money_rows(view: &TrayView) -> Vec<TrayRow> {
    let Some(status) = &view.status else { return Vec::new() };
    let currency = view.currency.as_ref().map_or(ShownCurrency::USD, CurrencyView::shown);
    let mut rows = vec![page("/usage", &spend_line(status.spend_today, currency))];
    let mut budgets: Vec<&BudgetView> = view.budgets.iter().collect();
    budgets.sort_by_key(|budget| std::cmp::Reverse(budget.used_percent));
    let shown = budgets.into_iter().take(BUDGETS_MAX);
    rows.extend(shown.map(|budget| page("/budgets", &budget_line(budget, currency))));
    rows.extend(status.lowest_quota.as_ref().map(quota_row));
    rows
}

/// Says what it does not know: a sum without a known price is no sum.
fn spend_line(spend: SpendView, currency: ShownCurrency) -> String {
    let cost = spend.cost_nano_usd.shown_in(currency);
    match (spend.requests.0, spend.unpriced_requests.0) {
        (_, unpriced) if spend.is_cost_unknown => {
            format!("Spend today: unknown ({} without a price)", count_noun(unpriced, "request"))
        }
        (0, _) => "No requests today".to_owned(),
        (_, 0) => format!("Spend today: {cost}"),
        (_, unpriced) => format!("Spend today: {cost}, {unpriced} unpriced"),
    }
}

fn budget_line(budget: &BudgetView, currency: ShownCurrency) -> String {
    let limit = NanoDollars(budget.limit_nano_usd.0.saturating_add(budget.allowed_nano_usd.0));
    let state = match budget.state {
        BudgetState::OnPace | BudgetState::NearlyUsedUp => "",
        BudgetState::AheadOfPace => ", ahead of pace",
        BudgetState::UsedUp => ", used up",
        BudgetState::Refusing => ", refuses requests",
        BudgetState::Switched => ", requests switched",
    };
    let spent = budget.spent_nano_usd.shown_in(currency);
    let (name, limit) = (&budget.id, limit.shown_in(currency));
    let unpriced = match budget.unpriced_requests.0 {
        0 => String::new(),
        number => format!(", {number} unpriced"),
    };
    format!("Budget {name}: {spent} of {limit}{unpriced}{state}")
}

fn quota_row(quota: &QuotaView) -> TrayRow {
    let QuotaView { backend, backend_label, limit, left_percent } = quota;
    let label = format!("Lowest quota: {left_percent} % of {limit} left at {backend_label}");
    page(&format!("/backends/{backend}"), &label)
}

fn command_rows(view: &TrayView, zone: TimeZoneChoice) -> Vec<TrayRow> {
    let Some(status) = &view.status else { return Vec::new() };
    let mut rows: Vec<TrayRow> = clients_row(&view.clients).into_iter().collect();
    rows.extend(routes_row(&view.routes));
    match status.gateway.state {
        GatewayState::Listening | GatewayState::Silent => {
            rows.push(item(TrayCommand::PauseGateway, "Pause gateway"));
        }
        GatewayState::Paused => rows.push(item(TrayCommand::ResumeGateway, "Resume gateway")),
        GatewayState::Failed => {}
    }
    rows.push(item(TrayCommand::RunChecks, "Run checks"));
    if status.gateway.state != GatewayState::Failed {
        let label = format!("Copy base URL {}", status.gateway.address);
        rows.push(TrayRow::Item(TrayCommand::CopyAddress, label));
    }
    rows.push(match view.quiet_until() {
        None => item(TrayCommand::Quiet, "Quiet for 1 hour"),
        Some(until) => {
            let until = clock_time(until, status.now, zone);
            item(TrayCommand::EndQuiet, &format!("Quiet until {until}: show notifications again"))
        }
    });
    rows
}

/// A submenu for each client whose token is valid and that may ask for models: where its requests go, with
/// the current place checked, and its block.
fn clients_row(clients: &[ClientView]) -> Option<TrayRow> {
    let mut switchable: Vec<&ClientView> =
        clients.iter().filter(|client| !client.expired && !client.targets.is_empty()).collect();
    switchable.sort_by_key(|client| std::cmp::Reverse(client.seen_at.map(|seen| seen.0)));
    let mut rows: Vec<TrayRow> =
        switchable.iter().take(CLIENTS_MAX).map(|client| client_row(client)).collect();
    if switchable.len() > CLIENTS_MAX {
        rows.push(page("/clients", "More clients"));
    }
    if !clients.is_empty() {
        rows.extend((!rows.is_empty()).then_some(TrayRow::Line));
        // The panel asks, and says which tools are connected.
        rows.push(page(DISCONNECT_ALL_PAGE, "Disconnect all tools"));
    }
    (!rows.is_empty()).then(|| TrayRow::Submenu("Clients".to_owned(), rows))
}

fn client_row(client: &ClientView) -> TrayRow {
    let current = client.targets.iter().find(|target| target.current);
    let current = current.map_or("", |target| target.label.as_str());
    let targets = client.targets.iter().enumerate();
    let shown = targets.filter(|(place, target)| *place < TARGETS_MAX || target.current);
    let mut rows: Vec<TrayRow> = shown.map(|(_, target)| target_row(client, target)).collect();
    if rows.len() < client.targets.len() {
        rows.push(page(&format!("/clients/{}", client.id), "More targets"));
    }
    rows.push(TrayRow::Line);
    let id = client.id.clone();
    rows.push(match client.blocked {
        true => item(TrayCommand::AllowClient(id), "Allow again"),
        false => item(TrayCommand::BlockClient(id), "Block its requests"),
    });
    let place = if client.blocked { "blocked" } else { current };
    TrayRow::Submenu(shorten(&format!("{}: {place}", client.id)), rows)
}

fn target_row(client: &ClientView, target: &ClientTargetView) -> TrayRow {
    let note = target.unavailable.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    TrayRow::Choice {
        command: TrayCommand::SwitchClient {
            client: client.id.clone(),
            backend: target.backend.clone(),
            route: target.route.clone(),
        },
        label: shorten(&format!("{}{note}", target.label)),
        is_chosen: target.current,
    }
}

/// A submenu for each route that tries its candidates in order, with the first one checked.
fn routes_row(routes: &[RouteView]) -> Option<TrayRow> {
    let is_choice = |route: &&RouteView| {
        let is_used = route.enabled && route.in_profile;
        is_used && route.policy == RoutePolicy::Ordered && route.candidates.len() > 1
    };
    let mut choices = routes.iter().filter(is_choice);
    let mut rows: Vec<TrayRow> = choices.by_ref().take(ROUTES_MAX).map(route_row).collect();
    if choices.next().is_some() {
        rows.push(page("/routing", "More routes"));
    }
    (!rows.is_empty()).then(|| TrayRow::Submenu("First backend of a route".to_owned(), rows))
}

fn route_row(route: &RouteView) -> TrayRow {
    let first = route.candidates.first().map(candidate_name).unwrap_or_default();
    let candidates = route.candidates.iter().take(CANDIDATES_MAX).enumerate();
    let mut rows: Vec<TrayRow> = candidates
        .map(|(place, candidate)| TrayRow::Choice {
            command: TrayCommand::PutFirst {
                route: route.id.clone(),
                backend: candidate.backend.clone(),
                model: candidate.model.clone(),
            },
            label: shorten(&candidate_line(candidate)),
            is_chosen: place == 0,
        })
        .collect();
    if route.candidates.len() > CANDIDATES_MAX {
        rows.push(page(&format!("/routing/{}", route.id), "More backends"));
    }
    TrayRow::Submenu(shorten(&format!("{}: {first}", route.id)), rows)
}

fn candidate_name(candidate: &RouteCandidateView) -> String {
    match &candidate.model {
        Some(model) => format!("{} {model}", candidate.backend_label),
        None => candidate.backend_label.clone(),
    }
}

/// With what keeps it from answering.
fn candidate_line(candidate: &RouteCandidateView) -> String {
    let state = match candidate.availability.state {
        AvailabilityState::Ready | AvailabilityState::Recovering => "",
        AvailabilityState::Trial => " (being tried)",
        AvailabilityState::CoolingDown => " (cooling down)",
        AvailabilityState::Open => " (failing)",
        AvailabilityState::Blocked => " (blocked)",
        AvailabilityState::Held => " (held)",
        AvailabilityState::Off => " (off)",
        AvailabilityState::Removed => " (removed)",
    };
    format!("{}{state}", candidate_name(candidate))
}

fn is_firing(alert: &&AlertView) -> bool {
    alert.state != AlertState::Pending
}

fn item(command: TrayCommand, label: &str) -> TrayRow {
    TrayRow::Item(command, label.to_owned())
}

/// A row that opens a page of the panel.
fn page(path: &str, label: &str) -> TrayRow {
    TrayRow::Item(TrayCommand::OpenPage(path.to_owned()), shorten(label))
}

fn shorten(text: &str) -> String {
    cut_between_words(text, LABEL_CHARS_MAX)
}

#[cfg(test)]
mod tests;
