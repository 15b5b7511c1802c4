//! Faults of this machine that look like faults of a backend: no file descriptors left, no network.
//!
//! Both are read from the system's error number. A resolver hides it, so [`local_fault_now`] asks
//! the system again after a failed lookup, without sending anything.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};

use super::UpstreamFailure;

/// Addresses reserved for documentation (RFC 5737, RFC 3849): nobody has them, and only the route
/// to them is looked up.
const ELSEWHERE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ELSEWHERE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const DISCARD_PORT: u16 = 9;

/// The fault of this machine that caused `error`, if any.
pub(super) fn local_fault(error: &io::Error) -> Option<UpstreamFailure> {
    if is_out_of_descriptors(error) {
        return Some(UpstreamFailure::OutOfDescriptors);
    }
    let offline = matches!(error.kind(), ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown);
    offline.then_some(UpstreamFailure::Offline)
}

/// As [`local_fault`], for an error that may be the system's.
pub(super) fn local_fault_in(error: &(dyn Error + 'static)) -> Option<UpstreamFailure> {
    local_fault(error.downcast_ref::<io::Error>()?)
}

/// True if no network leads off this machine now. Asks the system and sends nothing.
#[must_use]
pub fn is_offline() -> bool {
    local_fault_now() == Some(UpstreamFailure::Offline)
}

/// The fault that keeps this machine from reaching anything outside it now, if any.
pub(super) fn local_fault_now() -> Option<UpstreamFailure> {
    // Connecting a datagram socket looks up the route and sends nothing.
    let v4 = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0));
    let v4 = v4.and_then(|socket| socket.connect((ELSEWHERE_V4, DISCARD_PORT)));
    let v6 = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0));
    let v6 = v6.and_then(|socket| socket.connect((ELSEWHERE_V6, DISCARD_PORT)));
    match (v4, v6) {
        (Err(v4), Err(_)) => local_fault(&v4),
        _ => None,
    }
}

/// EMFILE (this process) or ENFILE (the system), with the numbers of Linux, macOS and the BSDs, and
/// Windows' `WSAEMFILE`.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let numbers: &[i32] = if cfg!(windows) { &[10_024] } else { &[23, 24] };
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_systems_numbers_are_distinguished_from_a_backends_refusal() {
        let fault = |number| local_fault(&io::Error::from_raw_os_error(number));
        assert_eq!(fault(23), Some(UpstreamFailure::OutOfDescriptors));
        assert_eq!(fault(24), Some(UpstreamFailure::OutOfDescriptors));
        let unreachable = io::Error::from(ErrorKind::NetworkUnreachable);
        assert_eq!(local_fault(&unreachable), Some(UpstreamFailure::Offline));
        for kind in [ErrorKind::ConnectionRefused, ErrorKind::HostUnreachable, ErrorKind::TimedOut]
        {
            assert_eq!(local_fault(&io::Error::from(kind)), None, "{kind}");
        }
    }
}
