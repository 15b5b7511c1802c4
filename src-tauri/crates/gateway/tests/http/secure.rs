//! A TLS server with a certificate made for the test, and names that resolve as a test says.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use gateway::{HttpUpstream, NameLookup, Proxies, UpstreamEnvironment, UpstreamFailure};
use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The host of every server here; a name of this machine, so that no proxy is used.
pub(crate) const HOST: &str = "gate.localhost";

/// The answer of a resolver to every name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScriptedLookup {
    Here,
    /// No such name.
    Nowhere,
    /// No answer at all.
    Nothing,
    /// The error of a machine without a network.
    Offline,
}

/// A resolver with a scripted answer that counts its look-ups.
#[derive(Debug)]
pub(crate) struct ScriptedResolver {
    lookup: Mutex<ScriptedLookup>,
    lookups: AtomicUsize,
}

impl ScriptedResolver {
    pub(crate) fn new(lookup: ScriptedLookup) -> Arc<Self> {
        Arc::new(Self { lookup: Mutex::new(lookup), lookups: AtomicUsize::new(0) })
    }

    pub(crate) fn say(&self, lookup: ScriptedLookup) {
        *self.lookup.lock() = lookup;
    }

    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl NameLookup for ScriptedResolver {
    async fn addresses(&self, _name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let lookup = *self.lookup.lock();
        match lookup {
            ScriptedLookup::Here => Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]),
            ScriptedLookup::Nowhere | ScriptedLookup::Offline => {
                Err(io::ErrorKind::NotFound.into())
            }
            ScriptedLookup::Nothing => std::future::pending().await,
        }
    }

    fn local_fault(&self) -> Option<UpstreamFailure> {
        (*self.lookup.lock() == ScriptedLookup::Offline).then_some(UpstreamFailure::Offline)
    }
}

/// A network client that resolves by `names` and trusts only `authority`.
pub(crate) fn amid(
    names: Arc<impl NameLookup + 'static>,
    authority: &Authority,
    connect: Duration,
) -> Arc<HttpUpstream> {
    let (issuers, proxies) = (Some(vec![authority.certificate()]), Proxies::None);
    let environment = UpstreamEnvironment { names, issuers, proxies };
    Arc::new(HttpUpstream::amid(environment, connect))
}

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A server's certificate and its key.
pub(crate) struct Identity(CertificateDer<'static>, PrivateKeyDer<'static>);

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).expect("a name")
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params("authority.test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, key()).expect("a certificate"))
    }

    /// The authority's own certificate, for those who trust it.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate for `host` that is valid until the end of `last_year`.
    pub(crate) fn identity(&self, host: &str, last_year: i32) -> Identity {
        let (key, mut params) = (key(), params(host));
        params.not_after = date_time_ymd(last_year, 12, 31);
        let signed = params.signed_by(&key, &self.0).expect("a certificate");
        let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Identity(signed.der().clone(), secret)
    }
}

/// A self-signed certificate for [`HOST`].
pub(crate) fn self_signed() -> Identity {
    let key = key();
    let signed = params(HOST).self_signed(&key).expect("a certificate");
    Identity(signed.der().clone(), PrivateKeyDer::Pkcs8(key.serialize_der().into()))
}

/// Answers every request with `body`, as JSON; returns the base URL.
pub(crate) async fn serve(serving: &mut JoinSet<()>, identity: Identity, body: String) -> String {
    serve_at(HOST, serving, identity, body).await
}

/// As [`serve`], under the name `host`.
pub(crate) async fn serve_at(
    host: &str,
    serving: &mut JoinSet<()>,
    identity: Identity,
    body: String,
) -> String {
    let Identity(certificate, key) = identity;
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let url = format!("https://{host}:{}/v1", listener.local_addr().expect("an address").port());
    serving.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that rejects the certificate leaves here.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut lookups = Vec::new();
            while !lookups.ends_with(b"}") && stream.read_buf(&mut lookups).await.unwrap_or(0) > 0 {
            }
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.expect("sent");
            stream.shutdown().await.expect("closed");
        }
    });
    url
}
