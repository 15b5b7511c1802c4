//! The engine: a list of its parts. `assemble` builds them, [`start`](crate::start) starts and stops them.

use std::fmt;
use std::sync::Arc;

use domain::{BackendId, Clock, Entropy, WallTime};
use endpoints::EndpointRegistry;
use gateway::{HttpUpstream, MockUpstream};
use ledger::Ledger;
use playground::Playground;
use pricing::PriceBook;
use settings::{Settings, SettingsStore};
use vault::Vault;

use crate::Folders;
use crate::alerts::history::AlertHistory;
use crate::alerts::measurements::MeasurementWatch;
use crate::alerts::notifications::Notifications;
use crate::alerts::watch::AlertWatch;
use crate::backups::archives::BackupArchives;
use crate::budgets::watch::BudgetWatch;
use crate::clients::activity::ClientActivity;
use crate::control_server::ControlServer;
use crate::costs::log_import::LogImport;
use crate::costs::price_editor::PriceEditor;
use crate::costs::prices_in_use::PricesInUse;
use crate::costs::reports::CostReports;
use crate::events::EventBus;
use crate::gateway::model_catalogue::ModelCatalogue;
use crate::gateway::response_cache::ResponseCache;
use crate::gateway::route_explainer::RouteExplainer;
use crate::gateway::server::GatewayServer;
use crate::gateway::snapshot::SnapshotStore;
use crate::health::backend_states::BackendStates;
use crate::health::backend_watch::HealthWatch;
use crate::health::endpoint_saver::EndpointSaver;
use crate::health::probe::BackendProber;
use crate::health::quality_watch::QualityWatch;
use crate::health::service_level_watch::ServiceLevelWatch;
use crate::health::service_watch::ServiceWatch;
use crate::keys::balances::KeyBalances;
use crate::keys::copies::KeyCopies;
use crate::keys::provider_check::ProviderKeyCheck;
use crate::keys::scanner::KeyScanner;
use crate::keys::statuses::KeyStatuses;
use crate::keys::vault_switch::VaultSwitch;
use crate::ledger_file::watch::LedgerWatch;
use crate::process::local_resources::LocalResources;
use crate::process::platform::Platform;
use crate::process::start_trace::StartTraces;
use crate::process::tasks::Tasks;
use crate::process::web_view::WebView;
use crate::readiness::runs::ReadinessRuns;
use crate::settings_editor::SettingsEditor;
use crate::telemetry::collector::Telemetry;
use crate::telemetry::metrics_exporter::MetricsExporter;
use crate::wiring::client_wiring::ClientWiring;
use crate::wiring::tool_watch::ToolWatch;
use crate::wiring::trouble::WiringExpectation;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The core of Gatehouse. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) parts: Arc<EngineParts>,
}

/// In the order in which they are built: each part may hold those above it.
pub(crate) struct EngineParts {
    pub(crate) base: BaseParts,
    pub(crate) backends: BackendParts,
    pub(crate) clients: Arc<ClientActivity>,
    pub(crate) budgets: Arc<BudgetWatch>,
    pub(crate) ledger_watch: Arc<LedgerWatch>,
    pub(crate) gateway: Arc<GatewayServer>,
    pub(crate) vault_switch: Arc<VaultSwitch>,
    pub(crate) settings_editor: Arc<SettingsEditor>,
    pub(crate) routes: Arc<RouteExplainer>,
    pub(crate) key_scanner: Arc<KeyScanner>,
    pub(crate) key_copies: KeyCopies,
    pub(crate) client_wiring: ClientWiring,
    pub(crate) tool_watch: Arc<ToolWatch>,
    pub(crate) readiness: ReadinessRuns,
    pub(crate) log_import: LogImport,
    pub(crate) notifications: Arc<Notifications>,
    pub(crate) alerts: Arc<AlertWatch>,
    pub(crate) alert_history: AlertHistory,
    pub(crate) measured: Arc<MeasurementWatch>,
    pub(crate) quality: Arc<QualityWatch>,
    pub(crate) states: Arc<BackendStates>,
    pub(crate) local: Arc<LocalResources>,
    pub(crate) web_view: WebView,
    pub(crate) platform: Arc<Platform>,
    pub(crate) service_levels: Arc<ServiceLevelWatch>,
    pub(crate) services: Arc<ServiceWatch>,
    pub(crate) playground: Arc<Playground>,
    pub(crate) price_editor: Arc<PriceEditor>,
    pub(crate) cost_reports: Arc<CostReports>,
    pub(crate) key_balances: Arc<KeyBalances>,
    pub(crate) provider_key_check: ProviderKeyCheck,
    pub(crate) backup_archives: BackupArchives,
    pub(crate) metrics: Arc<MetricsExporter>,
    pub(crate) telemetry: Arc<Telemetry>,
    /// Last, since it holds the data folder's lock: it is dropped after the ledger is closed.
    pub(crate) control: ControlServer,
}

