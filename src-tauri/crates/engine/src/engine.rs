//! The engine: its parts. [`start`](crate::start) assembles them; the other files that name `Engine`
//! hold what needs several parts, and no part may import them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use domain::{BackendId, Clock, Entropy, WallTime};
use endpoints::EndpointRegistry;
use gateway::{HttpUpstream, NewToken, Snapshot};
use ledger::Ledger;
use monitor::{Monitor, NotificationChannel, NotificationPolicy};
use parking_lot::Mutex;
use pricing::PriceBook;
use settings::SettingsStore;
use vault::Vault;

use crate::Folders;
use crate::endpoint_saver::EndpointSaver;
use crate::events::EventBus;
use crate::ledger_watch::LedgerWatch;
use crate::owner::OwnerLock;
use crate::playground_runs::PlaygroundRuns;
use crate::readiness_runs::ReadinessRuns;
use crate::response_cache::ResponseCache;
use crate::serving_state::ServingState;
use crate::statuses::KeyAndClientStatuses;
use crate::tasks::Tasks;
use crate::vault_opener::VaultOpener;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The core of Gatehouse. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) parts: Arc<EngineParts>,
}

pub(crate) struct EngineParts {
    pub(crate) folders: Folders,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: SettingsStore,
    pub(crate) vault: Vault,
    pub(crate) vaults: VaultOpener,
    pub(crate) ledger: Ledger,
    pub(crate) ledger_watch: LedgerWatch,
    pub(crate) prices: Arc<PriceBook>,
    pub(crate) upstream: Arc<HttpUpstream>,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) monitor: Monitor,
    /// What is known of the backends at this moment.
    pub(crate) endpoint_registry: Arc<EndpointRegistry>,
    pub(crate) endpoint_saver: EndpointSaver,
    pub(crate) statuses: KeyAndClientStatuses,
    pub(crate) response_cache: ResponseCache,
    /// Models that backends listed.
    pub(crate) listed_models: Mutex<HashMap<BackendId, Vec<String>>>,
    pub(crate) channel: Option<Arc<dyn NotificationChannel>>,
    pub(crate) notifications: Mutex<NotificationPolicy>,
    pub(crate) focused: AtomicBool,
    pub(crate) runs: ReadinessRuns,
    pub(crate) events: EventBus,
    pub(crate) tasks: Tasks,
    pub(crate) serving: ServingState,
    pub(crate) owner: OwnerLock,
    pub(crate) mock: BackendId,
    /// Token of the readiness checks; kept in memory only and new at each start.
    pub(crate) check_token: NewToken,
    pub(crate) playground: PlaygroundRuns,
    /// Token of the playground; kept in memory only and new at each start.
    pub(crate) playground_token: NewToken,
    pub(crate) started: WallTime,
    pub(crate) request_seen: AtomicBool,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("folders", &self.parts.folders).finish_non_exhaustive()
    }
}
