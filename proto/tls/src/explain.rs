//! Why a TLS connection failed, in words that follow the server's name.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

use crate::certificate::date;

/// Returns the reason of a failed handshake, or of a connection that the server has ended during or
/// right after it: in TLS 1.3 its verdict on the client's certificate comes when the client already
/// believes itself connected.
#[must_use]
pub fn explain(error: &io::Error) -> String {
    if let Some(why) = of_tls(error) {
        return match why {
            Error::InvalidCertificate(why) => certificate(why),
            Error::AlertReceived(alert) => said(*alert),
            Error::InvalidMessage(_) => "it does not speak TLS".to_owned(),
            Error::PeerIncompatible(why) => format!("it speaks no TLS that is spoken here ({why:?})"),
            Error::NoApplicationProtocol => NO_HTTP2.to_owned(),
            other => format!("TLS: {other}"),
        };
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "it has closed the connection during the TLS handshake".to_owned();
    }
    error.to_string()
}

/// Returns true if the error is TLS's, rather than the connection's.
#[must_use]
pub fn is_tls(error: &io::Error) -> bool {
    of_tls(error).is_some()
}

const NO_HTTP2: &str = "it does not speak HTTP/2 over TLS";

fn of_tls(error: &io::Error) -> Option<&Error> {
    let mut inner: &(dyn std::error::Error + 'static) = error.get_ref()?;
    loop {
        if let Some(why) = inner.downcast_ref::<Error>() {
            return Some(why);
        }
        // An error that wraps another one does not name itself as the source.
        inner = match inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => wrapped,
            None => inner.source()?,
        };
    }
}

/// Says what is wrong with the server's certificate.
fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "its certificate is signed by no CA that is trusted here".to_owned()
        }
        CertificateError::BadSignature => {
            "its certificate bears a trusted CA's name, but another one's signature".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let expected = expected.to_str();
            // rustls writes each as `DnsName("localhost")` or `IpAddress(127.0.0.1)`.
            let bare = |name: &String| match name.split_once('(') {
                Some((_, value)) => value.trim_end_matches(')').trim_matches('"').to_owned(),
                None => name.clone(),
            };
            match presented.iter().map(bare).collect::<Vec<_>>().as_slice() {
                [] => format!("its certificate names no host, so it is not for {expected}"),
                names => format!("its certificate is for {}, not for {expected}", names.join(", ")),
            }
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            let end = date(std::time::Duration::from_secs(not_after.as_secs()));
            format!("its certificate has expired, on {end}")
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let begin = date(std::time::Duration::from_secs(not_before.as_secs()));
            format!("its certificate does not hold before {begin}")
        }
        CertificateError::Revoked => "its certificate is revoked".to_owned(),
        other => format!("its certificate cannot be used: {other}"),
    }
}

/// Says what the server's alert means (RFC 8446 §6.2).
fn said(alert: AlertDescription) -> String {
    let why = match alert {
        AlertDescription::CertificateRequired => "it demands a client certificate",
        AlertDescription::UnknownCA => "it does not trust the CA of the client certificate",
        AlertDescription::CertificateExpired => "the client certificate has expired",
        AlertDescription::CertificateRevoked => "the client certificate is revoked",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::DecryptError => "it refuses the client certificate",
        AlertDescription::NoApplicationProtocol => NO_HTTP2,
        AlertDescription::UnrecognisedName => "it does not know the host name that it was asked for",
        AlertDescription::ProtocolVersion => "it speaks another version of TLS, neither 1.2 nor 1.3",
        AlertDescription::HandshakeFailure => {
            "it refuses the TLS handshake: no cipher in common, or it demands a client certificate"
        }
        other => return format!("it refuses the TLS connection ({other:?})"),
    };
    why.to_owned()
}
