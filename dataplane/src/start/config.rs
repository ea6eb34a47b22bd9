//! The effective configuration: the options, checked against each other, and what the environment
//! adds.
//!
//! No other file reads the environment or fetches random numbers.

use std::fmt;
use std::path::{Path, PathBuf};

use conntrack::arch::Features;
use conntrack::{Hasher, HasherV6, Parser, Permissions, ProfileId, Profiles, TrackerConfig};
use flowtracker_proto::name;
use flowtracker_proto::table::Family;

use crate::checkpoint::write::folder;
use crate::lcore::family::tracks;
use crate::start::cli::CommandLine;
use crate::start::config_file::ConfigFile;
pub use crate::start::control_tls::ControlTls;
pub use crate::start::control_uri::ControlUri;
use crate::start::options::{self, Instructions, Options, Switch};
use crate::start::topology::{self, TopologyError};

/// What the data plane runs with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The options, with the host's name where `--id` was not given, and with the value of
    /// `--capacity` where `--capacity-ipv6` was not given.
    pub options: Options,
    /// Where the control service is.
    pub control: ControlUri,
    /// How it is reached over TLS, if it is.
    pub tls: Option<ControlTls>,
    /// What a shard's table of IPv4 runs with.
    pub tracker: TrackerConfig,
    /// What a shard's table of IPv6 runs with: the same, but for the permissions.
    pub tracker_ipv6: TrackerConfig,
    /// Secrets of the hash functions, new at every start.
    pub secrets: Secrets,
    /// Identifies this run of the process to the control service.
    pub instance: u64,
}

/// The secrets of the hash functions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secrets {
    /// Of the table of IPv4.
    pub ipv4: [u8; 32],
    /// Of the table of IPv6.
    pub ipv6: [u8; HasherV6::SECRET],
}

/// Hides them.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// An option whose value is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", .place.as_ref().map_or(format!("--{flag}"), |place| format!("{place}: {flag}")))]
pub struct ConfigError {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// File and line, if the value stands in the file of `--config`.
    pub place: Option<String>,
    /// What is wrong with the value.
    pub reason: String,
}

impl ConfigError {
    pub(super) fn new(flag: &'static str, reason: String) -> Self {
        Self { flag, place: None, reason }
    }

    /// Adds the place of the value, if it stands in the file.
    fn placed(mut self, line: &CommandLine) -> Self {
        let setting = |file: &ConfigFile| file.setting(self.flag).map(|s| file.place_of(s).to_string());
        self.place = line.file.as_ref().and_then(setting);
        self
    }
}

impl Config {
    /// Checks the options and adds what the environment gives.
    ///
    /// # Errors
    /// When an option is not acceptable. The error names its flag, and its line if it stands in the
    /// file.
    pub fn new(line: &CommandLine) -> Result<Self, ConfigError> {
        Self::checked(&line.options).map_err(|error| error.placed(line))
    }

    /// Does the same for a start that dials the control service. The files of TLS are not read yet.
    ///
    /// # Errors
    /// Those of [`Config::new`], and options of TLS that have no effect.
    pub fn with_link(line: &CommandLine) -> Result<Self, ConfigError> {
        let config = Self::new(line)?;
        let tls = ControlTls::new(&config.options, &config.control).map_err(|error| error.placed(line))?;
        Ok(Self { tls, ..config })
    }

    /// Reads the files of TLS, if there are any, and looks where the checkpoint is to be.
    ///
    /// # Errors
    /// The option whose file cannot be used.
    pub fn check_files(&self, line: &CommandLine) -> Result<(), ConfigError> {
        self.check_checkpoint().map_err(|error| error.placed(line))?;
        self.tls.as_ref().map_or(Ok(()), |tls| tls.check().map_err(|error| error.placed(line)))
    }

    /// Checks that the file of `--checkpoint` can be made: that its folder exists, and that nothing else
    /// has its name.
    pub(crate) fn check_checkpoint(&self) -> Result<(), ConfigError> {
        let Some(path) = &self.options.checkpoint else { return Ok(()) };
        let bad = |reason| Err(ConfigError::new("checkpoint", reason));
        if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
            return bad(format!("{} is no file", path.display()));
        }
        let folder = folder(path);
        match std::fs::metadata(folder) {
            Ok(meta) if meta.is_dir() => Ok(()),
            Ok(_) => bad(format!("{} is no folder", folder.display())),
            Err(error) => bad(format!("{}: {error}", folder.display())),
        }
    }

    fn checked(options: &Options) -> Result<Self, ConfigError> {
        let bad = ConfigError::new;
        let profiles =
            Profiles::new(&options.timer_profiles).map_err(|e| bad("timer-profiles", e.to_string()))?;
        let learn_profile = ProfileId::new(options.learn_profile)
            .filter(|id| profiles.aging_ms(*id).is_some())
            .ok_or_else(|| {
                let (id, count) = (options.learn_profile, profiles.values().len());
                bad("learn-profile", format!("there is no profile {id}: --timer-profiles has {count}"))
            })?;
        let permissions = |flag, bits| {
            let beyond = || bad(flag, format!("{bits:#x} has bits beyond the 14 of 0x3fff"));
            Permissions::new(bits).ok_or_else(beyond)
        };
        let tracker = TrackerConfig {
            profiles,
            learn_profile,
            permissions: permissions("permissions", options.permissions)?,
            accounting: options.accounting == Switch::On,
            ..TrackerConfig::default()
        };
        let permissions = permissions("permissions-ipv6", options.permissions_ipv6)?;
        let id = match &options.id {
            Some(id) => id.clone(),
            None => gethostname::gethostname().to_string_lossy().into_owned(),
        };
        if !name::is_valid(&id) {
            let rule = format!("1 to {} bytes without blanks and control characters are possible", name::MAX);
            return Err(bad("id", rule));
        }
        let capacity_ipv6 = Some(options.capacity_ipv6.unwrap_or(options.capacity));
        Ok(Config {
            control: ControlUri::parse(&options.control).map_err(|reason| bad("control", reason))?,
            tls: None,
            tracker,
            tracker_ipv6: TrackerConfig { permissions, ..tracker },
            secrets: Secrets { ipv4: random()?, ipv6: random()? },
            instance: u64::from_le_bytes(random()?),
            options: Options { id: Some(id), capacity_ipv6, ..options.clone() },
        })
    }
}

