//! Mail through the user's own SMTP server, with lettre over rustls and the system's roots.
//!
//! No text of the server is repeated: it may name accounts. The password leaves only for the server
//! that the vault binds it to, encrypted or to this machine.

use std::time::Duration;

use domain::{BoundSecret, MailEncryption, Origin};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

/// Time for one answer of the server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A mail server, and whom it sends to.
#[derive(Debug, Clone)]
pub struct MailServer {
    pub host: String,
    pub port: u16,
    pub encryption: MailEncryption,
    /// Name to sign in with; empty for none.
    pub user: String,
    pub from: String,
    pub to: String,
    /// What the password must be bound to.
    pub origin: Option<Origin>,
    /// Authorities that may sign the server's certificate, DER; `None` for those the system trusts.
    pub issuers: Option<Vec<Vec<u8>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    #[error("the address {0:?} is not one that mail can be sent with")]
    Address(&'static str),
    #[error("the password is bound to another server; enter it again")]
    Binding,
    #[error("the mail server accepts neither this user name nor this password")]
    SignIn,
    #[error("the mail server offers no encryption, or its certificate is not trusted")]
    Tls,
    #[error("the mail server did not answer in time")]
    Timeout,
    #[error("the mail server cannot be reached, or it broke the connection off")]
    Connection,
    /// 4xx
    #[error("the mail server asks to try again later (status {0})")]
    Later(u16),
    /// 5xx
    #[error("the mail server refused the message (status {0})")]
    Refused(u16),
    #[error("the mail could not be put together")]
    Message,
}

impl MailError {
    /// True if the same mail may be accepted later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Timeout | Self::Connection | Self::Later(_))
    }
}

/// Sends one mail of plain text.
pub async fn send_mail(
    server: &MailServer,
    password: Option<&BoundSecret>,
    subject: &str,
    body: &str,
) -> Result<(), MailError> {
    let transport = transport(server, password)?;
    let message = Message::builder()
        .from(mailbox(Some("Gatehouse"), &server.from, "from")?)
        .to(mailbox(None, &server.to, "to")?)
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body(body.to_owned())
        .map_err(|_| MailError::Message)?;
    transport.send(message).await.map(drop).map_err(|error| fault(&error))
}

fn mailbox(name: Option<&str>, address: &str, field: &'static str) -> Result<Mailbox, MailError> {
    let address: Address = address.parse().map_err(|_| MailError::Address(field))?;
    Ok(Mailbox::new(name.map(str::to_owned), address))
}

fn transport(
    server: &MailServer,
    password: Option<&BoundSecret>,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let tls = match server.encryption {
        MailEncryption::StartTls => Tls::Required(tls(server)?),
        MailEncryption::Tls => Tls::Wrapper(tls(server)?),
        MailEncryption::None => Tls::None,
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(ANSWER_TIMEOUT));
    if server.user.is_empty() {
        return Ok(builder.build());
    }
    let password = password.ok_or(MailError::SignIn)?;
    let origin = server.origin.as_ref().ok_or(MailError::Binding)?;
    let password = password.for_origin(origin).map_err(|_| MailError::Binding)?;
    let credentials = Credentials::new(server.user.clone(), password.expose().to_owned());
    let mechanisms = vec![Mechanism::Plain, Mechanism::Login];
    Ok(builder.credentials(credentials).authentication(mechanisms).build())
}

fn tls(server: &MailServer) -> Result<TlsParameters, MailError> {
    let mut builder = TlsParameters::builder(server.host.clone());
    for issuer in server.issuers.iter().flatten() {
        let read = Certificate::from_der(issuer.clone()).map_err(|_| MailError::Tls)?;
        builder = builder.add_root_certificate(read);
    }
    builder.build().map_err(|_| MailError::Tls)
}

fn fault(error: &lettre::transport::smtp::Error) -> MailError {
    let status = error.status().map(u16::from);
    match status {
        Some(454 | 530 | 534 | 535 | 538) => MailError::SignIn,
        Some(status) if error.is_transient() => MailError::Later(status),
        Some(status) => MailError::Refused(status),
        None if error.is_timeout() => MailError::Timeout,
        None if error.is_tls() || is_certificate_fault(error) => MailError::Tls,
        None if error.is_client() => MailError::Tls,
        None => MailError::Connection,
    }
}

/// A handshake that fails is an error of the connection to lettre.
fn is_certificate_fault(error: &lettre::transport::smtp::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let io = cause.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        source = cause.source();
    }
    false
}
