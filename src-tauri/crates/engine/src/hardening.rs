//! Keeps keys out of core dumps, other processes of the same user out of this one's memory, and
//! other users out of every file this process makes.

/// Applied by each program before anything secret is read. What the system refuses is left as it is: a program that
/// runs unhardened is better than none, and nothing here guards against the user's own wish.
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

/// Windows writes no dump of a program that did not ask for one.
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
