//! Converts settings to tables of the file. A default value is left out where a person would leave
//! it out too.

use domain::{
    BackendId, Budget, BudgetSchedule, ClientId, NanoUsd, PoolOrder, RouteId, TranslationMode,
    WallTime, Weekday,
};
use indexmap::IndexMap;
use toml_edit::{Array, Datetime, InlineTable, Value};

use crate::finding::SettingsPath;
use crate::setting::{Rows as _, TableFields};
use crate::{
    AllowedNetwork, BalanceSettings, ClientPriority, ClientScope, CredentialSettings,
    KeyPoolSettings, PinSettings, PoolMemberSettings, RouteCandidateSettings, RouteSettings,
    STICKY_SECS_DEFAULT, Settings,
};

/// The settings as tables of values; an absent optional value has no field.
pub(crate) fn to_tables(settings: &Settings) -> IndexMap<SettingsPath, TableFields> {
    let sections = settings.write_sections().map(|(name, fields)| (vec![name.to_owned()], fields));
    let mut tables: IndexMap<SettingsPath, TableFields> = sections.collect();
    let path = |section: &str, id: &str| vec![section.to_owned(), id.to_owned()];
    for (id, credential) in &settings.credentials {
        tables.insert(path("credentials", id.as_str()), credential_fields(credential));
    }
    for (id, backend) in &settings.backends {
        let mut fields = TableFields::from([
            ("label", backend.label.as_str().into()),
            ("kind", backend.kind.word().into()),
            ("base_url", backend.base_url.as_str().into()),
        ]);
        fields.extend(pool_fields(&backend.pool));
        fields.insert("enabled", backend.enabled.into());
        if !backend.models.is_empty() {
            fields.insert("models", Value::Array(backend.models.iter().collect::<Array>()));
        }
        let lacks: Array = backend.lacks.iter().map(|lack| lack.word()).collect();
        let offers: Array = backend.offers.iter().map(|offer| offer.word()).collect();
        for (name, words) in [("lacks", lacks), ("offers", offers)] {
            if !words.is_empty() {
                fields.insert(name, Value::Array(words));
            }
        }
        if backend.crossing != TranslationMode::default() {
            fields.insert("crossing", backend.crossing.word().into());
        }
        if backend.network == AllowedNetwork::Private {
            fields.insert("private_network", true.into());
        }
        fields.extend(backend.limits.write_rows());
        tables.insert(path("backends", id.as_str()), fields);
    }
    for (id, known) in &settings.routes {
        tables.insert(path("routes", id.as_str()), route_fields(id, known));
    }
    for (id, client) in &settings.clients {
        let mut fields = TableFields::from([
            ("token_sha256", client.token_sha256.to_string().into()),
            ("created", time_value(client.created)),
        ]);
        fields.extend(client.expires.map(|at| ("expires", time_value(at))));
        fields.extend(client.limits.write_rows());
        fields.extend(client.cache.map(|wish| ("cache", wish.word().into())));
        if client.priority != ClientPriority::default() {
            fields.insert("priority", client.priority.word().into());
        }
        fields.extend(scope_fields(&client.scope));
        fields.extend(client.mcp.then(|| ("mcp", true.into())));
        tables.insert(path("clients", id.as_str()), fields);
    }
    for (id, view) in &settings.views {
        let fields = TableFields::from([("query", view.query.as_str().into())]);
        tables.insert(path("views", id.as_str()), fields);
    }
    for (id, pin) in &settings.pins {
        tables.insert(path("pins", id.as_str()), pin_fields(pin));
    }
    for (id, budget) in &settings.budgets {
        tables.insert(path("budgets", id.as_str()), budget_fields(budget));
    }
    for (id, profile) in &settings.profiles {
        let backends = profile.backends.iter().map(BackendId::as_str).collect::<Array>();
        let fields = TableFields::from([("backends", Value::Array(backends))]);
        tables.insert(path("profiles", id.as_str()), fields);
    }
    tables
}

fn credential_fields(credential: &CredentialSettings) -> TableFields {
    let mut fields = TableFields::from([("label", credential.label.as_str().into())]);
    fields.extend(credential.origin.as_ref().map(|it| ("origin", it.to_string().into())));
    fields.extend(credential.tail.as_ref().map(|tail| ("tail", tail.into())));
    fields.insert("created", time_value(credential.created));
    fields.extend(credential.replaced.map(|at| ("replaced", time_value(at))));
    fields.extend(credential.expires.map(|at| ("expires", time_value(at))));
    fields.extend(credential.billing.map(|of| ("billing", of.word().into())));
    fields
}

fn pin_fields(pin: &PinSettings) -> TableFields {
    let mut fields = TableFields::from([
        ("measure", pin.measure.word().into()),
        ("range", pin.range.word().into()),
    ]);
    fields.extend(pin.filter.iter().map(|(by, name)| (by.word(), name.as_str().into())));
    fields
}

