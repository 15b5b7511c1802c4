//! Starts a Redis server with a password and a user `app`.

use std::fmt::Write as _;

use test_support::{ServerCertificate, find_program, skip_unless_strict};

use crate::PASSWORD;
use crate::process::{ServerProcess, free_port, quiet};

/// `None` if none is installed; the test is then marked as skipped. With a certificate it takes
/// encrypted connections only.
pub(crate) fn start_redis(certificate: Option<&ServerCertificate>) -> Option<ServerProcess> {
    let Some(program) = ["redis-server", "valkey-server"].into_iter().find_map(find_program) else {
        skip_unless_strict(
            "neither redis-server nor valkey-server is installed (apt install redis-server)",
        );
        return None;
    };
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let mut config = format!(
        "bind 127.0.0.1\ndir {}\nsave \"\"\nappendonly no\nrequirepass {PASSWORD}\n\
         user app on >{PASSWORD} +ping\n",
        folder.path().display()
    );
    let written = match certificate {
        None => writeln!(config, "port {port}"),
        Some(ServerCertificate { chain, key, .. }) => writeln!(
            config,
            "port 0\ntls-port {port}\ntls-auth-clients no\ntls-cert-file {}\ntls-key-file {}",
            chain.display(),
            key.display()
        ),
    };
    written.expect("written");
    let file = folder.path().join("redis.conf");
    std::fs::write(&file, config).expect("written");
    let child = quiet(program).arg(file).spawn().expect("the server starts");
    Some(ServerProcess { child, port, stop: None, _folder: folder })
}
