//! A certificate for a server of a test, and the authority that vouches for it.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of a server's certificate. A program trusts it if its `SSL_CERT_FILE` is `authority`.
pub struct ServerCertificate {
    pub authority: PathBuf,
    pub chain: PathBuf,
    pub key: PathBuf,
}

impl ServerCertificate {
    /// Writes the files into `folder`, for a server of this name or address, signed by an authority made
    /// for it.
    ///
    /// # Panics
    /// A file cannot be written.
    #[must_use]
    pub fn write(folder: &Path, host: &str) -> Self {
        let key = || rcgen::KeyPair::generate().expect("a key");
        let named =
            |host: &str| rcgen::CertificateParams::new(vec![host.to_owned()]).expect("a name");
        let mut authority = named("authority.test");
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        let authority = rcgen::CertifiedIssuer::self_signed(authority, key()).expect("an issuer");
        let own = key();
        let signed = named(host).signed_by(&own, &authority).expect("a certificate");
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).expect("written");
            path
        };
        Self {
            authority: write("authority.pem", authority.pem()),
            chain: write("server.pem", signed.pem()),
            key: write("server.key", own.serialize_pem()),
        }
    }
}
