//! Where the service is, how `ctl` proves who it is there, and how long it waits.

use std::sync::Arc;
use std::time::Duration;

use flowtracker_tls::client::{Files, Part, server_name};
use flowtracker_tls::rustls::ClientConfig;
use flowtracker_tls::rustls::pki_types::ServerName;

use super::address::{Address, Scheme};
use super::settings::{Field, Settings, Source};
use crate::cli::Failure;

/// Where the service is, and how to reach it.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Target {
    /// The address as it was given, for messages.
    pub(in crate::cli) server: String,
    /// Bound on connecting, and on answers that do not grow with the table.
    pub(in crate::cli) timeout: Duration,
    pub(super) address: Address,
    pub(super) tls: Option<Tls>,
}

/// What TLS needs.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    files: Files,
    pub(super) name: ServerName<'static>,
    settings: Settings,
}

impl Target {
    /// Makes a target of what the options, the environment and the configuration say.
    pub(in crate::cli) fn new(settings: &Settings, timeout: Duration) -> Result<Self, Failure> {
        let server = settings.get(Field::Server);
        let wrong = |key, why: &str| Failure::Usage(format!("{}: {why}", settings.named(key)));
        let address = Address::parse(&server.value).map_err(|why| wrong(Field::Server, &why))?;
        let target = |tls| Self { server: server.value.clone(), timeout, address: address.clone(), tls };
        let of_tls = || Field::OF_TLS.into_iter().filter(|key| settings.is_set(*key));
        let host = match &address {
            Address::Tcp { host, scheme: Some(Scheme::Https), .. } => host,
            // As with etcdctl: whoever names certificates means TLS.
            Address::Tcp { host, scheme: None, .. } if of_tls().next().is_some() => host,
            Address::Tcp { .. } | Address::Unix(_) => {
                // What was meant for another server may stand in the environment, not on the command
                // line.
                return match of_tls().find(|key| settings.get(*key).source == Source::Flag) {
                    Some(key) => Err(Failure::Usage(format!(
                        "{} means nothing to {}: TLS needs https://HOST:PORT",
                        key.flag(),
                        server.value
                    ))),
                    None => Ok(target(None)),
                };
            }
        };
        let path = |key| settings.is_set(key).then(|| settings.get(key).value.into());
        let files = Files { ca: path(Field::CaCert), cert: path(Field::Cert), key: path(Field::Key) };
        let name = settings.get(Field::ServerName).value;
        let name = if name.is_empty() { server_name(host) } else { server_name(&name) };
        let name = name.map_err(|why| wrong(Field::ServerName, &why))?;
        Ok(target(Some(Tls { files, name, settings: settings.clone() })))
    }
}

impl Tls {
    /// Reads the files. The error of a file that cannot be used names the option, and where the option
    /// was set.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, Failure> {
        self.files.config().map_err(|unfit| {
            let key = match unfit.part {
                Part::Ca => Field::CaCert,
                Part::Cert => Field::Cert,
                Part::Key => Field::Key,
            };
            Failure::Usage(format!("{}: {unfit}", self.settings.place(key)))
        })
    }
}
