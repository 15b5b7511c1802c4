//! Facts of this engine for the readiness checks, without judgement.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    AlertChannel, BackendId, Clock, CredentialId, DAY_MS, HealthState, NanoUsd, Secret, WallTime,
};
use gateway::{LoopbackCall, loopback_call};
use ledger::{Ledger, UnpricedModel};
use monitor::HealthFinding;
use readiness::{
    AlertChannelFacts, BackendModelFacts, BackendNeed, BackendTarget, ChannelTestFacts,
    ChannelTestResult, CheckInputs, ConnectedToolFacts, CredentialFacts, DataFolderFacts,
    DegradedFacts, GatewayCall, GatewayReply, LedgerFacts, LedgerProblemFacts, PaidBackendFacts,
    PlainKeyFacts, PriceFacts, ProblemSeverity, ReadinessEnvironment, ServedFacts, ServingBackend,
    SettingsProblem, SimulatedCaller, VaultFacts, VaultTestResult,
};
use routing::{ModelSet, ServedModels};
use settings::{Settings, SettingsStore, Severity};
use vault::{Vault, VaultError};
use wiring::{ToolStatus, WiredTool};

use crate::alerts::watch::AlertWatch;
use crate::configured::backend_labels;
use crate::costs::price_editor::PriceEditor;
use crate::gateway::server::GatewayServer;
use crate::health::backend_states::{BackendDegradation, BackendStates, DegradedBy};
use crate::health::probe::BackendProber;
use crate::keys::scanner::{KeyScanPlaces, KeyScanner};
use crate::ledger_file::problem::LedgerSeverity;
use crate::ledger_file::watch::LedgerWatch;
use crate::wiring::client_wiring::ClientWiring;
use crate::wiring::trouble::WiringExpectation;

/// Age of the requests that the checks look at: whose models must have a price, and what they cost.
const MONTH_DAYS: i64 = 30;
/// A model of the mock that answers immediately.
const MOCK_MODEL: &str = "mock/echo";

/// What the checks ask about this engine.
pub(crate) struct EngineEnvironment {
    pub(crate) data_folder: PathBuf,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    pub(crate) ledger: Ledger,
    pub(crate) ledger_watch: Arc<LedgerWatch>,
    pub(crate) gateway: Arc<GatewayServer>,
    pub(crate) prober: Arc<BackendProber>,
    pub(crate) key_scanner: Arc<KeyScanner>,
    pub(crate) alerts: Arc<AlertWatch>,
    pub(crate) prices: Arc<PriceEditor>,
    pub(crate) states: Arc<BackendStates>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) client_wiring: ClientWiring,
    /// Token of the checks; in memory only and new at each start.
    pub(crate) token: Secret,
}

/// The backends and clients to check. A backend is required if nothing else answers some of what
/// `served` holds.
pub(crate) fn check_inputs(settings: &Settings, served: &[ServedModels]) -> CheckInputs {
    let is_enabled = |id: &BackendId| settings.is_backend_on(id);
    let is_required = |id| served.iter().any(|models| models.require(id, is_enabled));
    let backends = settings
        .backends_on()
        .map(|(id, known)| BackendTarget {
            backend: id.clone(),
            label: known.label.clone(),
            credential: known.credential().cloned(),
            need: if is_required(id) { BackendNeed::Required } else { BackendNeed::Optional },
        })
        .collect();
    CheckInputs { mock_model: MOCK_MODEL.to_owned(), backends, clients: settings.clients.len() }
}

#[async_trait]
impl ReadinessEnvironment for EngineEnvironment {
    async fn data_folder(&self) -> DataFolderFacts {
        let folder = self.data_folder.clone();
        let look = tokio::task::spawn_blocking(move || test_data_folder(&folder));
        look.await.unwrap_or_else(|error| DataFolderFacts {
            path: self.data_folder.display().to_string(),
            writable: Err(error.to_string()),
            free_bytes: None,
        })
    }

    async fn settings_problems(&self) -> Vec<SettingsProblem> {
        let problems = self.settings.problems().into_iter();
        let fact = |problem: settings::FileProblem| SettingsProblem {
            severity: match problem.severity {
                Severity::Error => ProblemSeverity::Error,
                Severity::Warning => ProblemSeverity::Warning,
            },
            message: match problem.path.as_str() {
                "" => problem.what,
                path => format!("{path}: {}", problem.what),
            },
            fix: problem.hint,
        };
        problems.map(fact).collect()
    }

    async fn plain_keys(&self) -> Result<PlainKeyFacts, String> {
        let places = KeyScanPlaces { known_files: true, ..KeyScanPlaces::default() };
        let scan = self.key_scanner.scan(places).await.map_err(|error| error.to_string())?;
        let place = |place: &key_scan::KeyPlace| {
            let path = self.key_scanner.short_path(&place.path);
            match &place.name {
                Some(name) => format!("{path} line {}: {name}", place.line),
                None => format!("{path} line {}", place.line),
            }
        };
        let places = scan.keys.iter().flat_map(|found| &found.key.places).map(place).collect();
        Ok(PlainKeyFacts { keys: scan.keys.len(), places, files: scan.files })
    }

