//! A certificate for a server of a test, and the authority that vouches for it.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
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
    /// # Errors
    /// A file cannot be written, or `host` is no name.
    pub fn write(folder: &Path, host: &str) -> Result<Self, Box<dyn Error>> {
        let named = |host: &str| rcgen::CertificateParams::new(vec![host.to_owned()]);
        let mut authority = named("authority.test")?;
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        let authority =
            rcgen::CertifiedIssuer::self_signed(authority, rcgen::KeyPair::generate()?)?;
        let own = rcgen::KeyPair::generate()?;
        let signed = named(host)?.signed_by(&own, &authority)?;
        let write = |name: &str, text: String| -> io::Result<PathBuf> {
            let path = folder.join(name);
            fs::File::create(&path)?.write_all(text.as_bytes())?;
            Ok(path)
        };
        Ok(Self {
            authority: write("authority.pem", authority.pem())?,
            chain: write("server.pem", signed.pem())?,
            key: write("server.key", own.serialize_pem())?,
        })
    }
}
