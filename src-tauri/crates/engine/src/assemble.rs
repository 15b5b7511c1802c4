//! Builds the engine's parts, each from those it needs.
//!
//! One piece: the order in which parts are built is read in one place.

mod money_parts;
mod monitor_parts;
mod own_clients;

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::IdError;
use gateway::{AccessTokens, HttpUpstream, MockUpstream, NewToken};
use ledger::Recovery;
use monitor::NotificationChannel;
use parking_lot::Mutex;
use playground::Playground;
use session_logs::LogRoot;
use settings::VaultKind;
use tokio::sync::{OnceCell, RwLock};
use vault::EnvStore;

use self::monitor_parts::Judged;
use self::own_clients::{OwnClients, OwnTokens, own_clients};
use crate::alerts::facts::AlertSources;
use crate::alerts::measurements::MeasurementWatch;
use crate::alerts::message_channels::MessageChannels;
use crate::alerts::notifications::Notifications;
use crate::alerts::watch::AlertWatch;
use crate::backups::archives::BackupArchives;
use crate::budgets::watch::BudgetWatch;
use crate::clients::activity::ClientActivity;
use crate::clients::programs::ClientPrograms;
use crate::control_server::ControlServer;
use crate::costs::log_import::LogImport;
use crate::costs::price_editor::PriceEditor;
use crate::costs::reports::CostReports;
use crate::engine::{BackendParts, BaseParts, EngineParts, VERSION};
use crate::gateway::model_catalogue::ModelCatalogue;
use crate::gateway::playground_host::EnginePlaygroundHost;
use crate::gateway::response_cache::ResponseCache;
use crate::gateway::route_explainer::RouteExplainer;
use crate::gateway::server::GatewayServer;
use crate::gateway::snapshot::{self, SnapshotStore};
use crate::health::backend_states::BackendStates;
use crate::health::endpoint_saver::EndpointSaver;
use crate::health::probe::BackendProber;
use crate::health::service_level_watch::ServiceLevelWatch;
use crate::health::service_watch::ServiceWatch;
use crate::health::time_observer::TimeObserver;
use crate::keys::copies::KeyCopies;
use crate::keys::scanner::KeyScanner;
use crate::keys::statuses::KeyStatuses;
use crate::keys::vault_switch::{VaultOpener, VaultSwitch};
use crate::ledger_file::watch::LedgerWatch;
use crate::process::local_resources::{LocalResources, SamplerState, SystemReader};
use crate::process::owner::OwnerLock;
use crate::process::platform::{Platform, ProxyVariable};
use crate::process::web_view::WebView;
use crate::readiness::environment::EngineEnvironment;
use crate::readiness::runs::ReadinessRuns;
use crate::settings_editor::SettingsEditor;
use crate::telemetry::collector::{Telemetry, TelemetryParts};
use crate::telemetry::metrics_exporter::{MetricsExporter, TrafficMetrics};
use crate::telemetry::model_names::ModelNames;
use crate::wiring::client_wiring::ClientWiring;

/// What the parts get from outside beside [`BaseParts`].
pub(crate) struct Outside {
    pub(crate) owner: OwnerLock,
    pub(crate) recovery: Recovery,
    pub(crate) vault: OpenVault,
    /// Overrides the port of the settings.
    pub(crate) port: Option<u16>,
    pub(crate) channel: Option<Arc<dyn NotificationChannel>>,
    pub(crate) log_roots: Vec<LogRoot>,
    pub(crate) client_wiring: ClientWiring,
    pub(crate) proxy: ProxyVariable,
}

pub(crate) struct OpenVault {
    pub(crate) opener: VaultOpener,
    /// Overrides the vault of the settings.
    pub(crate) forced: Option<VaultKind>,
}

