//! The configuration of a client: the authorities that it trusts, and its own certificate.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{Error, RootCertStore};

use crate::files;

/// The files of a client, as its options name them. They are read whenever a configuration is made,
/// so that new ones count from the next connection on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// CA certificates that servers are checked against; none: those of the system.
    pub ca: Option<PathBuf>,
    /// The client's certificate, followed by those between it and its CA.
    pub cert: Option<PathBuf>,
    /// The private key of that certificate.
    pub key: Option<PathBuf>,
}

/// The option that is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// [`Files::ca`].
    Ca,
    /// [`Files::cert`].
    Cert,
    /// [`Files::key`].
    Key,
}

/// A file that cannot be used. Displays the reason, without the option's name, which is the
/// program's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Which option.
    pub part: Part,
    /// Why; the file is named.
    pub reason: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unfit {}

fn unfit(part: Part) -> impl Fn(String) -> Unfit {
    move |reason| Unfit { part, reason }
}

impl Files {
    /// Reads the files and makes a configuration of them.
    ///
    /// # Errors
    /// The option that is at fault, and why.
    pub fn config(&self) -> Result<Arc<ClientConfig>, Unfit> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| unfit(Part::Ca)(why.to_string()))?
            .with_root_certificates(self.roots()?);
        let mut config = match (&self.cert, &self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                let chain = files::certificates(cert).map_err(unfit(Part::Cert))?;
                let secret = files::private_key(key).map_err(unfit(Part::Key))?;
                builder.with_client_auth_cert(chain, secret).map_err(|why| match why {
                    Error::InconsistentKeys(_) => unfit(Part::Key)(format!(
                        "{} is not the key of the certificate in {}",
                        key.display(),
                        cert.display()
                    )),
                    Error::InvalidCertificate(why) => {
                        unfit(Part::Cert)(format!("{}: {why:?}", cert.display()))
                    }
                    why => unfit(Part::Key)(format!("{}: {why}", key.display())),
                })?
            }
            (Some(cert), None) => {
                return Err(unfit(Part::Key)(format!("the key of {} is needed, too", cert.display())));
            }
            (None, Some(key)) => {
                return Err(unfit(Part::Cert)(format!(
                    "the certificate of {} is needed, too",
                    key.display()
                )));
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, Unfit> {
        let mut roots = RootCertStore::empty();
        let bad = unfit(Part::Ca);
        if let Some(path) = &self.ca {
            for certificate in files::certificates(path).map_err(&bad)? {
                roots.add(certificate).map_err(|why| bad(format!("{}: {why}", path.display())))?;
            }
        } else {
            // Some of a system's certificates may be odd; the others count.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(bad("this system has no CA certificates, so one must be named".to_owned()));
            }
        }
        Ok(roots)
    }
}

/// Reads the name that a server's certificate must bear: a DNS name or an IP address.
///
/// # Errors
/// When it is neither.
pub fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned())
        .map_err(|_| format!("{text:?} is neither a host name nor an address"))
}
