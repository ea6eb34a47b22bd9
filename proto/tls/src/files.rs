//! PEM files (RFC 7468) of certificates and private keys.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Longest file that is read, bytes: more than the bundle of all public CAs.
pub const LONGEST: u64 = 1 << 20;

/// Reads the certificates of a file, in its order. There is at least one.
///
/// # Errors
/// The reason, which names the file.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match read {
        Ok(found) if found.is_empty() => Err(of(path, "holds no certificate in PEM form")),
        Ok(found) => Ok(found),
        Err(why) => Err(of(path, format!("is not PEM: {why}"))),
    }
}

/// Reads the private key of a file: PKCS #8, PKCS #1 or SEC 1.
///
/// # Errors
/// The reason, which names the file.
pub fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    use rustls::pki_types::pem::Error;
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|why| match why {
        Error::NoItemsFound if contains(&text, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            of(path, "holds an encrypted key; it must be one without a passphrase")
        }
        Error::NoItemsFound => of(path, "holds no private key in PEM form"),
        why => of(path, format!("is not PEM: {why}")),
    })
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

fn of(path: &Path, reason: impl std::fmt::Display) -> String {
    format!("{} {reason}", path.display())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        File::open(path)?.take(LONGEST + 1).read_to_end(&mut text)?;
        Ok(text)
    };
    let text = read().map_err(|why| format!("{}: {why}", path.display()))?;
    if text.len() as u64 > LONGEST {
        return Err(of(path, format!("is longer than {LONGEST} bytes")));
    }
    Ok(text)
}
