//! Starts a PostgreSQL server with a cluster of its own, whose only user is `app`.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::{ServerCertificate, find_program, skip_unless_strict};

use crate::PASSWORD;
use crate::process::{ServerProcess, free_port, quiet};

/// User and group.
type Account = (u32, u32);

/// `None` if none is installed; the test is then marked as skipped. With a certificate it takes
/// encrypted connections too.
pub(crate) fn start_postgres(certificate: Option<&ServerCertificate>) -> Option<ServerProcess> {
    let Some(programs) = programs() else {
        skip_unless_strict("PostgreSQL is not installed (apt install postgresql)");
        return None;
    };
    let Ok(account) = server_account() else {
        skip_unless_strict(
            "PostgreSQL refuses to run as root, and the account postgres is missing, which Debian's package adds",
        );
        return None;
    };
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let command = |program: &str| as_account(&programs.join(program), account);
    let own = |path: &Path| {
        if let Some((user, group)) = account {
            chown(path, Some(user), Some(group)).expect("owned");
        }
    };
    own(folder.path());
    let data = folder.path().join("data");
    make_cluster(command("initdb"), &data, own);
    let mut server = command("postgres");
    server.args(["-F", "-h", "127.0.0.1", "-p", &port.to_string()]);
    server.arg("-k").arg(folder.path()).arg("-D").arg(&data);
    if let Some(ServerCertificate { chain, key, .. }) = certificate {
        for (name, from) in [("server.crt", chain), ("server.key", key)] {
            let file = data.join(name);
            std::fs::copy(from, &file).expect("copied");
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("set");
            own(&file);
        }
        server.args(["-c", "ssl=on"]);
    }
    let child = server.spawn().expect("the server starts");
    let mut stop = command("pg_ctl");
    stop.args(["stop", "-m", "fast", "-D"]).arg(&data);
    Some(ServerProcess { child, port, stop: Some(stop), _folder: folder })
}

fn make_cluster(mut initdb: Command, data: &Path, own: impl Fn(&Path)) {
    let password = data.with_file_name("password");
    std::fs::write(&password, PASSWORD).expect("written");
    own(&password);
    initdb.args(["--auth=scram-sha-256", "--username=app", "--no-sync", "--locale=C"]);
    initdb.arg("--pwfile").arg(&password).arg("--pgdata").arg(data);
    assert!(initdb.status().expect("initdb starts").success(), "a cluster is made");
}

/// The folder of PostgreSQL's programs, which Debian leaves out of the search path.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let installed = folders.into_iter().rev().find(|folder| folder.join("initdb").is_file());
    installed.or_else(|| Some(find_program("initdb")?.parent()?.to_owned()))
}

/// The account to run as: one's own, or where the tests run as root, which the server refuses, the
/// one that Debian's package makes. Errors if there is none.
fn server_account() -> Result<Option<Account>, ()> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Ok(None);
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let own = accounts.lines().find(|line| line.starts_with("postgres:")).ok_or(())?;
    let mut fields = own.split(':').skip(2).map_while(|field| field.parse().ok());
    Ok(Some((fields.next().ok_or(())?, fields.next().ok_or(())?)))
}

fn as_account(program: &Path, account: Option<Account>) -> Command {
    let mut command = quiet(program);
    if let Some((user, group)) = account {
        command.gid(group).uid(user);
    }
    command
}
