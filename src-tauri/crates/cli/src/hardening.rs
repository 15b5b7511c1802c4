//! Keeps keys out of core dumps, and other processes of the same user out of this one's memory.

/// Applied before anything secret is read. What the system refuses is left as it is: a program that
/// runs unhardened is better than none, and nothing here guards against the user's own wish.
#[cfg(unix)]
pub(crate) fn apply() {
    use rustix::process::{Resource, Rlimit, setrlimit};
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
pub(crate) const fn apply() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn no_core_is_written_and_nobody_may_attach() {
        super::apply();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    }
}