pub(crate) fn assemble(base: BaseParts, given: Outside) -> Result<EngineParts, IdError> {
    let Outside { owner, recovery, vault, port, channel, log_roots, client_wiring, proxy } = given;
    let tokens = OwnTokens::new(&*base.entropy);
    let backends = assemble_backends(&base, own_clients(&tokens)?);
    let programs = ClientPrograms::open(base.folders.client_programs_file());
    let clients = Arc::new(ClientActivity::new(base.ledger.clone(), programs));
    let budgets = Arc::new(money_parts::budget_watch(&base));
    let ledger_watch = Arc::new(ledger_watch(&base, recovery, &clients));
    let gateway = gateway_server(&base, port);
    let key_scanner = key_scanner(&base, &client_wiring, Arc::clone(&vault.opener.environment));
    let vault_switch = vault_switch(&base, &backends, vault);
    let routes = route_explainer(&base, &backends);
    let notifications = notifications(&base, channel);
    let services = service_watch(&base, &backends);
    let service_levels = service_level_watch(&base, &backends, &services, &gateway);
    let settings_editor =
        settings_editor(&base, &backends, &services, &budgets, &vault_switch, &gateway);
    let cost_reports = Arc::new(money_parts::cost_reports(&base, &backends));
    let measured = measurement_watch(&base, &budgets, &ledger_watch, &cost_reports, &key_scanner);
    let models = Arc::<ModelNames>::default();
    let local = local_resources(&base, &backends, &ledger_watch);
    let quality = monitor_parts::quality_watch(&base, &backends, &service_levels, &measured);
    let states = monitor_parts::backend_states(&base, &backends, &quality);
    let key_balances = Arc::new(money_parts::key_balances(&base, &backends));
    let judged = Judged::of(&measured, &quality, &states, &local, &key_balances);
    let watched = (&services, &gateway, &service_levels);
    let alerts = alert_watch(&base, &backends, watched, judged, &notifications);
    let archives = backup_archives(&base, &ledger_watch, &settings_editor, &budgets, &alerts);
    let price_editor = Arc::new(money_parts::price_editor(&base, &backends));
    let asked = (&key_scanner, &client_wiring, &alerts, &price_editor, &states);
    let paid = (&budgets, &cost_reports);
    let readiness = readiness_runs(&base, &backends, &ledger_watch, &gateway, asked, &tokens.check);
    Ok(EngineParts {
        control: control_server(&base, owner),
        settings_editor,
        backup_archives: archives,
        metrics: metrics_exporter(&base, &states, &measured, (&alerts, &local, &models)),
        telemetry: telemetry(&base, &backends, models),
        readiness,
        tool_watch: monitor_parts::tool_watch(&base, &client_wiring, &gateway),
        log_import: log_import(&base, log_roots),
        alerts,
        alert_history: monitor_parts::alert_history(&base, paid, (&service_levels, &local)),
        key_copies: key_copies(&base, &key_scanner, &measured),
        measured,
        quality,
        states,
        local,
        web_view: WebView::new(Arc::clone(&base.clock)),
        platform: Arc::new(Platform::new(Arc::clone(&base.clock), proxy)),
        service_levels,
        services,
        notifications,
        playground: playground(&base, &routes, &gateway, &tokens),
        price_editor,
        cost_reports,
        key_balances,
        provider_key_check: money_parts::provider_key_check(&base, &backends),
        base,
        backends,
        clients,
        budgets,
        ledger_watch,
        gateway,
        vault_switch,
        routes,
        key_scanner,
        client_wiring,
    })
}

fn route_explainer(base: &BaseParts, backends: &BackendParts) -> Arc<RouteExplainer> {
    Arc::new(RouteExplainer {
        snapshots: Arc::clone(&backends.snapshots),
        registry: Arc::clone(&backends.registry),
        settings: Arc::clone(&base.settings),
    })
}

fn ledger_watch(
    base: &BaseParts,
    recovery: Recovery,
    clients: &Arc<ClientActivity>,
) -> LedgerWatch {
    let (clock, events) = (Arc::clone(&base.clock), base.events.clone());
    LedgerWatch::new(base.ledger.clone(), recovery, Arc::clone(clients), clock, events)
}