    async fn connected_tools(&self) -> Result<Vec<ConnectedToolFacts>, String> {
        let expected =
            self.client_wiring.expectation(&self.settings.current(), self.gateway.address());
        let tools = self.client_wiring.list().await.map_err(|error| error.to_string())?;
        let programs = self.client_wiring.agent_programs().await;
        let programs = programs.map_err(|error| error.to_string())?;
        let tools = tools.iter().filter(|status| status.is_recorded);
        let programs = programs.iter().filter(|status| status.is_recorded);
        let tools = tools.map(|status| tool_facts(&expected, status, "clients wire"));
        let programs = programs.map(|status| tool_facts(&expected, status, "mcp install"));
        Ok(tools.chain(programs).collect())
    }

    async fn ledger(&self) -> LedgerFacts {
        let integrity = match self.ledger.check_integrity().await {
            Ok(report) if report.is_sound() => Ok(()),
            Ok(report) => Err(report.problems.join("; ")),
            Err(error) => Err(error.to_string()),
        };
        // Opening upgrades an older file and refuses a newer one.
        let version = ledger::schema_version();
        let problems = self.ledger_watch.problems().into_iter().map(|problem| LedgerProblemFacts {
            title: lowercase_first_letter(&problem.title),
            fix: problem.detail,
            severity: match problem.severity {
                LedgerSeverity::Problem => ProblemSeverity::Error,
                LedgerSeverity::Attention => ProblemSeverity::Warning,
            },
        });
        LedgerFacts {
            integrity,
            problems: problems.collect(),
            schema_found: version,
            schema_expected: version,
        }
    }

    async fn vault(&self) -> VaultFacts {
        let test_result = match self.vault.probe().await {
            Ok(()) => VaultTestResult::Kept,
            Err(VaultError::Locked(_)) => VaultTestResult::Locked,
            Err(VaultError::NoCollection | VaultError::Unavailable { .. }) => {
                VaultTestResult::Missing
            }
            Err(VaultError::Hung) => VaultTestResult::Hung,
            Err(VaultError::Damaged(_)) => VaultTestResult::Lost,
            Err(VaultError::ReadOnly) => VaultTestResult::ReadOnly,
            Err(error) => VaultTestResult::Failed(error.to_string()),
        };
        VaultFacts {
            store: self.vault.kind().to_string(),
            needed: self.settings.current().backends_on().any(needs_key),
            test_result,
        }
    }

    async fn gateway_listeners(&self) -> Vec<SocketAddr> {
        self.gateway.sockets()
    }

    async fn call_gateway(&self, call: GatewayCall) -> Result<GatewayReply, String> {
        let mut request = LoopbackCall::to(self.gateway.port(), call.path);
        request = match call.caller {
            SimulatedCaller::Client => request.with_token(&self.token),
            SimulatedCaller::NoToken => request,
            SimulatedCaller::WebPage => {
                request.with_token(&self.token).with_header("origin", "https://page.example")
            }
        };
        if let Some(body) = call.body {
            request = request.with_json(body.into_bytes().into());
        }
        let reply = loopback_call(request).await.map_err(|error| error.to_string())?;
        Ok(GatewayReply { status: reply.status, body: reply.body.to_vec() })
    }

    async fn credential(&self, backend: &BackendId) -> CredentialFacts {
        let settings = self.settings.current();
        if settings.backends.get(backend).is_none_or(|known| known.credential().is_none()) {
            return CredentialFacts::NotNeeded;
        }
        let report = self.prober.probe_now(backend).await;
        let good = report.keys.iter().filter(|key| key.finding == HealthFinding::Answered).count();
        let bad = report.keys.iter().find(|key| key.finding != HealthFinding::Answered);
        if let (1.., Some(bad)) = (good, bad) {
            return CredentialFacts::PartlyAccepted {
                accepted: good,
                keys: report.keys.len(),
                credential: bad.credential.clone(),
                reason: bad.detail.clone(),
            };
        }
        match (report.key_missing, report.finding) {
            (true, _) => CredentialFacts::Missing,
            (_, HealthFinding::Answered) => CredentialFacts::Accepted(report.detail),
            (_, HealthFinding::KeyRejected) => CredentialFacts::Rejected(report.detail),
            (_, HealthFinding::RateLimited) => CredentialFacts::Limited(report.detail),
            (_, HealthFinding::Failed | HealthFinding::LocalFault) => {
                CredentialFacts::Unreachable(report.detail)
            }
        }
    }

    async fn models(&self, backend: &BackendId) -> Result<BackendModelFacts, String> {
        let report = self.prober.probe_now(backend).await;
        match report.models {
            Some(listed) => {
                let wanted =
                    self.settings.current().backends.get(backend).map(|b| b.models.clone());
                Ok(BackendModelFacts { listed, declared: wanted.unwrap_or_default() })
            }
            None => Err(report.detail),
        }
    }

