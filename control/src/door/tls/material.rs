//! Reads and checks the files of TLS, and makes rustls configurations from them.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flowtracker_tls::certificate::{Certificate, date};
use flowtracker_tls::files::{self, LONGEST};
use flowtracker_tls::rustls::crypto::{CryptoProvider, ring};
use flowtracker_tls::rustls::pki_types::CertificateRevocationListDer;
use flowtracker_tls::rustls::pki_types::pem::PemObject as _;
use flowtracker_tls::rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use flowtracker_tls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use flowtracker_tls::rustls::time_provider::TimeProvider;
use flowtracker_tls::rustls::version::{TLS12, TLS13};
use flowtracker_tls::rustls::{Error, RootCertStore};
use x509_cert::crl::CertificateList;
use x509_cert::der::{Decode as _, Encode as _};

use crate::door::access::Revoked;
use crate::door::tls::Configs;
use crate::door::tls::shown::Noting;

/// The certificate of the service with its key.
#[derive(Clone, Debug)]
pub struct Pair {
    key: Arc<CertifiedKey>,
    /// Last second in which the certificate holds, since 1970.
    pub not_after: Duration,
}

impl Pair {
    /// Reads a pair that is good at `now`, since 1970.
    ///
    /// # Errors
    /// The reason, which names the file.
    pub fn read(cert: &Path, key: &Path, now: Duration) -> Result<Self, String> {
        let chain = files::certificates(cert)?;
        let secret = files::private_key(key)?;
        let (cert, key) = (cert.display(), key.display());
        // There is at least one certificate; the first is the service's own.
        let Certificate { not_before, not_after, .. } = chain
            .first()
            .map_or_else(|| Err("holds none".to_owned()), Certificate::parse)
            .map_err(|why| format!("{cert}: {why}"))?;
        if now > not_after {
            return Err(format!("{cert} has expired at {}", date(not_after)));
        }
        if now < not_before {
            return Err(format!("{cert} is not valid before {}", date(not_before)));
        }
        let pair =
            CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|why| match why {
                Error::InconsistentKeys(_) => format!("{key} is not the key of the certificate in {cert}"),
                why => format!("{key}: {why}"),
            })?;
        Ok(Self { key: Arc::new(pair), not_after })
    }
}

/// The authorities of clients' certificates.
#[derive(Clone, Debug)]
pub struct Authorities {
    roots: Arc<RootCertStore>,
    /// Last second in which all of them hold, since 1970.
    pub not_after: Duration,
}

impl Authorities {
    /// Reads authorities, at least one of which is good at `now`, since 1970.
    ///
    /// # Errors
    /// The reason, which names the file.
    pub fn read(path: &Path, now: Duration) -> Result<Self, String> {
        let wrong = |why: String| format!("{}: {why}", path.display());
        let mut roots = RootCertStore::empty();
        let mut ends = Vec::new();
        for certificate in files::certificates(path)? {
            ends.push(Certificate::parse(&certificate).map_err(wrong)?.not_after);
            roots.add(certificate).map_err(|why| wrong(why.to_string()))?;
        }
        let last = ends.iter().max().copied().unwrap_or_default();
        if now > last {
            return Err(format!("{} has expired at {}", path.display(), date(last)));
        }
        Ok(Self { roots: Arc::new(roots), not_after: ends.into_iter().min().unwrap_or_default() })
    }
}

/// Lists of revoked certificates.
#[derive(Clone, Debug, Default)]
pub struct Crls {
    lists: Vec<CertificateRevocationListDer<'static>>,
    /// What they list.
    pub revoked: Arc<Revoked>,
}

impl Crls {
    /// Reads lists.
    ///
    /// # Errors
    /// The reason, which names the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = |why: String| format!("{}: {why}", path.display());
        let mut text = Vec::new();
        let opened = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut text));
        opened.map_err(|why| wrong(why.to_string()))?;
        if text.len() as u64 > LONGEST {
            return Err(wrong(format!("is longer than {LONGEST} bytes")));
        }
        let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&text).collect();
        let lists = lists.map_err(|why| wrong(format!("is not PEM: {why}")))?;
        if lists.is_empty() {
            return Err(wrong("holds no list of revoked certificates in PEM form".to_owned()));
        }
        let mut revoked = HashSet::new();
        for list in &lists {
            let list: CertificateList = CertificateList::from_der(list)
                .map_err(|why| wrong(format!("not a list of revoked certificates: {why}")))?;
            let list = list.tbs_cert_list;
            let issuer = list.issuer.to_der().map_err(|why| wrong(why.to_string()))?;
            for certificate in list.revoked_certificates.unwrap_or_default() {
                revoked.insert((issuer.clone(), certificate.serial_number.as_bytes().to_vec()));
            }
        }
        Ok(Self { lists, revoked: Arc::new(revoked) })
    }
}

/// Makes the configurations of both protocols. `clock` tells the time by which certificates of
/// clients are checked.
///
/// # Errors
/// The authorities and the lists do not make a verifier.
pub fn configs(
    pair: &Pair,
    authorities: Option<&Authorities>,
    crls: &Crls,
    clock: &Arc<dyn TimeProvider>,
) -> Result<Configs, String> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_details(provider.clone(), clock.clone())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|why| why.to_string())?;
    let builder = match authorities {
        Some(Authorities { roots, .. }) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider)
                .with_crls(crls.lists.clone())
                // Of several authorities, some may have no list.
                .allow_unknown_revocation_status()
                .allow_unauthenticated()
                .build();
            let verifier = verifier.map_err(|why| why.to_string())?;
            builder.with_client_cert_verifier(Arc::new(Noting(verifier)))
        }
        None => builder.with_no_client_auth(),
    };
    let mut grpc = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from((*pair.key).clone())));
    grpc.session_storage = Arc::new(NoServerSessionStorage {});
    grpc.send_tls13_tickets = 0;
    grpc.alpn_protocols = vec![b"h2".to_vec()];
    let mut http = grpc.clone();
    http.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut expiries = vec![("tls-cert", pair.not_after)];
    expiries.extend(authorities.map(|authorities| ("client-ca", authorities.not_after)));
    Ok(Configs { grpc: Arc::new(grpc), http: Arc::new(http), expiries })
}
