//! The effective configuration: typed, validated, with what the environment adds.
//! The only file that reads the environment and fetches randomness.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use conntrack::arch::Features;
use conntrack::{HashKind, Hasher, Permissions, ProfileId, Profiles, TrackerConfig};
use flowtracker_proto::name;

use crate::start::cli::{self, CommandLine, ForwardMode, Instructions, Options, Switch, UntrackedMode};
use crate::start::config_file::ConfigFile;

/// Everything that the data plane is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that some of it comes from.
    pub file: Option<PathBuf>,
    /// Where the control service is.
    pub control: ControlUri,
    /// Name of this data plane.
    pub id: String,
    /// Entries, all shards together.
    pub capacity: u32,
    /// What a shard is told.
    pub tracker: TrackerConfig,
    /// Hash function of the tables.
    pub hash: HashKind,
    /// Which instructions are used.
    pub instructions: Instructions,
    /// Secret of the hash functions, new at every start.
    pub secret: [u8; 32],
    /// Identifies this run of the process to the control service.
    pub instance: u64,
    /// What happens to frames after tracking.
    pub forward: ForwardMode,
    /// Fate of frames that are not tracked.
    pub untracked: UntrackedMode,
    /// Packets per receive burst.
    pub burst: u16,
    /// Receive queues per port, when given.
    pub rxq: Option<u16>,
    /// Receive descriptors per queue.
    pub rxd: u16,
    /// Transmit descriptors per queue.
    pub txd: u16,
    /// Mbufs per pool, when given.
    pub mbufs: Option<u32>,
}

/// Where the control service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlUri {
    /// `http://HOST:PORT`.
    Http(String),
    /// `unix:PATH`.
    Unix(PathBuf),
}

impl fmt::Display for ControlUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ControlUri::Http(uri) => f.write_str(uri),
            ControlUri::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// An option whose value is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// File and line, if it stands in the file of `--config`.
    pub place: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}: {}", self.flag, self.reason),
            None => write!(f, "--{}: {}", self.flag, self.reason),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Checks the options against each other and adds what the environment gives.
    ///
    /// # Errors
    /// Names the flag that is not acceptable, and where it stands in the file if it does.
    pub fn new(line: &CommandLine) -> Result<Self, ConfigError> {
        Self::checked(&line.options).map_err(|mut error| {
            let setting = |file: &ConfigFile| file.setting(error.flag).map(|s| file.place_of(s).to_string());
            error.place = line.file.as_ref().and_then(setting);
            error
        })
    }

    fn checked(options: &Options) -> Result<Self, ConfigError> {
        let bad = |flag, reason: String| ConfigError { flag, place: None, reason };
        let profiles =
            Profiles::new(&options.timer_profiles).map_err(|e| bad("timer-profiles", e.to_string()))?;
        let learn_profile = ProfileId::new(options.learn_profile)
            .filter(|id| profiles.aging_ms(*id).is_some())
            .ok_or_else(|| {
                let (id, count) = (options.learn_profile, profiles.values().len());
                bad("learn-profile", format!("there is no profile {id}: --timer-profiles has {count}"))
            })?;
        let permissions = Permissions::new(options.permissions).ok_or_else(|| {
            bad("permissions", format!("{:#x} has bits beyond the 14 of 0x3fff", options.permissions))
        })?;
        let id = match &options.id {
            Some(id) => id.clone(),
            None => gethostname::gethostname().to_string_lossy().into_owned(),
        };
        if !name::is_valid(&id) {
            let rule = format!("1 to {} bytes without blanks and control characters are possible", name::MAX);
            return Err(bad("id", rule));
        }
        let mut random = [0; 40];
        getrandom::fill(&mut random).map_err(|e| bad("hash", format!("no random secret: {e}")))?;
        let (secret, instance) = random.split_at(32);
        Ok(Config {
            file: options.config.clone(),
            control: control_uri(&options.control).map_err(|reason| bad("control", reason))?,
            id,
            capacity: options.capacity,
            tracker: TrackerConfig {
                protocols: options.protocols,
                instructions: features(options.instructions),
                profiles,
                learn_profile,
                permissions,
                accounting: options.accounting == Switch::On,
                ..TrackerConfig::default()
            },
            hash: options.hash,
            instructions: options.instructions,
            secret: std::array::from_fn(|i| secret[i]),
            instance: u64::from_le_bytes(std::array::from_fn(|i| instance[i])),
            forward: options.forward,
            untracked: options.untracked,
            burst: options.burst,
            rxq: options.rxq,
            rxd: options.rxd,
            txd: options.txd,
            mbufs: options.mbufs,
        })
    }
}

