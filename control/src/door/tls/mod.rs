//! TLS of the TCP doors: handshakes, bounded in time and size, and the client's identity.
//!
//! [`material`] reads the files, and [`shown`] is what a client shows. TLS 1.3 and 1.2 are spoken, with ring's ciphers. A client need not
//! show a certificate, so that its absence can be answered by name; one that is shown must be good.
//! Sessions are not resumed, because a resumed session would skip the verification of the certificate.

pub mod material;
pub mod shown;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use clap::Args;
use flowtracker_tls::rustls::pki_types::CertificateDer;
use flowtracker_tls::rustls::server::ServerConfig;
use flowtracker_tls::rustls::{CertificateError, Error, InvalidMessage};
use flowtracker_tls::tokio_rustls::TlsAcceptor;
use flowtracker_tls::tokio_rustls::server::TlsStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::door::bearer::Bearer;
use crate::door::places::Place;
use crate::door::refusals::Reason;

/// Files of TLS, in PEM form. They are read again when they have changed.
#[derive(Clone, Debug, Default, Args)]
pub struct TlsOptions {
    /// Certificate of the service, followed by those between it and its CA; TLS on all TCP doors
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// Private key of that certificate
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// CA certificates that clients' certificates are checked against; nobody gets in without a role then
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,

    /// Lists of client certificates that are revoked
    #[arg(long, value_name = "FILE")]
    pub crl: Option<PathBuf>,
}

impl TlsOptions {
    /// Returns each option that is given, with its file.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let files = [
            ("tls-cert", &self.tls_cert),
            ("tls-key", &self.tls_key),
            ("client-ca", &self.client_ca),
            ("crl", &self.crl),
        ];
        files.into_iter().filter_map(|(option, path)| Some((option, path.as_ref()?)))
    }
}

/// Prints the files as flags that can be pasted back.
impl fmt::Display for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files().try_for_each(|(option, path)| write!(f, " --{option}={}", path.display()))
    }
}

/// What is spoken over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC, which is HTTP/2.
    Grpc,
    /// HTTP/1.
    Http,
}

/// The configurations of both protocols.
#[derive(Clone, Debug)]
pub struct Configs {
    pub(super) grpc: Arc<ServerConfig>,
    pub(super) http: Arc<ServerConfig>,
    /// Last second in which the certificates of each option hold, since 1970.
    pub(super) expiries: Vec<(&'static str, Duration)>,
}

/// The configuration that is in force for new handshakes. Without one, the TCP doors are plain.
#[derive(Debug, Default)]
pub struct Tls(RwLock<Option<Configs>>);

/// A connection that has passed the handshake, before its first request.
pub(crate) enum Opened<Io> {
    /// Without TLS.
    Plain(Io),
    /// After a handshake; who has shown a certificate.
    Tls(Box<TlsStream<Io>>, Option<Bearer>),
}

/// A handshake that was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Why.
    pub(crate) reason: Reason,
    /// The certificate that the client has shown, which nobody has verified.
    pub(crate) shown: Option<CertificateDer<'static>>,
}

impl Tls {
    /// Puts configurations in force.
    pub fn set(&self, configs: Configs) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(configs);
    }

    /// Returns the last second in which the certificates of each option hold, since 1970.
    pub fn expiries(&self) -> Vec<(&'static str, f64)> {
        let configs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let expiries = configs.iter().flat_map(|configs| &configs.expiries);
        expiries.map(|(option, at)| (*option, at.as_secs_f64())).collect()
    }

    /// Opens a connection, with a TLS handshake if TLS is in use, which must end before `by`.
    ///
    /// # Errors
    /// It is refused; or it was lost or gives way to another, which is `None`.
    pub(crate) async fn open<Io: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: Io,
        protocol: Protocol,
        by: Instant,
        place: &Place,
    ) -> Result<Opened<Io>, Option<Refused>> {
        let configs = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(Configs { grpc, http, .. }) = configs else { return Ok(Opened::Plain(io)) };
        let config = if protocol == Protocol::Grpc { grpc } else { http };
        let handshake = shown::during(timeout_at(by, TlsAcceptor::from(config).accept(io)));
        let (done, shown) = tokio::select! {
            done = handshake => done,
            _ = place.leaving() => return Err(None),
        };
        let reason = match done {
            Ok(Ok(stream)) => {
                let verified = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                match verified.map(Bearer::read).transpose() {
                    Ok(bearer) => return Ok(Opened::Tls(Box::new(stream), bearer)),
                    Err(_) => Some(Reason::TlsBadCertificate),
                }
            }
            Ok(Err(why)) => why.get_ref().and_then(|why| why.downcast_ref::<Error>()).map(reason),
            Err(_) => Some(Reason::TlsHandshakeTimeout),
        };
        Err(reason.map(|reason| Refused { reason, shown }))
    }
}

/// Returns why a handshake was refused, or `None` when the connection was merely lost.
fn reason(why: &Error) -> Reason {
    match why {
        Error::InvalidCertificate(why) => match why {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Reason::TlsExpiredCertificate,
            CertificateError::Revoked => Reason::TlsRevokedCertificate,
            CertificateError::UnknownIssuer => Reason::TlsUnknownAuthority,
            _ => Reason::TlsBadCertificate,
        },
        Error::InvalidMessage(
            InvalidMessage::HandshakePayloadTooLarge | InvalidMessage::CertificatePayloadTooLarge,
        ) => Reason::TlsTooLarge,
        Error::AlertReceived(_) => Reason::TlsAlert,
        _ => Reason::TlsHandshake,
    }
}
