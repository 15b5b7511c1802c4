//! Which program each client called with last, by its `User-Agent`. Kept over restarts in a file of the state
//! folder, since a client may rest for weeks.

use std::collections::HashMap;
use std::path::PathBuf;

use domain::{ClientId, ClientProgram};
use parking_lot::Mutex;
use private_files::write_atomic;
use settings::ENTRIES_MAX;

/// Longest file that is read; as many clients as there can be take less.
const FILE_BYTES_MAX: u64 = 262_144;

pub(crate) struct ClientPrograms {
    file: PathBuf,
    state: Mutex<ProgramState>,
}

#[derive(Default)]
struct ProgramState {
    by_client: HashMap<ClientId, ClientProgram>,
    is_saved: bool,
}

impl ClientPrograms {
    /// What cannot be read is not known; the file is written anew.
    pub(crate) fn open(file: PathBuf) -> Self {
        let is_ours = file.metadata().is_ok_and(|found| found.len() <= FILE_BYTES_MAX);
        let text = is_ours.then(|| std::fs::read(&file).ok()).flatten().unwrap_or_default();
        let by_client = serde_json::from_slice(&text).unwrap_or_default();
        Self { file, state: Mutex::new(ProgramState { by_client, is_saved: true }) }
    }

    pub(crate) fn record(&self, client: &ClientId, program: ClientProgram) {
        let mut state = self.state.lock();
        let is_known = state.by_client.contains_key(client);
        if state.by_client.get(client) == Some(&program)
            || (!is_known && state.by_client.len() >= ENTRIES_MAX)
        {
            return;
        }
        state.by_client.insert(client.clone(), program);
        state.is_saved = false;
    }

    pub(crate) fn find(&self, client: &ClientId) -> Option<ClientProgram> {
        self.state.lock().by_client.get(client).cloned()
    }

    pub(crate) fn forget(&self, client: &ClientId) {
        let mut state = self.state.lock();
        if state.by_client.remove(client).is_some() {
            state.is_saved = false;
        }
    }

    pub(crate) fn is_saved(&self) -> bool {
        self.state.lock().is_saved
    }

    /// Writes the file if something changed. Blocks while it does.
    pub(crate) fn save(&self) {
        let text = {
            let mut state = self.state.lock();
            if std::mem::replace(&mut state.is_saved, true) {
                return;
            }
            serde_json::to_vec(&state.by_client)
        };
        let text = text.map_err(std::io::Error::from);
        if let Err(error) = text.and_then(|text| write_atomic(&self.file, &text)) {
            tracing::warn!(%error, "the programs of clients could not be saved");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: usize) -> ClientId {
        ClientId::new(format!("c{number}")).expect("an id")
    }

    fn program(version: &str) -> ClientProgram {
        ClientProgram::from_user_agent(&format!("tool/{version}")).expect("a program")
    }

    #[test]
    fn the_last_program_of_a_client_survives_a_restart_until_it_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("client-programs.json");
        let open = || ClientPrograms::open(file.clone());
        let programs = open();
        programs.save();
        assert!(!file.exists(), "nothing to save");
        programs.record(&client(1), program("1.0"));
        programs.record(&client(1), program("1.1"));
        programs.record(&client(2), program("2.0"));
        assert_eq!(open().find(&client(1)), None, "not saved yet");
        programs.save();
        let again = open();
        assert_eq!(again.find(&client(1)), Some(program("1.1")));
        again.forget(&client(1));
        again.save();
        assert_eq!(
            (open().find(&client(1)), open().find(&client(2))),
            (None, Some(program("2.0")))
        );
        write_atomic(&file, b"{").expect("written");
        assert_eq!(open().find(&client(2)), None, "a broken file is not known");
    }

    #[test]
    fn no_more_clients_are_kept_than_there_can_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let programs = ClientPrograms::open(folder.path().join("client-programs.json"));
        (0..=ENTRIES_MAX).for_each(|number| programs.record(&client(number), program("1.0")));
        assert_eq!(programs.find(&client(ENTRIES_MAX)), None);
        programs.record(&client(0), program("1.1"));
        assert_eq!(programs.find(&client(0)), Some(program("1.1")));
    }
}