/// Leaves out defaults, apart from the period.
fn budget_fields(budget: &Budget) -> TableFields {
    let fresh = Budget::new(budget.limit);
    let mut fields = TableFields::from([
        ("limit_usd", dollars_value(budget.limit)),
        ("period", budget.schedule.period().word().into()),
    ]);
    match budget.schedule {
        BudgetSchedule::Rolling { days } => {
            fields.insert("days", i64::from(days).into());
        }
        BudgetSchedule::Month { begins_on } if budget.schedule != fresh.schedule => {
            fields.insert("reset_day", i64::from(begins_on).into());
        }
        BudgetSchedule::Week { begins_on } if begins_on != Weekday::Monday => {
            fields.insert("reset_weekday", begins_on.word().into());
        }
        BudgetSchedule::Day | BudgetSchedule::Week { .. } | BudgetSchedule::Month { .. } => {}
    }
    let scope = budget.scope.as_ref();
    fields.extend(scope.map(|(dimension, name)| (dimension.word(), name.as_str().into())));
    if budget.action != fresh.action {
        fields.insert("action", budget.action.word().into());
    }
    fields.extend(budget.switch_to.as_ref().map(|route| ("switch_to", route.as_str().into())));
    if budget.marks != fresh.marks {
        let marks: Array = budget.marks.iter().map(|percent| i64::from(*percent)).collect();
        fields.insert("marks", Value::Array(marks));
    }
    if budget.forecast != fresh.forecast {
        fields.insert("forecast", budget.forecast.into());
    }
    fields
}

/// Whole dollars as an integer, others as the shortest decimal number.
fn dollars_value(amount: NanoUsd) -> Value {
    let text = amount.to_string();
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.parse().unwrap_or_else(|_| Value::from(text))
}

/// Leaves out lists that allow everything.
fn scope_fields(scope: &ClientScope) -> TableFields {
    let ClientScope { models, backends, routes } = scope;
    let lists: [(&'static str, Array); 3] = [
        ("allow_models", models.iter().collect()),
        ("allow_backends", backends.iter().map(BackendId::as_str).collect()),
        ("allow_routes", routes.iter().map(RouteId::as_str).collect()),
    ];
    let named = lists.into_iter().filter(|(_, list)| !list.is_empty());
    named.map(|(name, list)| (name, Value::Array(list))).collect()
}

/// Leaves out default values.
fn route_fields(id: &RouteId, route: &RouteSettings) -> TableFields {
    let fresh = BalanceSettings::default();
    let mut fields = TableFields::new();
    let mut list = |name: &'static str, words: Array| {
        fields.extend((!words.is_empty()).then(|| (name, Value::Array(words))));
    };
    if route.models != [id.as_str()] {
        list("models", route.models.iter().collect());
    }
    list("clients", route.clients.iter().map(ClientId::as_str).collect());
    list("projects", route.projects.iter().collect());
    fields.insert("policy", route.policy.word().into());
    if route.weights != fresh {
        let BalanceSettings { latency, cost, headroom } = route.weights;
        let shares = [("latency", latency), ("cost", cost), ("headroom", headroom)];
        let shares = shares.map(|(name, share)| (name, i64::from(share)));
        fields.insert("weights", InlineTable::from_iter(shares).into());
    }
    if route.sticky_secs != STICKY_SECS_DEFAULT {
        fields.insert("sticky_secs", i64::from(route.sticky_secs).into());
    }
    fields.extend(route.crossing.map(|it| ("crossing", it.word().into())));
    fields.extend(route.cache.map(|it| ("cache", it.word().into())));
    if !route.enabled {
        fields.insert("enabled", false.into());
    }
    fields.insert("candidates", candidate_list(&route.candidates));
    fields
}

/// One candidate per line, to show their order.
fn candidate_list(candidates: &[RouteCandidateSettings]) -> Value {
    let mut list = Array::new();
    for candidate in candidates {
        let mut table = InlineTable::new();
        table.insert("backend", candidate.backend.as_str().into());
        if let Some(model) = &candidate.model {
            table.insert("model", model.as_str().into());
        }
        if candidate.weight != 1 {
            table.insert("weight", i64::from(candidate.weight).into());
        }
        list.push_formatted(Value::from(table).decorated("\n  ", ""));
    }
    if !list.is_empty() {
        list.set_trailing_comma(true);
        list.set_trailing("\n");
    }
    Value::Array(list)
}

/// A single key with the default weight is written as its name, as in older versions.
fn pool_fields(pool: &KeyPoolSettings) -> TableFields {
    let mut fields = TableFields::new();
    match pool.members.as_slice() {
        [] => {}
        [PoolMemberSettings { credential, weight: 1 }] => {
            fields.insert("credential", credential.as_str().into());
        }
        members => {
            let members: Array = members.iter().map(pool_member).collect();
            fields.insert("credentials", Value::Array(members));
        }
    }
    if pool.order != PoolOrder::default() {
        fields.insert("pool", pool.order.word().into());
    }
    fields
}

fn pool_member(member: &PoolMemberSettings) -> Value {
    let id = member.credential.as_str();
    if member.weight == 1 {
        return id.into();
    }
    let mut table = InlineTable::new();
    table.insert("id", id.into());
    table.insert("weight", i64::from(member.weight).into());
    table.into()
}

/// A time outside the calendar is written as a number, so that the type check rejects it.
fn time_value(at: WallTime) -> Value {
    jiff::Timestamp::from_millisecond(at.unix_ms())
        .ok()
        .and_then(|time| time.to_string().parse::<Datetime>().ok())
        .map_or_else(|| at.unix_ms().into(), Value::from)
}