fn features(instructions: Instructions) -> Features {
    match instructions {
        Instructions::Native => Features::detect(),
        Instructions::Portable => Features::PORTABLE,
    }
}

impl Config {
    /// The hash function of the tables, with its secret.
    pub(crate) fn hasher(&self) -> Hasher {
        Hasher::new(self.hash, self.secret, self.features())
    }

    /// The instructions that may be used on this CPU.
    pub(crate) fn features(&self) -> Features {
        self.tracker.instructions
    }

    /// What a replay goes by: flags that can be pasted back.
    pub(crate) fn tracking(&self) -> impl fmt::Display {
        Tracking(self)
    }
}

/// Where DPDK's run-time files may be: `RUNTIME_DIRECTORY` and `XDG_RUNTIME_DIR`.
#[must_use]
pub fn runtime_directories() -> (Option<PathBuf>, Option<PathBuf>) {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    (folder("RUNTIME_DIRECTORY"), folder("XDG_RUNTIME_DIR"))
}

/// The folder that EAL makes one of `--file-prefix` in: systemd's, root's, or the user's.
pub(crate) fn dpdk_folder(runtime: Option<&Path>, xdg: Option<&Path>, root: bool) -> PathBuf {
    let user = xdg.unwrap_or(Path::new("/tmp"));
    runtime.unwrap_or(if root { Path::new("/var/run") } else { user }).join("dpdk")
}

/// The same for this process.
#[must_use]
pub fn dpdk_runtime_folder() -> PathBuf {
    let (runtime, xdg) = runtime_directories();
    dpdk_folder(runtime.as_deref(), xdg.as_deref(), rustix::process::getuid().is_root())
}

/// One line of the effective configuration, for the log: flags that can be pasted back. Without the secret, and
/// without what is computed because nobody asked for anything.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} --control={} --forward={} --untracked={} --burst={} --rxd={} --txd={}",
            self.tracking(),
            shell_word(&self.control.to_string()),
            cli::word(&self.forward),
            cli::word(&self.untracked),
            self.burst,
            self.rxd,
            self.txd,
        )?;
        for (name, value) in [("rxq", self.rxq.map(u32::from)), ("mbufs", self.mbufs)] {
            if let Some(value) = value {
                write!(f, " --{name}={value}")?;
            }
        }
        Ok(())
    }
}

/// The part of that line that needs no ports: what a replay goes by too.
struct Tracking<'a>(&'a Config);

impl fmt::Display for Tracking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tracking(config) = self;
        let t = &config.tracker;
        let profiles: Vec<String> = t.profiles.values().iter().map(u32::to_string).collect();
        if let Some(file) = &config.file {
            write!(f, "--config={} ", shell_word(&file.to_string_lossy()))?;
        }
        write!(
            f,
            "--id={} --capacity={} --protocols={} --hash={} --instructions={} --timer-profiles={} \
             --learn-profile={} --permissions={:#x} --accounting={}",
            shell_word(&config.id),
            config.capacity,
            cli::protocols_text(t.protocols),
            cli::hash_text(config.hash),
            cli::word(&config.instructions),
            profiles.join(","),
            t.learn_profile.get(),
            t.permissions.bits(),
            cli::word(if t.accounting { &Switch::On } else { &Switch::Off }),
        )
    }
}

/// `text` as one word of a shell.
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=:,./@%".contains(c);
    if text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")).into() }
}

fn control_uri(text: &str) -> Result<ControlUri, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return if path.is_empty() {
            Err("unix: needs a path".to_owned())
        } else {
            Ok(ControlUri::Unix(path.into()))
        };
    }
    let uri: tonic::transport::Uri = text.parse().map_err(|e| format!("`{text}`: {e}"))?;
    if uri.scheme_str() != Some("http") || uri.host().is_none() {
        return Err(format!("`{text}`: http://HOST:PORT and unix:PATH are possible"));
    }
    Ok(ControlUri::Http(text.to_owned()))
}

#[cfg(test)]
mod tests;
