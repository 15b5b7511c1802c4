//! The limit on open files and connections of this process.
//!
//! A client connection takes one file descriptor and its backend connection another. The default
//! soft limit (1,024 on Linux, 256 for windowed programs on macOS) exists for programs that use
//! `select`, which this one does not.

use gateway::CONNECTIONS_MAX;

/// Maximum connections per listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    pub(crate) gateway: usize,
    pub(crate) control: usize,
}

impl ConnectionLimits {
    /// Divides the descriptors so that some are left for files. Each client connection may need a
    /// second one for its backend.
    pub(crate) fn for_descriptors(descriptors: Option<u64>) -> Self {
        let descriptors = descriptors.and_then(|number| usize::try_from(number).ok());
        let part = |eighths: usize| {
            descriptors.map_or(CONNECTIONS_MAX, |all| (all / 8 * eighths).min(CONNECTIONS_MAX))
        };
        Self { gateway: part(3), control: part(1) }
    }
}

/// Upper bound of the requested limit: macOS refuses more than its `OPEN_MAX` (10,240), even where
/// the hard limit is "unlimited".
#[cfg(unix)]
const DESCRIPTORS_ASKED_MAX: u64 = 10_240;

/// Raises the soft limit towards the hard one, to at most [`DESCRIPTORS_ASKED_MAX`]. Returns the
/// limit in force; `None` means unlimited.
#[cfg(unix)]
pub(crate) fn raise_descriptor_limit() -> Option<u64> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current?;
    let wanted = limit.maximum.unwrap_or(DESCRIPTORS_ASKED_MAX).min(DESCRIPTORS_ASKED_MAX);
    if wanted <= before {
        return Some(before);
    }
    limit.current = Some(wanted);
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => Some(wanted),
        Err(error) => {
            tracing::warn!(%error, before, "the limit on open files could not be raised");
            Some(before)
        }
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub(crate) const fn raise_descriptor_limit() -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    #[test]
    fn connections_leave_descriptors_for_backends_and_files() {
        let of = |all: Option<u64>| {
            let limits = super::ConnectionLimits::for_descriptors(all);
            (limits.gateway, limits.control)
        };
        assert_eq!(of(Some(256)), (96, 32));
        assert_eq!(of(Some(1_024)), (384, 128));
        assert_eq!(of(Some(10_240)), (512, 512));
        assert_eq!(of(None), (512, 512));
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one_and_not_lowered() {
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum }).expect("lowered");
        let raised = super::raise_descriptor_limit().expect("a limit");
        let in_force = getrlimit(Resource::Nofile).current.expect("a limit");
        assert_eq!(raised, in_force);
        assert_eq!(raised, maximum.unwrap_or(10_240).clamp(256, 10_240));
        assert_eq!(super::raise_descriptor_limit(), Some(raised));
    }
}
