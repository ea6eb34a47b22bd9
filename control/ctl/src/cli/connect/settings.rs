//! What says how to reach the service: flags, then the environment, then a context of the
//! configuration file, then defaults. A context that `--context` names comes before the environment.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::config_file::{Config, Context};
use super::wait::DEFAULT_TIMEOUT;
use super::{Target, timeout};
use crate::cli::Failure;

/// Environment variable that bounds the wait for the server.
const TIMEOUT_VARIABLE: &str = "FLOWTRACKER_TIMEOUT";
/// Address of the service where no other is given.
const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";

/// The options that say where the service is and who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(in crate::cli) struct Place {
    /// Control service: http://HOST:PORT, https://HOST:PORT or unix:PATH [env: FLOWTRACKER_SERVER]
    /// [default: http://127.0.0.1:50051]
    ///
    /// HOST:PORT alone is https where one of the four options for TLS is given, and else http.
    #[arg(long, global = true, value_name = "URI")]
    pub(in crate::cli) server: Option<String>,

    /// CA certificates (PEM) that the service's certificate is checked against; else the system's
    /// [env: FLOWTRACKER_CACERT]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) cacert: Option<String>,

    /// Certificate (PEM) that tells the service who you are [env: FLOWTRACKER_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) cert: Option<String>,

    /// Private key (PEM) of that certificate [env: FLOWTRACKER_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    pub(in crate::cli) key: Option<String>,

    /// Name in the service's certificate, if it is not the host's [env: FLOWTRACKER_SERVER_NAME]
    #[arg(long, global = true, value_name = "NAME")]
    pub(in crate::cli) server_name: Option<String>,

    /// Context of the configuration file, rather than its current one
    #[arg(long, global = true, value_name = "NAME")]
    pub(in crate::cli) context: Option<String>,

    /// Give up when connecting, or an answer, takes longer: seconds, or a number with a unit (500ms,
    /// 5s, 1m) [env: FLOWTRACKER_TIMEOUT] [default: 5s]
    ///
    /// What grows with the table takes as long as it needs: list, flush, purge, top's listings; and
    /// so does watch.
    #[arg(long, global = true, value_name = "DURATION", value_parser = timeout)]
    pub(in crate::cli) timeout: Option<Duration>,
}

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Field {
    Server,
    CaCert,
    Cert,
    Key,
    ServerName,
}

impl Field {
    pub(in crate::cli) const ALL: [Self; 5] =
        [Self::Server, Self::CaCert, Self::Cert, Self::Key, Self::ServerName];
    /// Those that only TLS knows.
    pub(super) const OF_TLS: [Self; 4] = [Self::CaCert, Self::Cert, Self::Key, Self::ServerName];

    /// Returns the name in the configuration file.
    pub(in crate::cli) fn name(self) -> &'static str {
        &self.flag()[2..]
    }

    pub(super) fn flag(self) -> &'static str {
        match self {
            Self::Server => "--server",
            Self::CaCert => "--cacert",
            Self::Cert => "--cert",
            Self::Key => "--key",
            Self::ServerName => "--server-name",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Server => "FLOWTRACKER_SERVER",
            Self::CaCert => "FLOWTRACKER_CACERT",
            Self::Cert => "FLOWTRACKER_CERT",
            Self::Key => "FLOWTRACKER_KEY",
            Self::ServerName => "FLOWTRACKER_SERVER_NAME",
        }
    }
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Source {
    Flag,
    Variable(&'static str),
    Context { name: String, file: PathBuf },
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Variable(name) => f.write_str(name),
            Self::Context { name, file } => write!(f, "context {name} of {}", file.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value, empty if there is none, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Setting {
    pub(in crate::cli) value: String,
    pub(in crate::cli) source: Source,
}

/// All settings, in the order of [`Field::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Settings([Setting; 5]);

impl Settings {
    pub(in crate::cli) fn get(&self, key: Field) -> Setting {
        self.0[key as usize].clone()
    }

    pub(super) fn is_set(&self, key: Field) -> bool {
        !self.0[key as usize].value.is_empty()
    }

    /// Returns where a value stands, for the beginning of a message.
    pub(super) fn place(&self, key: Field) -> String {
        match &self.0[key as usize].source {
            Source::Variable(name) => (*name).to_owned(),
            Source::Context { name, file } => format!("{}: contexts.{name}.{}", file.display(), key.name()),
            Source::Flag | Source::Default => key.flag().to_owned(),
        }
    }

    /// Returns the same with the value.
    pub(super) fn named(&self, key: Field) -> String {
        let Setting { value, source } = &self.0[key as usize];
        let between = if matches!(source, Source::Variable(_)) { "=" } else { " " };
        format!("{}{between}{value}", self.place(key))
    }

    /// Puts the sources together. `variable` reads the environment; an empty value counts as none.
    fn of(
        place: &Place,
        variable: impl Fn(&str) -> Option<String>,
        config: &Config,
    ) -> Result<Self, Failure> {
        let chosen = config.choose(place.context.as_deref()).map_err(Failure::Usage)?;
        let in_context = |key| {
            let Context { name, file, .. } = chosen?;
            let value = chosen?.value(key)?;
            Some(Setting { value, source: Source::Context { name: name.clone(), file: file.clone() } })
        };
        let given = |key| {
            let flag = match key {
                Field::Server => &place.server,
                Field::CaCert => &place.cacert,
                Field::Cert => &place.cert,
                Field::Key => &place.key,
                Field::ServerName => &place.server_name,
            };
            let set = |value: &String| !value.is_empty();
            let flag = flag.clone().filter(set).map(|value| Setting { value, source: Source::Flag });
            let name = Field::variable(key);
            let environment = || {
                let value = variable(name).filter(set)?;
                Some(Setting { value, source: Source::Variable(name) })
            };
            if place.context.is_some() {
                flag.or_else(|| in_context(key)).or_else(environment)
            } else {
                flag.or_else(environment).or_else(|| in_context(key))
            }
        };
        let default = |key| Setting {
            value: if key == Field::Server { DEFAULT_SERVER.to_owned() } else { String::new() },
            source: Source::Default,
        };
        Ok(Self(Field::ALL.map(|key| given(key).unwrap_or_else(|| default(key)))))
    }
}

/// Returns a variable of the environment; an empty one counts as unset.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Place {
    /// Puts flags, environment and configuration together.
    pub(in crate::cli) fn settings(&self) -> Result<Settings, Failure> {
        Settings::of(self, variable, &Config::read().map_err(Failure::Usage)?)
    }

    /// Returns where the service is, and how long to wait for it.
    pub(in crate::cli) fn target(&self) -> Result<Target, Failure> {
        let timeout = match self.timeout {
            Some(timeout) => timeout,
            None => timeout(&variable(TIMEOUT_VARIABLE).unwrap_or_else(|| DEFAULT_TIMEOUT.to_owned()))
                .map_err(|why| Failure::Usage(format!("{TIMEOUT_VARIABLE}: {why}")))?,
        };
        Target::new(&self.settings()?, timeout)
    }
}

#[cfg(test)]
mod tests;
