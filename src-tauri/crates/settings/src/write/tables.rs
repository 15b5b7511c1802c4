//! Converts settings to tables of the file. A default value is left out where a person would leave
//! it out too. Each struct is taken apart by its fields, so that one that is forgotten does not compile.

use domain::{
    BackendId, Budget, BudgetSchedule, ClientId, ClientTarget, NanoUsd, PoolOrder, RouteId,
    ServiceMethod, TranslationMode, WallTime, Weekday,
};
use indexmap::IndexMap;
use toml_edit::{Array, Datetime, InlineTable, Value};

use crate::finding::SettingsPath;
use crate::setting::{Rows as _, TableFields};
use crate::{
    AllowedNetwork, BackendSettings, BalanceSettings, ClientPriority, ClientScope, ClientSettings,
    CredentialSettings, HttpExpectation, KeyPoolSettings, OAuthSettings, OwnObjective, PinSettings,
    PoolMemberSettings, Profile, RouteCandidateSettings, RouteSettings, STICKY_SECS_DEFAULT,
    ServiceSettings, Settings, ViewSettings,
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
        tables.insert(path("backends", id.as_str()), backend_fields(backend));
    }
    for (id, service) in &settings.services {
        tables.insert(path("services", id.as_str()), service_fields(service));
    }
    for (id, known) in &settings.routes {
        tables.insert(path("routes", id.as_str()), route_fields(id, known));
    }
    for (id, client) in &settings.clients {
        tables.insert(path("clients", id.as_str()), client_fields(client));
    }
    for (id, ViewSettings { query }) in &settings.views {
        let fields = TableFields::from([("query", query.as_str().into())]);
        tables.insert(path("views", id.as_str()), fields);
    }
    for (id, pin) in &settings.pins {
        tables.insert(path("pins", id.as_str()), pin_fields(pin));
    }
    for (id, budget) in &settings.budgets {
        tables.insert(path("budgets", id.as_str()), budget_fields(budget));
    }
    for (id, Profile { backends }) in &settings.profiles {
        let backends = backends.iter().map(BackendId::as_str).collect::<Array>();
        let fields = TableFields::from([("backends", Value::Array(backends))]);
        tables.insert(path("profiles", id.as_str()), fields);
    }
    tables
}

fn credential_fields(credential: &CredentialSettings) -> TableFields {
    let CredentialSettings {
        label,
        origin,
        tail,
        created,
        replaced,
        expires,
        note,
        billing,
        oauth,
    } = credential;
    let mut fields = TableFields::from([("label", label.as_str().into())]);
    fields.extend(origin.as_ref().map(|it| ("origin", it.to_string().into())));
    fields.extend(tail.as_ref().map(|tail| ("tail", tail.into())));
    fields.insert("created", time_value(*created));
    fields.extend(replaced.map(|at| ("replaced", time_value(at))));
    fields.extend(expires.map(|at| ("expires", time_value(at))));
    fields.extend(note.as_ref().map(|note| ("note", note.as_str().into())));
    fields.extend(billing.map(|of| ("billing", of.word().into())));
    if let Some(OAuthSettings { token_url, client_id, grant, scope }) = oauth {
        fields.insert("token_url", token_url.as_str().into());
        fields.insert("client_id", client_id.as_str().into());
        fields.insert("grant", grant.word().into());
        fields.extend(scope.as_ref().map(|scope| ("scope", scope.as_str().into())));
    }
    fields
}