/// What almost every part is built from.
pub(crate) struct BaseParts {
    pub(crate) folders: Folders,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) started: WallTime,
    pub(crate) starts: Arc<StartTraces>,
    /// Id of the built-in mock.
    pub(crate) mock: BackendId,
    pub(crate) events: EventBus,
    pub(crate) tasks: Tasks,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    pub(crate) ledger: Ledger,
    pub(crate) prices: PricesInUse,
    /// True while no route leads off this machine.
    pub(crate) is_offline: fn() -> bool,
}

/// What is known of the backends, and how they are asked.
pub(crate) struct BackendParts {
    pub(crate) network: Arc<HttpUpstream>,
    pub(crate) mock: Arc<MockUpstream>,
    pub(crate) saver: Arc<EndpointSaver>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) models: Arc<ModelCatalogue>,
    pub(crate) response_cache: Arc<ResponseCache>,
    pub(crate) snapshots: Arc<SnapshotStore>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) prober: Arc<BackendProber>,
}

impl Engine {
    #[must_use]
    pub fn folders(&self) -> &Folders {
        &self.parts.base.folders
    }

    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.parts.base.clock
    }

    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.parts.base.entropy
    }

    #[must_use]
    pub fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.parts.base.clock)
    }

    #[must_use]
    pub fn shared_entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.parts.base.entropy)
    }

    #[must_use]
    pub fn started(&self) -> WallTime {
        self.parts.base.started
    }

    /// Id of the built-in mock.
    #[must_use]
    pub fn mock_id(&self) -> &BackendId {
        &self.parts.base.mock
    }

    #[must_use]
    pub fn events(&self) -> &EventBus {
        &self.parts.base.events
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.parts.base.settings.current()
    }

    #[must_use]
    pub fn settings_editor(&self) -> &SettingsEditor {
        &self.parts.settings_editor
    }

    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.parts.base.vault
    }

    #[must_use]
    pub fn vault_switch(&self) -> &VaultSwitch {
        &self.parts.vault_switch
    }

    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.parts.base.ledger
    }

    #[must_use]
    pub fn ledger_watch(&self) -> &LedgerWatch {
        &self.parts.ledger_watch
    }

    #[must_use]
    pub fn prices(&self) -> Arc<PriceBook> {
        self.parts.base.prices.load_full()
    }

    /// Reads anew what the alerts are judged by, instead of in some minutes.
    pub async fn measure_again(&self) {
        self.parts.measured.evaluate().await;
        self.parts.service_levels.evaluate().await;
        self.parts.quality.evaluate().await;
    }

    /// Whether backends can be used now, and how well they answer.
    #[must_use]
    pub fn backend_states(&self) -> &BackendStates {
        &self.parts.states
    }

    /// How well backends answer.
    #[must_use]
    pub fn quality(&self) -> &QualityWatch {
        &self.parts.quality
    }

    #[must_use]
    pub fn price_editor(&self) -> &PriceEditor {
        &self.parts.price_editor
    }

    #[must_use]
    pub fn cost_reports(&self) -> &CostReports {
        &self.parts.cost_reports
    }

    #[must_use]
    pub fn key_balances(&self) -> &Arc<KeyBalances> {
        &self.parts.key_balances
    }

    #[must_use]
    pub fn provider_key_check(&self) -> &ProviderKeyCheck {
        &self.parts.provider_key_check
    }

    #[must_use]
    pub fn backup_archives(&self) -> &BackupArchives {
        &self.parts.backup_archives
    }

    /// Endpoint state at this moment.
    #[must_use]
    pub fn endpoint_registry(&self) -> &EndpointRegistry {
        &self.parts.backends.registry
    }

    #[must_use]
    pub fn keys(&self) -> &KeyStatuses {
        &self.parts.backends.keys
    }

    #[must_use]
    pub fn budgets(&self) -> &BudgetWatch {
        &self.parts.budgets
    }

    #[must_use]
    pub fn clients(&self) -> &ClientActivity {
        &self.parts.clients
    }

    #[must_use]
    pub fn model_catalogue(&self) -> &ModelCatalogue {
        &self.parts.backends.models
    }

    #[must_use]
    pub fn response_cache(&self) -> &ResponseCache {
        &self.parts.backends.response_cache
    }

    #[must_use]
    pub fn snapshots(&self) -> &SnapshotStore {
        &self.parts.backends.snapshots
    }

    #[must_use]
    pub fn health_watch(&self) -> &HealthWatch {
        &self.parts.backends.health
    }

    #[must_use]
    pub fn prober(&self) -> &BackendProber {
        &self.parts.backends.prober
    }

    #[must_use]
    pub fn gateway(&self) -> &GatewayServer {
        &self.parts.gateway
    }

    #[must_use]
    pub fn control(&self) -> &ControlServer {
        &self.parts.control
    }

    #[must_use]
    pub fn routes(&self) -> &RouteExplainer {
        &self.parts.routes
    }

    #[must_use]
    pub fn key_scanner(&self) -> &KeyScanner {
        &self.parts.key_scanner
    }

    #[must_use]
    pub fn key_copies(&self) -> &KeyCopies {
        &self.parts.key_copies
    }

    #[must_use]
    pub fn client_wiring(&self) -> &ClientWiring {
        &self.parts.client_wiring
    }

    #[must_use]
    pub fn tool_watch(&self) -> &ToolWatch {
        &self.parts.tool_watch
    }

    /// What the files of wired tools should say now.
    #[must_use]
    pub fn wiring_expectation(&self) -> WiringExpectation {
        self.client_wiring().expectation(&self.settings(), self.gateway().address())
    }

    #[must_use]
    pub fn readiness(&self) -> &ReadinessRuns {
        &self.parts.readiness
    }

    #[must_use]
    pub fn log_import(&self) -> &LogImport {
        &self.parts.log_import
    }

    #[must_use]
    pub fn notifications(&self) -> &Notifications {
        &self.parts.notifications
    }

    #[must_use]
    pub fn alerts(&self) -> &Arc<AlertWatch> {
        &self.parts.alerts
    }

    #[must_use]
    pub fn alert_history(&self) -> &AlertHistory {
        &self.parts.alert_history
    }

    #[must_use]
    pub fn service_levels(&self) -> &ServiceLevelWatch {
        &self.parts.service_levels
    }

    /// What this program and its machine use, and how its starts went.
    #[must_use]
    pub fn local_resources(&self) -> &LocalResources {
        &self.parts.local
    }

    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.parts.platform
    }

    #[must_use]
    pub fn web_view(&self) -> &WebView {
        &self.parts.web_view
    }

    #[must_use]
    pub fn services(&self) -> &ServiceWatch {
        &self.parts.services
    }

    #[must_use]
    pub fn metrics(&self) -> &MetricsExporter {
        &self.parts.metrics
    }

    #[must_use]
    pub fn telemetry(&self) -> &Telemetry {
        &self.parts.telemetry
    }

    #[must_use]
    pub fn playground(&self) -> &Arc<Playground> {
        &self.parts.playground
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("folders", &self.parts.base.folders).finish_non_exhaustive()
    }
}
