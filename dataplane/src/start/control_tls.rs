//! TLS of the link to the control service: the authorities that are trusted, and the own certificate.

use std::path::Path;

use flowtracker_tls::client::{Files, Part, Unfit, server_name};
use flowtracker_tls::rustls::pki_types::ServerName;

use crate::start::config::{ConfigError, ControlUri};
use crate::start::options::Options;

/// What TLS needs. The files are read at each attempt to dial, so that new certificates count from
/// the next link on.
#[derive(Clone, Debug)]
pub struct ControlTls {
    /// The files of `--control-ca`, `--control-cert` and `--control-key`.
    pub files: Files,
    /// The name that the service's certificate must bear.
    pub name: ServerName<'static>,
}

/// Returns the flag of a file, without its dashes.
fn flag(part: Part) -> &'static str {
    match part {
        Part::Ca => "control-ca",
        Part::Cert => "control-cert",
        Part::Key => "control-key",
    }
}

/// The same for a message.
pub(crate) fn told(unfit: &Unfit) -> String {
    format!("--{}: {unfit}", flag(unfit.part))
}

impl ControlTls {
    /// Returns what the options say, or `None` where the link does not use TLS.
    ///
    /// # Errors
    /// An option without effect, or an invalid server name.
    pub(super) fn new(options: &Options, uri: &ControlUri) -> Result<Option<Self>, ConfigError> {
        let ControlUri::Https { host, .. } = uri else {
            let given = [
                ("control-ca", options.control_ca.is_some()),
                ("control-cert", options.control_cert.is_some()),
                ("control-key", options.control_key.is_some()),
                ("control-server-name", options.control_server_name.is_some()),
            ];
            let useless = |flag| {
                ConfigError::new(
                    flag,
                    format!("means nothing to {uri}: TLS needs --control https://HOST:PORT"),
                )
            };
            return given
                .into_iter()
                .find(|(_, given)| *given)
                .map_or(Ok(None), |(flag, _)| Err(useless(flag)));
        };
        let (flag, name) = match &options.control_server_name {
            Some(name) => ("control-server-name", name),
            None => ("control", host),
        };
        let name = server_name(name).map_err(|why| ConfigError::new(flag, why))?;
        let files = Files {
            ca: options.control_ca.clone(),
            cert: options.control_cert.clone(),
            key: options.control_key.clone(),
        };
        Ok(Some(Self { files, name }))
    }

    /// Reads the files.
    ///
    /// # Errors
    /// The option whose file cannot be used.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.files.config().map(drop).map_err(|unfit| ConfigError::new(flag(unfit.part), unfit.reason))
    }

    /// Returns the file of this data plane's certificate.
    pub(crate) fn cert(&self) -> Option<&Path> {
        self.files.cert.as_deref()
    }
}