    async fn served(&self) -> Vec<ServedFacts> {
        let labels = backend_labels(&self.settings.current(), &self.prober.mock);
        let health = &self.prober.health;
        let backend = |id: &BackendId| {
            let known = self.states.health(id);
            ServingBackend {
                label: labels.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string()),
                fault: match known.as_ref().map(|known| &known.observed) {
                    _ if !health.is_watched(id) => Some("is off or was removed".to_owned()),
                    Some(found) if found.state == HealthState::Down => {
                        Some(format!("is down ({})", found.reason))
                    }
                    _ => None,
                },
                degraded: known.and_then(|known| known.degraded).as_ref().map(degraded_facts),
            }
        };
        let served = self.prober.snapshots.current().routes.served_models();
        let fact = |served: ServedModels| ServedFacts {
            what: match &served.models {
                ModelSet::Route(id) => format!("the route {id}"),
                ModelSet::Listed(models) if models.len() == 1 => {
                    format!("the model {}", models.concat())
                }
                ModelSet::Listed(models) => format!("{} models", models.len()),
                ModelSet::Unlisted => "models that no backend lists".to_owned(),
            },
            backends: served.backends.iter().map(backend).collect(),
        };
        served.into_iter().map(fact).collect()
    }

    async fn paid_backends(&self) -> Vec<PaidBackendFacts> {
        let settings = self.settings.current();
        let is_covered = |backend: &BackendId, key: &CredentialId| {
            settings.budgets.values().any(|budget| budget.counts_all_of(backend, key))
        };
        // Nobody is billed for a server on this machine, though it may want a key.
        let paid = settings.backends_on().filter(|known| needs_key(*known) && !known.1.is_local());
        let fact = |(id, known): (&BackendId, &settings::BackendSettings)| PaidBackendFacts {
            label: known.label.clone(),
            is_covered: known.pool.credentials().all(|key| is_covered(id, key)),
        };
        paid.map(fact).collect()
    }

    async fn month_cost(&self) -> Result<NanoUsd, String> {
        let now = self.clock.wall();
        let spend = self.ledger.spend(now.minus_ms(MONTH_DAYS * DAY_MS), now).await;
        spend.map(|spend| spend.cost).map_err(|error| error.to_string())
    }

    async fn prices(&self) -> Result<PriceFacts, String> {
        let (now, list_date) = (self.clock.wall(), self.prices.list_date());
        let since = now.minus_ms(MONTH_DAYS * DAY_MS);
        let everything = ledger::DimensionFilter::default();
        let unpriced = self.ledger.unpriced_models(since, now, everything).await;
        let unpriced = unpriced.map_err(|error| error.to_string())?;
        Ok(PriceFacts {
            list_date: list_date.to_day(),
            list_age_days: whole_days(list_date, now),
            unpriced_models: unpriced.iter().map(UnpricedModel::name).collect(),
        })
    }

    async fn alert_channels(&self) -> Vec<AlertChannelFacts> {
        let now = self.clock.wall();
        let fact = |channel: AlertChannel| {
            let test = self.alerts.channel_activity(channel).test;
            let last_test = test.map(|test| ChannelTestFacts {
                days: whole_days(test.at, now),
                result: match (test.failure, test.is_seen) {
                    (Some(reason), _) => ChannelTestResult::Failed(reason),
                    (None, Some(true)) => ChannelTestResult::Seen,
                    (None, Some(false)) => ChannelTestResult::NotSeen,
                    (None, None) => ChannelTestResult::Unanswered,
                },
            });
            AlertChannelFacts { name: channel.word().to_owned(), last_test }
        };
        self.alerts.channels_on().into_iter().map(fact).collect()
    }
}

fn degraded_facts(degraded: &BackendDegradation) -> DegradedFacts {
    DegradedFacts {
        clause: degraded.clause(),
        is_recovering: matches!(degraded.by, DegradedBy::Recovering(_)),
    }
}

/// Whole days from one time to a later one.
fn whole_days(from: WallTime, to: WallTime) -> u64 {
    u64::try_from(to.unix_ms().saturating_sub(from.unix_ms()) / DAY_MS).unwrap_or(0)
}

fn tool_facts<T: WiredTool>(
    expected: &WiringExpectation,
    status: &ToolStatus<T>,
    command: &str,
) -> ConnectedToolFacts {
    ConnectedToolFacts {
        name: status.tool.full_name().to_owned(),
        trouble: expected.find_trouble(status).map(|trouble| trouble.sentence),
        command: format!("gatehouse {command} {}", status.tool.word()),
    }
}

/// Changes the first letter to lower case, for the middle of a sentence.
fn lowercase_first_letter(title: &str) -> String {
    let mut characters = title.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

fn needs_key((_, backend): (&BackendId, &settings::BackendSettings)) -> bool {
    backend.credential().is_some()
}

/// Tests the folder by writing a file.
fn test_data_folder(folder: &Path) -> DataFolderFacts {
    let written = tempfile::NamedTempFile::new_in(folder)
        .and_then(|mut file| file.write_all(b"gatehouse").and_then(|()| file.as_file().sync_all()));
    DataFolderFacts {
        path: folder.display().to_string(),
        writable: written.map_err(|error| error.to_string()),
        free_bytes: fs4::available_space(folder).ok(),
    }
}
