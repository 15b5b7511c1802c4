//! Whether wired tools are still as they were wired: a tool may rewrite its own file at any time, and
//! nobody tells of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use settings::SettingsStore;
use tokio::task::spawn_blocking;
use wiring::{ClientTool, ToolStatus};

use crate::events::EventBus;
use crate::gateway::server::GatewayServer;
use crate::process::tasks::Tasks;
use crate::topic::Topic;
use crate::wiring::client_wiring::ClientWiring;
use crate::wiring::trouble::WiringExpectation;

/// Interval of looking at the tools' files, in seconds. They are read only if one of them is another one.
const LOOK_SECS: u64 = 60;

/// Looks at the files of wired tools in the background.
pub struct ToolWatch {
    pub(crate) wiring: ClientWiring,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) gateway: Arc<GatewayServer>,
    pub(crate) events: EventBus,
    /// Never held while files are looked at: the status reads it, and a home folder may hang.
    pub(crate) seen: Mutex<SeenTools>,
    /// One look at a time, so that an older one replaces no newer one.
    pub(crate) looking: tokio::sync::Mutex<()>,
}

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(crate) struct SeenTools {
    files: Vec<FileStamp>,
    expected: Option<WiringExpectation>,
    drifted: Vec<DriftedTool>,
}

/// A wired tool that is not as it was wired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftedTool {
    pub tool: ClientTool,
    /// What happened and what to do, in a sentence or two.
    pub sentence: String,
}

/// A file without its content. Time and size are None if it cannot be read, as while there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    path: PathBuf,
    written: Option<(SystemTime, u64)>,
}

impl FileStamp {
    fn read(path: PathBuf) -> Self {
        let metadata = path.metadata().ok();
        let written = metadata.and_then(|it| Some((it.modified().ok()?, it.len())));
        Self { path, written }
    }
}

/// The tool's files, and the program that they start.
fn paths_of(status: ToolStatus) -> Vec<PathBuf> {
    let program = status.pointer.program().map(Path::to_owned);
    status.files.into_iter().chain(program).collect()
}

impl ToolWatch {
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (watch, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("wired tools", async move {
            loop {
                watch.look().await;
                if !ticks.sleep(Duration::from_secs(LOOK_SECS)).await {
                    return;
                }
            }
        });
    }

    /// The tools that had drifted at the last look.
    #[must_use]
    pub fn drifted(&self) -> Vec<DriftedTool> {
        self.seen.lock().drifted.clone()
    }

    /// Reads the tools' files if one of them is another one than at the last look, or should be.
    pub async fn look(&self) {
        let _turn = self.looking.lock().await;
        let expected = self.wiring.expectation(&self.settings.current(), self.gateway.address());
        let (known, is_expected) = {
            let seen = self.seen.lock();
            (seen.files.clone(), seen.expected.as_ref() == Some(&expected))
        };
        let paths: Vec<_> = known.iter().map(|file| file.path.clone()).collect();
        // Before the files are read: what is written meanwhile is seen at the next look.
        let stamps = move || paths.into_iter().map(FileStamp::read).collect::<Vec<_>>();
        let Ok(current) = spawn_blocking(stamps).await else { return };
        if is_expected && current == known {
            return;
        }
        let tools = self.wiring.list().await.unwrap_or_default();
        let drifted = tools.iter().filter(|status| status.is_recorded).filter_map(|status| {
            let trouble = expected.find_trouble(status).filter(|found| found.cause.is_some())?;
            Some(DriftedTool { tool: status.tool, sentence: trouble.sentence })
        });
        let drifted: Vec<_> = drifted.collect();
        // A file that was not known yet is another one at the next look.
        let stamp = |path: PathBuf| {
            let known = current.iter().find(|file| file.path == path);
            known.cloned().unwrap_or(FileStamp { path, written: None })
        };
        let files = tools.into_iter().flat_map(paths_of).map(stamp).collect();
        let mut seen = self.seen.lock();
        let is_news = seen.drifted != drifted;
        *seen = SeenTools { files, expected: Some(expected), drifted };
        drop(seen);
        if is_news {
            self.events.send_changed(&[Topic::Clients, Topic::Status]);
        }
    }
}
