//! The certificate that a client shows, also in a handshake that fails.
//!
//! rustls keeps a client's certificate only once the handshake is over. Its verifier sees each, but has
//! no argument that tells the connection; it runs in the task that does the handshake, so a value of
//! that task takes the certificate.

use std::cell::RefCell;
use std::sync::Arc;

use flowtracker_tls::rustls::client::danger::HandshakeSignatureValid;
use flowtracker_tls::rustls::pki_types::{CertificateDer, UnixTime};
use flowtracker_tls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use flowtracker_tls::rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

tokio::task_local! {
    static SHOWN: RefCell<Option<CertificateDer<'static>>>;
}

/// Does a handshake. Returns its result, and the certificate that the client has shown, be it good or
/// bad.
pub async fn during<F: Future>(handshake: F) -> (F::Output, Option<CertificateDer<'static>>) {
    let noted = async {
        let done = handshake.await;
        (done, SHOWN.with(RefCell::take))
    };
    SHOWN.scope(RefCell::default(), noted).await
}

/// A verifier that notes what it is shown, and leaves the verdict to another one.
#[derive(Debug)]
pub struct Noting(pub Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Noting {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // Outside of `during` nobody asks for it.
        let _ = SHOWN.try_with(|shown| shown.replace(Some(end_entity.clone().into_owned())));
        self.0.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
