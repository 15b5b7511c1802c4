//! Process hardening: no core dumps, no memory access by other processes of the user, no access by
//! other users to the files this process creates.

/// Hardens the process. Every program calls it before it reads a secret. Errors are ignored,
/// because an unhardened program is better than none and the user is not the adversary.
#[cfg(unix)]
pub fn harden_process() {
    use rustix::fs::Mode;
    use rustix::process::{Resource, Rlimit, setrlimit, umask};
    umask(Mode::RWXG | Mode::RWXO);
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Windows writes no dump unless a program asks for it.
#[cfg(not(unix))]
pub const fn harden_process() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn no_core_is_written_nobody_may_attach_and_files_are_private() {
        super::harden_process();
        let folder = tempfile::tempdir().expect("a folder");
        let made = folder.path().join("made");
        std::fs::File::create(&made).expect("a file");
        let mode = |path: &std::path::Path| path.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode(&made) & 0o077, 0);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