/// Returns random bytes of the system.
fn random<const BYTES: usize>() -> Result<[u8; BYTES], ConfigError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|e| ConfigError::new("hash", format!("no random secret: {e}")))
        .map(|()| bytes)
}

fn features(instructions: Instructions) -> Features {
    match instructions {
        Instructions::Native => Features::detect(),
        Instructions::Portable => Features::PORTABLE,
    }
}

impl Config {
    /// Returns the hash function of the table of IPv4, with its secret.
    pub(crate) fn hasher(&self) -> Hasher {
        Hasher::new(self.options.hash, self.secrets.ipv4, self.features())
    }

    /// Returns the hash function of the table of IPv6, with its secret.
    pub(crate) fn hasher_ipv6(&self) -> HasherV6 {
        HasherV6::new(self.options.hash, self.secrets.ipv6, self.features())
    }

    /// Returns how many entries the table of a family may have.
    pub(crate) fn capacity(&self, family: Family) -> u32 {
        match family {
            Family::Ipv4 => self.options.capacity,
            Family::Ipv6 => self.options.capacity_ipv6.unwrap_or(self.options.capacity),
        }
    }

    /// Returns the entries that the table of a family may have in each of `shards` shards: the
    /// least that is possible where the family is off.
    ///
    /// # Errors
    /// When a shard would get nothing.
    pub(crate) fn shares(&self, family: Family, shards: usize) -> Result<Vec<u32>, TopologyError> {
        if !tracks(self.options.families, family) {
            return Ok(vec![1; shards]);
        }
        topology::shares(options::capacity_flag(family), self.capacity(family), shards)
    }

    /// Returns what the table of a family runs with.
    pub(crate) fn tracker(&self, family: Family) -> TrackerConfig {
        match family {
            Family::Ipv4 => self.tracker,
            Family::Ipv6 => self.tracker_ipv6,
        }
    }

    /// Returns the instructions that may be used on this CPU.
    pub(crate) fn features(&self) -> Features {
        features(self.options.instructions)
    }

    /// Returns a parser of the tracked protocols.
    pub(crate) fn parser(&self) -> Parser {
        Parser::new(self.options.protocols, self.features())
    }

    /// Returns the name of this data plane.
    pub(crate) fn id(&self) -> &str {
        self.options.id.as_deref().unwrap_or_default()
    }

    /// Writes the part of the effective configuration that a replay uses, as flags that can be
    /// pasted back.
    pub(crate) fn of_replay(&self) -> String {
        let flags = self.options.flags().into_iter().filter(|(name, _)| options::of_replay(name));
        flags.map(|(_, flag)| flag).collect::<Vec<_>>().join(" ")
    }
}

/// Returns `RUNTIME_DIRECTORY` and `XDG_RUNTIME_DIR`, below which DPDK's run-time files may be.
#[must_use]
pub fn runtime_directories() -> (Option<PathBuf>, Option<PathBuf>) {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    (folder("RUNTIME_DIRECTORY"), folder("XDG_RUNTIME_DIR"))
}

/// Returns the folder in which EAL makes that of `--file-prefix`: systemd's, root's, or the user's.
pub(crate) fn dpdk_folder(runtime: Option<&Path>, xdg: Option<&Path>, root: bool) -> PathBuf {
    let user = xdg.unwrap_or(Path::new("/tmp"));
    runtime.unwrap_or(if root { Path::new("/var/run") } else { user }).join("dpdk")
}

/// Returns the folder of `dpdk_folder` for this process.
#[must_use]
pub fn dpdk_runtime_folder() -> PathBuf {
    let (runtime, xdg) = runtime_directories();
    dpdk_folder(runtime.as_deref(), xdg.as_deref(), rustix::process::getuid().is_root())
}

/// Writes the effective configuration as one line for the log: flags that can be pasted back. The
/// secret, and what is computed because no option says otherwise, are not in it.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags: Vec<String> = self.options.flags().into_iter().map(|(_, flag)| flag).collect();
        f.write_str(&flags.join(" "))
    }
}

#[cfg(test)]
mod tests;
