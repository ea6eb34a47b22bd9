//! The identity in a client certificate.

use flowtracker_proto::text;
use flowtracker_tls::certificate::Certificate;
use flowtracker_tls::rustls::pki_types::CertificateDer;
use x509_cert::der::{Decode as _, Encode as _};

/// Longest name that is used, bytes.
const NAME_MAX: usize = 256;

/// The names in a client certificate that the handshake has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    common_name: Option<String>,
    dns_names: Vec<String>,
    /// The issuer's name in DER, and the serial number.
    number: (Vec<u8>, Vec<u8>),
}

impl Bearer {
    /// Reads a certificate. Names that are empty, too long or not printable are ignored.
    ///
    /// # Errors
    /// When it is not a certificate of X.509.
    pub fn read(der: &CertificateDer<'_>) -> Result<Self, String> {
        let Certificate { common_name, mut dns_names, .. } = Certificate::parse(der)?;
        let counts = |name: &String| !name.is_empty() && name.len() <= NAME_MAX && text::is_printable(name);
        dns_names.retain(counts);
        let parsed = x509_cert::Certificate::from_der(der).map_err(|why| why.to_string())?.tbs_certificate;
        let issuer = parsed.issuer.to_der().map_err(|why| why.to_string())?;
        let number = (issuer, parsed.serial_number.as_bytes().to_vec());
        Ok(Self { common_name: common_name.filter(counts), dns_names, number })
    }

    /// Returns the common name.
    #[must_use]
    pub fn common_name(&self) -> Option<&String> {
        self.common_name.as_ref()
    }

    /// Returns the DNS names among the alternative names.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// Returns all names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.common_name.iter().chain(&self.dns_names).map(String::as_str)
    }

    /// Returns the issuer's name in DER and the serial number, as lists of revoked certificates have
    /// them.
    #[must_use]
    pub fn number(&self) -> &(Vec<u8>, Vec<u8>) {
        &self.number
    }

    /// Returns the name that callers are shown and recorded by, such as `CN=alice`.
    #[must_use]
    pub fn identity(&self) -> String {
        match (&self.common_name, self.dns_names.first()) {
            (Some(name), _) => format!("CN={name}"),
            (None, Some(name)) => format!("DNS={name}"),
            (None, None) => "a certificate without a name".to_owned(),
        }
    }
}