fn gateway_server(base: &BaseParts, port: Option<u16>) -> Arc<GatewayServer> {
    let settings = Arc::clone(&base.settings);
    Arc::new(GatewayServer::new(port, settings, base.events.clone(), base.tasks.clone()))
}

fn log_import(base: &BaseParts, roots: Vec<LogRoot>) -> LogImport {
    LogImport {
        ledger: base.ledger.clone(),
        prices: Arc::clone(&base.prices),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        tasks: base.tasks.clone(),
        roots: Arc::new(roots),
        latest: Arc::default(),
    }
}

fn assemble_backends(base: &BaseParts, own_clients: OwnClients) -> BackendParts {
    let settings = base.settings.current();
    let connect = Duration::from_millis(settings.gateway.connect_timeout_ms);
    let network = Arc::new(HttpUpstream::new(connect));
    let mock = Arc::new(MockUpstream::new(Arc::clone(&base.clock)));
    let saver = EndpointSaver::with_registry(
        base.ledger.clone(),
        Arc::clone(&base.clock),
        &*base.entropy,
        base.events.clone(),
    );
    let registry = saver.registry();
    let access_tokens = Arc::new(AccessTokens::new(
        base.vault.clone(),
        network.clone(),
        Arc::clone(&base.clock),
        Arc::clone(&base.settings),
        Arc::clone(&registry),
    ));
    let keys =
        Arc::new(KeyStatuses::new(Arc::clone(&registry), base.ledger.clone(), access_tokens));
    let models = Arc::new(ModelCatalogue::new(Arc::clone(&base.settings), base.mock.clone()));
    let response_cache = Arc::new(response_cache(base));
    let snapshots = Arc::new(SnapshotStore {
        settings: Arc::clone(&base.settings),
        models: Arc::clone(&models),
        response_cache: Arc::clone(&response_cache),
        registry: Arc::clone(&registry),
        prices: Arc::clone(&base.prices),
        clock: Arc::clone(&base.clock),
        mock: base.mock.clone(),
        own_clients,
        current: Arc::new(ArcSwap::from_pointee(snapshot::empty(
            base.prices.load_full(),
            base.started,
        ))),
    });
    let health = Arc::new(monitor_parts::health_watch(base, network.clone(), &registry));
    let prober = Arc::new(BackendProber {
        snapshots: Arc::clone(&snapshots),
        models: Arc::clone(&models),
        settings: Arc::clone(&base.settings),
        network: network.clone(),
        mock_upstream: mock.clone(),
        mock: base.mock.clone(),
        saver: Arc::clone(&saver),
        registry: Arc::clone(&registry),
        keys: Arc::clone(&keys),
        health: Arc::clone(&health),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        starts: Arc::clone(&base.starts),
    });
    BackendParts {
        network,
        mock,
        saver,
        registry,
        keys,
        models,
        response_cache,
        snapshots,
        health,
        prober,
    }
}

fn response_cache(base: &BaseParts) -> ResponseCache {
    ResponseCache {
        folders: base.folders.clone(),
        clock: Arc::clone(&base.clock),
        settings: Arc::clone(&base.settings),
        vault: base.vault.clone(),
        prices: Arc::clone(&base.prices),
        events: base.events.clone(),
        tasks: base.tasks.clone(),
        open: Mutex::default(),
        backends: Mutex::default(),
    }
}

fn key_scanner(
    base: &BaseParts,
    client_wiring: &ClientWiring,
    environment: Arc<EnvStore>,
) -> Arc<KeyScanner> {
    Arc::new(KeyScanner {
        home: client_wiring.environment.as_ref().map(|environment| environment.home.clone()),
        settings: Arc::clone(&base.settings),
        vault: base.vault.clone(),
        environment,
    })
}

