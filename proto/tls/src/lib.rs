//! Certificates and keys in PEM files, and the client's end of a TLS connection.
//!
//! [`files`] reads what an operator names, [`certificate`] tells what a certificate says,
//! [`client`] makes a configuration of both, and [`dial`] connects: TCP to whichever address
//! answers, then the handshake, TLS 1.3 or 1.2 and HTTP/2 only. [`explain`] puts into words why it
//! did not work.
#![forbid(unsafe_code)]

pub mod certificate;
pub mod client;
pub mod dial;
pub mod explain;
pub mod files;

pub use rustls;
pub use tokio_rustls;
