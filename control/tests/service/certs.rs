//! Certificates for tests, and channels that show them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flowtracker_tls::client::Files;
use flowtracker_tls::rustls::client::ClientConfig;
use flowtracker_tls::{client, dial};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod,
    KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use tonic::transport::{Channel, Endpoint};

/// An authority, with a folder for what it makes. Each thing NAME is in NAME.pem and NAME.key.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
    pem: PathBuf,
    serials: AtomicU64,
}

/// What a certificate says, apart from names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    Expired,
}

impl Ca {
    /// Makes an authority, whose certificate is in `NAME.pem`.
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let pem = folder.join(format!("{name}.pem"));
        std::fs::write(&pem, params.self_signed(&key).unwrap().pem()).unwrap();
        let issuer = Issuer::new(params, key);
        Self { issuer, folder: folder.to_owned(), pem, serials: AtomicU64::new(1) }
    }

    /// Makes a certificate with this common name and these alternative names in `FILE.pem`, and its key
    /// in `FILE.key`. Returns its serial number.
    pub(crate) fn sign(&self, file: &str, common_name: &str, alternatives: &[&str], kind: Kind) -> u64 {
        let serial = self.serials.fetch_add(1, Ordering::Relaxed);
        let names: Vec<_> = alternatives.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if !common_name.is_empty() {
            params.distinguished_name.push(DnType::CommonName, common_name);
        }
        params.serial_number = Some(SerialNumber::from(serial));
        if kind == Kind::Expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        std::fs::write(self.folder.join(format!("{file}.key")), key.serialize_pem()).unwrap();
        std::fs::write(self.folder.join(format!("{file}.pem")), made.pem()).unwrap();
        serial
    }

    /// Writes the list of these serial numbers.
    pub(crate) fn revoke(&self, file: &Path, serials: &[u64]) {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: SerialNumber::from(serials.len() as u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        std::fs::write(file, params.signed_by(&self.issuer).unwrap().pem().unwrap()).unwrap();
    }

    /// Returns the configuration of a client that trusts this authority, and shows what `FILE.pem`
    /// holds unless `file` is empty.
    pub(crate) fn client(&self, file: &str) -> Arc<ClientConfig> {
        let of = |kind: &str| (!file.is_empty()).then(|| self.folder.join(format!("{file}.{kind}")));
        Files { ca: Some(self.pem.clone()), cert: of("pem"), key: of("key") }.config().unwrap()
    }
}

/// Dials a door over TLS. The service is `localhost` there.
pub(crate) async fn channel(
    addr: SocketAddr,
    config: Arc<ClientConfig>,
) -> Result<Channel, tonic::transport::Error> {
    let connector = tower::service_fn(move |_| {
        let config = config.clone();
        async move {
            let stream = tokio::net::TcpStream::connect(addr).await?;
            let name = client::server_name("localhost").unwrap();
            let stream = dial::tls(stream, config, name).await.map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connector).await
}
