//! Why a secure connection failed, by rustls' own error.

use std::error::Error;

use rustls::CertificateError as Certificate;

use super::{TlsFault, UpstreamFailure};

impl UpstreamFailure {
    /// The fault of the secure connection that `error` is or was caused by; `None` for another error.
    #[must_use]
    pub fn of_tls(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut causes = std::iter::successors(Some(error), |&cause| cause.source());
        causes.find_map(tls_fault).map(Self::Tls)
    }
}

/// Finds rustls' own error, which is wrapped in one or more IO errors. An IO error's `source` skips
/// what it wraps.
pub(super) fn tls_fault(cause: &(dyn Error + 'static)) -> Option<TlsFault> {
    if let Some(inner) = cause.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref()) {
        return tls_fault(inner);
    }
    let error = cause.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidCertificate(
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. },
        ) => TlsFault::Expired,
        rustls::Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => TlsFault::WrongHost,
        rustls::Error::InvalidCertificate(_) => TlsFault::UnknownIssuer,
        _ => TlsFault::Handshake,
    })
}