fn key_copies(
    base: &BaseParts,
    key_scanner: &Arc<KeyScanner>,
    measured: &Arc<MeasurementWatch>,
) -> KeyCopies {
    KeyCopies {
        scanner: Arc::clone(key_scanner),
        settings: Arc::clone(&base.settings),
        vault: base.vault.clone(),
        measured: Arc::clone(measured),
        clock: Arc::clone(&base.clock),
        state_folder: base.folders.state.clone(),
    }
}

fn backup_archives(
    base: &BaseParts,
    ledger_watch: &Arc<LedgerWatch>,
    settings: &Arc<SettingsEditor>,
    budgets: &Arc<BudgetWatch>,
    alerts: &Arc<AlertWatch>,
) -> BackupArchives {
    BackupArchives {
        folders: base.folders.clone(),
        ledger: base.ledger.clone(),
        ledger_watch: Arc::clone(ledger_watch),
        settings: Arc::clone(settings),
        budgets: Arc::clone(budgets),
        alerts: Arc::clone(alerts),
        prices: Arc::clone(&base.prices),
        vault: base.vault.clone(),
        clock: Arc::clone(&base.clock),
        version: VERSION,
        events: base.events.clone(),
        working: tokio::sync::Mutex::default(),
        cancelled: Arc::default(),
    }
}

fn vault_switch(base: &BaseParts, backends: &BackendParts, vault: OpenVault) -> Arc<VaultSwitch> {
    Arc::new(VaultSwitch {
        vault: base.vault.clone(),
        opener: vault.opener,
        forced: vault.forced,
        change_lock: RwLock::default(),
        settings: Arc::clone(&base.settings),
        keys: Arc::clone(&backends.keys),
        health: Arc::clone(&backends.health),
        events: base.events.clone(),
        tasks: base.tasks.clone(),
    })
}

fn control_server(base: &BaseParts, owner: OwnerLock) -> ControlServer {
    ControlServer {
        owner,
        folders: base.folders.clone(),
        clock: Arc::clone(&base.clock),
        entropy: Arc::clone(&base.entropy),
        tasks: base.tasks.clone(),
        panel: Mutex::default(),
        served: OnceCell::new(),
    }
}

fn service_watch(base: &BaseParts, backends: &BackendParts) -> Arc<ServiceWatch> {
    Arc::new(ServiceWatch {
        monitor: monitor_parts::monitor(base),
        settings: Arc::clone(&base.settings),
        network: backends.network.clone(),
        registry: Arc::clone(&backends.registry),
        keys: Arc::clone(&backends.keys),
        ledger: base.ledger.clone(),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        gate: Arc::clone(&backends.health.gate),
        accounts: Mutex::default(),
        applied: Mutex::default(),
    })
}

fn settings_editor(
    base: &BaseParts,
    backends: &BackendParts,
    services: &Arc<ServiceWatch>,
    budgets: &Arc<BudgetWatch>,
    vault_switch: &Arc<VaultSwitch>,
    gateway: &Arc<GatewayServer>,
) -> Arc<SettingsEditor> {
    Arc::new_cyclic(|own| SettingsEditor {
        own: Weak::clone(own),
        store: Arc::clone(&base.settings),
        vault_switch: Arc::clone(vault_switch),
        response_cache: Arc::clone(&backends.response_cache),
        snapshots: Arc::clone(&backends.snapshots),
        saver: Arc::clone(&backends.saver),
        health: Arc::clone(&backends.health),
        services: Arc::clone(services),
        budgets: Arc::clone(budgets),
        ledger: base.ledger.clone(),
        gateway: Arc::clone(gateway),
        events: base.events.clone(),
        mock: base.mock.clone(),
        applying: Mutex::default(),
        fix_file: base.folders.settings_fix_file(),
    })
}

