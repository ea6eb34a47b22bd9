//! The names and the validity of a certificate (RFC 5280).

use std::time::Duration;

use rustls::pki_types::CertificateDer;
use x509_cert::Certificate as Parsed;
use x509_cert::der::oid::db::rfc4519::CN;
use x509_cert::der::{DateTime, Decode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The parts of a certificate that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Common name of the subject, the most specific one where there are several.
    pub common_name: Option<String>,
    /// DNS names of the subject's alternative names.
    pub dns_names: Vec<String>,
    /// Start of its validity, seconds since 1970.
    pub not_before: Duration,
    /// End of its validity, seconds since 1970.
    pub not_after: Duration,
}

impl Certificate {
    /// Parses a certificate. Its signature is not verified.
    ///
    /// # Errors
    /// When it is not a certificate of X.509.
    pub fn parse(der: &CertificateDer<'_>) -> Result<Self, String> {
        let parsed = Parsed::from_der(der).map_err(|why| format!("not a certificate: {why}"))?;
        let body = parsed.tbs_certificate;
        let mut names = body.subject.0.iter().flat_map(|part| part.0.iter()).filter(|name| name.oid == CN);
        let common_name = names.next_back().and_then(|name| text(&name.value));
        let alternatives = body.get::<SubjectAltName>().map_err(|why| format!("alternative names: {why}"))?;
        let alternatives = alternatives.map(|(_, names)| names.0).unwrap_or_default();
        let dns = |name: &GeneralName| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            _ => None,
        };
        Ok(Self {
            common_name,
            dns_names: alternatives.iter().filter_map(dns).collect(),
            not_before: body.validity.not_before.to_unix_duration(),
            not_after: body.validity.not_after.to_unix_duration(),
        })
    }

    /// Returns the names that it bears: the common name, then the DNS names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.common_name.iter().chain(&self.dns_names).map(String::as_str)
    }
}

/// Returns the text of an attribute, whichever of ASN.1's kinds of string it is.
fn text(value: &x509_cert::der::Any) -> Option<String> {
    use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
    None.or_else(|| value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str().to_owned()))
        .or_else(|| value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.as_str().to_owned()))
        .or_else(|| value.decode_as::<Ia5StringRef<'_>>().ok().map(|text| text.as_str().to_owned()))
        .or_else(|| value.decode_as::<TeletexStringRef<'_>>().ok().map(|text| text.as_str().to_owned()))
}

/// Returns a time since 1970 as RFC 3339 writes it, in UTC.
#[must_use]
pub fn date(since_1970: Duration) -> String {
    let whole = Duration::from_secs(since_1970.as_secs());
    DateTime::from_unix_duration(whole).map_or_else(|_| format!("{} s", whole.as_secs()), |at| at.to_string())
}