fn backend_fields(backend: &BackendSettings) -> TableFields {
    let BackendSettings {
        label,
        kind,
        base_url,
        pool,
        enabled,
        models,
        lacks,
        offers,
        crossing,
        network,
        limits,
        objective,
    } = backend;
    let mut fields = TableFields::from([
        ("label", label.as_str().into()),
        ("kind", kind.word().into()),
        ("base_url", base_url.as_str().into()),
    ]);
    fields.extend(pool_fields(pool));
    fields.insert("enabled", (*enabled).into());
    let lists: [(&'static str, Array); 3] = [
        ("models", models.iter().collect()),
        ("lacks", lacks.iter().map(|lack| lack.word()).collect()),
        ("offers", offers.iter().map(|offer| offer.word()).collect()),
    ];
    let named = lists.into_iter().filter(|(_, list)| !list.is_empty());
    fields.extend(named.map(|(name, list)| (name, Value::Array(list))));
    if *crossing != TranslationMode::default() {
        fields.insert("crossing", crossing.word().into());
    }
    if *network == AllowedNetwork::Private {
        fields.insert("private_network", true.into());
    }
    fields.extend(limits.write_rows());
    fields.extend(objective_field(objective));
    fields
}

/// Leaves out defaults.
fn service_fields(service: &ServiceSettings) -> TableFields {
    let ServiceSettings {
        label,
        kind,
        address,
        credential,
        required,
        enabled,
        network,
        http: HttpExpectation { method, status, contains, key_header },
        scopes,
        objective,
    } = service;
    let mut fields = TableFields::from([
        ("label", label.as_str().into()),
        ("kind", kind.word().into()),
        ("address", address.to_string().into()),
    ]);
    fields.extend(credential.as_ref().map(|key| ("credential", key.as_str().into())));
    fields.extend(required.then(|| ("required", true.into())));
    fields.extend((!enabled).then(|| ("enabled", false.into())));
    let is_private = *network == AllowedNetwork::Private;
    fields.extend(is_private.then(|| ("private_network", true.into())));
    if *method != ServiceMethod::default() {
        fields.insert("method", method.word().into());
    }
    fields.extend(status.map(|status| ("status", i64::from(status).into())));
    fields.extend(contains.as_ref().map(|text| ("contains", text.into())));
    fields.extend(key_header.as_ref().map(|name| ("key_header", name.into())));
    if !scopes.is_empty() {
        fields.insert("scopes", Value::Array(scopes.iter().collect()));
    }
    fields.extend(objective_field(objective));
    fields
}

fn client_fields(client: &ClientSettings) -> TableFields {
    let ClientSettings {
        token_sha256,
        created,
        expires,
        limits,
        cache,
        priority,
        scope,
        switched_to,
        blocked,
        mcp,
        reads_metrics,
        project,
    } = client;
    let mut fields = TableFields::from([
        ("token_sha256", token_sha256.to_string().into()),
        ("created", time_value(*created)),
    ]);
    fields.extend(expires.map(|at| ("expires", time_value(at))));
    fields.extend(limits.write_rows());
    fields.extend(cache.map(|mode| ("cache", mode.word().into())));
    if *priority != ClientPriority::default() {
        fields.insert("priority", priority.word().into());
    }
    fields.extend(scope_fields(scope));
    fields.extend(switched_to.as_ref().map(|target| match target {
        ClientTarget::Backend(id) => ("backend", id.as_str().into()),
        ClientTarget::Route(id) => ("route", id.as_str().into()),
    }));
    fields.extend(blocked.then(|| ("blocked", true.into())));
    fields.extend(mcp.then(|| ("mcp", true.into())));
    fields.extend(reads_metrics.then(|| ("reads_metrics", true.into())));
    fields.extend(project.as_deref().map(|name| ("project", name.into())));
    fields
}

fn pin_fields(PinSettings { measure, range, filter }: &PinSettings) -> TableFields {
    let mut fields =
        TableFields::from([("measure", measure.word().into()), ("range", range.word().into())]);
    fields.extend(filter.iter().map(|(by, name)| (by.word(), name.as_str().into())));
    fields
}

/// Leaves out defaults, apart from the period.
fn budget_fields(budget: &Budget) -> TableFields {
    let Budget { limit, schedule, scope, action, switch_to, marks, forecast, refuse_unpriced } =
        budget;
    let fresh = Budget::new(*limit);
    let mut fields = TableFields::from([
        ("limit_usd", dollars_value(*limit)),
        ("period", schedule.period().word().into()),
    ]);
    match *schedule {
        BudgetSchedule::Rolling { days } => {
            fields.insert("days", i64::from(days).into());
        }
        BudgetSchedule::Month { begins_on } if *schedule != fresh.schedule => {
            fields.insert("reset_day", i64::from(begins_on).into());
        }
        BudgetSchedule::Week { begins_on } if begins_on != Weekday::Monday => {
            fields.insert("reset_weekday", begins_on.word().into());
        }
        BudgetSchedule::Day | BudgetSchedule::Week { .. } | BudgetSchedule::Month { .. } => {}
    }
    fields.extend(scope.as_ref().map(|(dimension, name)| (dimension.word(), name.as_str().into())));
    if *action != fresh.action {
        fields.insert("action", action.word().into());
    }
    fields.extend(switch_to.as_ref().map(|route| ("switch_to", route.as_str().into())));
    if *marks != fresh.marks {
        let marks: Array = marks.iter().map(|percent| i64::from(*percent)).collect();
        fields.insert("marks", Value::Array(marks));
    }
    if *forecast != fresh.forecast {
        fields.insert("forecast", (*forecast).into());
    }
    if *refuse_unpriced != fresh.refuse_unpriced {
        fields.insert("refuse_unpriced", (*refuse_unpriced).into());
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
    let RouteSettings {
        enabled,
        models,
        clients,
        projects,
        policy,
        weights,
        sticky_secs,
        crossing,
        cache,
        candidates,
        objective,
    } = route;
    let mut fields = TableFields::new();
    let mut list = |name: &'static str, words: Array| {
        fields.extend((!words.is_empty()).then(|| (name, Value::Array(words))));
    };
    if *models != [id.as_str()] {
        list("models", models.iter().collect());
    }
    list("clients", clients.iter().map(ClientId::as_str).collect());
    list("projects", projects.iter().collect());
    fields.insert("policy", policy.word().into());
    if *weights != BalanceSettings::default() {
        let BalanceSettings { latency, cost, headroom } = *weights;
        let shares = [("latency", latency), ("cost", cost), ("headroom", headroom)];
        let shares = shares.map(|(name, share)| (name, i64::from(share)));
        fields.insert("weights", InlineTable::from_iter(shares).into());
    }
    if *sticky_secs != STICKY_SECS_DEFAULT {
        fields.insert("sticky_secs", i64::from(*sticky_secs).into());
    }
    fields.extend(crossing.map(|it| ("crossing", it.word().into())));
    fields.extend(cache.map(|it| ("cache", it.word().into())));
    if !enabled {
        fields.insert("enabled", false.into());
    }
    fields.extend(objective_field(objective));
    fields.insert("candidates", candidate_list(candidates));
    fields
}

/// `None` if the default holds for all of it.
fn objective_field(objective: &OwnObjective) -> Option<(&'static str, Value)> {
    let OwnObjective { goal, period, first_token_max_ms } = *objective;
    let mut table = InlineTable::new();
    let words = [("goal", goal.map(|it| it.word())), ("period", period.map(|it| it.word()))];
    for (name, word) in words {
        table.extend(word.map(|word| (name, word)));
    }
    table.extend(first_token_max_ms.map(|ms| ("first_token_max_ms", i64::from(ms))));
    (!table.is_empty()).then(|| ("objective", Value::from(table)))
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