fn readiness_runs(
    base: &BaseParts,
    backends: &BackendParts,
    ledger_watch: &Arc<LedgerWatch>,
    gateway: &Arc<GatewayServer>,
    (key_scanner, client_wiring, alerts, prices, states): (
        &Arc<KeyScanner>,
        &ClientWiring,
        &Arc<AlertWatch>,
        &Arc<PriceEditor>,
        &Arc<BackendStates>,
    ),
    token: &NewToken,
) -> ReadinessRuns {
    ReadinessRuns {
        ledger: base.ledger.clone(),
        clock: Arc::clone(&base.clock),
        entropy: Arc::clone(&base.entropy),
        events: base.events.clone(),
        tasks: base.tasks.clone(),
        settings: Arc::clone(&base.settings),
        snapshots: Arc::clone(&backends.snapshots),
        environment: Arc::new(EngineEnvironment {
            data_folder: base.folders.data.clone(),
            settings: Arc::clone(&base.settings),
            vault: base.vault.clone(),
            ledger: base.ledger.clone(),
            ledger_watch: Arc::clone(ledger_watch),
            gateway: Arc::clone(gateway),
            prober: Arc::clone(&backends.prober),
            key_scanner: Arc::clone(key_scanner),
            alerts: Arc::clone(alerts),
            prices: Arc::clone(prices),
            states: Arc::clone(states),
            clock: Arc::clone(&base.clock),
            client_wiring: client_wiring.clone(),
            token: token.secret.clone(),
        }),
        active: Arc::default(),
    }
}

fn notifications(
    base: &BaseParts,
    channel: Option<Arc<dyn NotificationChannel>>,
) -> Arc<Notifications> {
    Arc::new(Notifications::new(channel, base.events.clone()))
}

fn service_level_watch(
    base: &BaseParts,
    backends: &BackendParts,
    services: &Arc<ServiceWatch>,
    gateway: &Arc<GatewayServer>,
) -> Arc<ServiceLevelWatch> {
    let observer = TimeObserver {
        health: Arc::clone(&backends.health),
        services: Arc::clone(services),
        registry: Arc::clone(&backends.registry),
        settings: Arc::clone(&base.settings),
        ledger: base.ledger.clone(),
        clock: Arc::clone(&base.clock),
        mock: base.mock.clone(),
        gateway: Arc::clone(gateway),
        state: Mutex::default(),
    };
    Arc::new(ServiceLevelWatch {
        observer: Arc::new(observer),
        settings: Arc::clone(&base.settings),
        ledger: base.ledger.clone(),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        latest: Mutex::default(),
    })
}

fn measurement_watch(
    base: &BaseParts,
    budgets: &Arc<BudgetWatch>,
    ledger_watch: &Arc<LedgerWatch>,
    cost_reports: &Arc<CostReports>,
    key_scanner: &Arc<KeyScanner>,
) -> Arc<MeasurementWatch> {
    Arc::new(MeasurementWatch {
        settings: Arc::clone(&base.settings),
        ledger: base.ledger.clone(),
        ledger_watch: Arc::clone(ledger_watch),
        budgets: Arc::clone(budgets),
        cost_reports: Arc::clone(cost_reports),
        key_scanner: Arc::clone(key_scanner),
        clock: Arc::clone(&base.clock),
        scanned: Mutex::default(),
        latest: Mutex::default(),
    })
}

fn local_resources(
    base: &BaseParts,
    backends: &BackendParts,
    ledger_watch: &Arc<LedgerWatch>,
) -> Arc<LocalResources> {
    let mut reader = SystemReader::new();
    let read = move || reader.as_mut().map(SystemReader::read).unwrap_or_default();
    Arc::new(LocalResources {
        settings: Arc::clone(&base.settings),
        registry: Arc::clone(&backends.registry),
        health: Arc::clone(&backends.health),
        ledger: base.ledger.clone(),
        ledger_watch: Arc::clone(ledger_watch),
        starts: Arc::clone(&base.starts),
        clock: Arc::clone(&base.clock),
        mock: base.mock.clone(),
        state: Mutex::new(SamplerState::new(Box::new(read))),
    })
}

fn metrics_exporter(
    base: &BaseParts,
    states: &Arc<BackendStates>,
    measured: &MeasurementWatch,
    (alerts, local, models): (&Arc<AlertWatch>, &Arc<LocalResources>, &Arc<ModelNames>),
) -> Arc<MetricsExporter> {
    Arc::new(MetricsExporter {
        settings: Arc::clone(&base.settings),
        states: Arc::clone(states),
        budgets: Arc::clone(&measured.budgets),
        ledger: Arc::clone(&measured.ledger_watch),
        alerts: Arc::clone(alerts),
        local: Arc::clone(local),
        clock: Arc::clone(&base.clock),
        mock: base.mock.clone(),
        traffic: TrafficMetrics::new(Arc::clone(models)),
    })
}

fn telemetry(base: &BaseParts, backends: &BackendParts, models: Arc<ModelNames>) -> Arc<Telemetry> {
    Arc::new(Telemetry::new(TelemetryParts {
        settings: Arc::clone(&base.settings),
        vault: base.vault.clone(),
        network: backends.network.clone(),
        clock: Arc::clone(&base.clock),
        entropy: Arc::clone(&base.entropy),
        models,
        version: VERSION,
    }))
}

fn alert_watch(
    base: &BaseParts,
    backends: &BackendParts,
    watched: (&Arc<ServiceWatch>, &Arc<GatewayServer>, &Arc<ServiceLevelWatch>),
    judged: Judged,
    notifications: &Arc<Notifications>,
) -> Arc<AlertWatch> {
    let (services, gateway, service_levels) = watched;
    let Judged { measured, quality, states, local, balances } = judged;
    Arc::new(AlertWatch {
        sources: AlertSources {
            settings: Arc::clone(&base.settings),
            snapshots: Arc::clone(&backends.snapshots),
            registry: Arc::clone(&backends.registry),
            health: Arc::clone(&backends.health),
            services: Arc::clone(services),
            states,
            keys: Arc::clone(&backends.keys),
            budgets: Arc::clone(&measured.budgets),
            gateway: Arc::clone(gateway),
            ledger: Arc::clone(&measured.ledger_watch),
            service_levels: Arc::clone(service_levels),
            measured,
            quality,
            local,
            balances,
            vault: base.vault.clone(),
            clock: Arc::clone(&base.clock),
            mock: base.mock.clone(),
        },
        notifications: Arc::clone(notifications),
        channels: Arc::new(MessageChannels {
            settings: Arc::clone(&base.settings),
            vault: base.vault.clone(),
            network: backends.network.clone(),
        }),
        tasks: base.tasks.clone(),
        settings: Arc::clone(&base.settings),
        ledger: base.ledger.clone(),
        clock: Arc::clone(&base.clock),
        events: base.events.clone(),
        book: Mutex::default(),
        unsaved: Mutex::default(),
        saving: Mutex::default(),
        changing: tokio::sync::Mutex::default(),
        changed: tokio::sync::Notify::new(),
    })
}

fn playground(
    base: &BaseParts,
    routes: &Arc<RouteExplainer>,
    gateway: &Arc<GatewayServer>,
    tokens: &OwnTokens,
) -> Arc<Playground> {
    let host = EnginePlaygroundHost {
        gateway: Arc::clone(gateway),
        routes: Arc::clone(routes),
        settings: Arc::clone(&base.settings),
        events: base.events.clone(),
        tasks: base.tasks.clone(),
        user_token: tokens.playground.secret.clone(),
        health_token: tokens.health.secret.clone(),
    };
    Playground::new(
        Box::new(host),
        base.ledger.clone(),
        Arc::clone(&base.clock),
        Arc::clone(&base.entropy),
        base.tasks.stop_token(),
    )
}
