//! The options of the data plane: their names, types, defaults and help, and how an effective value
//! is written.
//!
//! What an option does is said by [`crate::start::config`] when it needs checking against another
//! option or the environment, else by the code that uses it.

use std::borrow::Cow;
use std::path::PathBuf;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use conntrack::shard::Tracked;
use conntrack::{HashKind, Protocols};
use flowtracker_proto::table::Family;

/// Poll-mode connection tracker: tracks TCP flows over IPv4 and IPv6 between pairs of DPDK ports.
///
/// EAL arguments come first, then `--`, then these options.
#[derive(Parser, Debug, Clone, PartialEq)]
#[command(
    name = "flowtracker-dataplane",
    version,
    override_usage = "flowtracker-dataplane [EAL arguments] -- [options]\n       \
                      flowtracker-dataplane doctor [EAL arguments] -- [options]: would such a start work?\n       \
                      flowtracker-dataplane replay FILE [options]: the events of a capture; needs no port\n       \
                      flowtracker-dataplane health [--file-prefix NAME]: do the lcores of a running one poll?"
)]
pub struct Options {
    /// TOML file with the same options, spelt without dashes; flags win.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Control service: `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`. It may be absent at start.
    #[arg(long, value_name = "URI", default_value = "http://127.0.0.1:50051")]
    pub control: String,
    /// CA certificates (PEM) that the control service's certificate is checked against [default:
    /// the system's]
    #[arg(long, value_name = "FILE")]
    pub control_ca: Option<PathBuf>,
    /// Certificate (PEM) of this data plane; the name that it bears must be `--id`.
    #[arg(long, value_name = "FILE")]
    pub control_cert: Option<PathBuf>,
    /// Private key (PEM) of that certificate.
    #[arg(long, value_name = "FILE")]
    pub control_key: Option<PathBuf>,
    /// Name in the control service's certificate [default: the host of `--control`]
    #[arg(long, value_name = "NAME")]
    pub control_server_name: Option<String>,
    /// Name of this data plane in events [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub id: Option<String>,
    /// Tracked families, each with a table of its own: `ipv4`, `ipv6` or `ipv4,ipv6`.
    #[arg(long, value_name = "LIST", default_value = "ipv4,ipv6", value_parser = families)]
    pub families: Tracked,
    /// Entries of IPv4, split evenly over the shards; memory is taken at start and never grows.
    #[arg(long, value_name = "N", default_value_t = 1_048_576, value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub capacity: u32,
    /// Entries of IPv6 [default: that of --capacity]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub capacity_ipv6: Option<u32>,
    /// Tracked protocols: `tcp` or `tcp,udp`.
    #[arg(long, value_name = "LIST", default_value = "tcp", value_parser = protocols)]
    pub protocols: Protocols,
    /// `pair`: what enters port0 leaves port1 and the reverse; `drop`: count and free.
    #[arg(long, value_name = "MODE", default_value = "pair", value_enum)]
    pub forward: ForwardMode,
    /// Fate of frames that are not tracked.
    #[arg(long, value_name = "MODE", default_value = "forward", value_enum)]
    pub untracked: UntrackedMode,
    /// Hash function: `keyed` resists chosen collisions, `crc` and `jhash` are DPDK's.
    #[arg(long, value_name = "NAME", default_value = "keyed", value_parser = PossibleValuesParser::new(["keyed", "crc", "jhash"]).map(|s| hash_kind(&s)))]
    pub hash: HashKind,
    /// How frames are parsed, hashed and looked up: `native` uses what AES, CRC, AVX and AVX-512
    /// instructions the CPU has, `portable` none of them.
    #[arg(long, value_name = "KIND", default_value = "native", value_enum)]
    pub instructions: Instructions,
    /// Aging of the timer profiles 0, 1, … in milliseconds: 1 to 16 distinct values.
    #[arg(long, value_name = "MS,MS,…", default_value = "30000,60000,90000,120000", value_delimiter = ',')]
    pub timer_profiles: Vec<u64>,
    /// Timer profile of entries that the data path learns.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub learn_profile: u32,
    /// Permissions of the table of IPv4, 14 bits: control CRUDXPS, then data CRUDXPS.
    #[arg(long, value_name = "HEX", default_value = "0x3dfc", value_parser = hex)]
    pub permissions: u16,
    /// Permissions of the table of IPv6, likewise.
    #[arg(long, value_name = "HEX", default_value = "0x3de4", value_parser = hex)]
    pub permissions_ipv6: u16,
    /// Compare the whole IPv6 key at every hit; without it a keyed fingerprint of 104 bits is
    /// compared.
    #[arg(long, value_name = "on|off", default_value = "off", default_missing_value = "on",
          num_args = 0..=1, require_equals = true, value_enum)]
    pub verify_keys: Switch,
    /// Count packets and bytes per entry; `off` saves a cache line per packet.
    #[arg(long, value_name = "on|off", default_value = "on", value_enum)]
    pub accounting: Switch,
    /// File from which the entries of the run before come back, and that is written at the end and
    /// every --checkpoint-every seconds [default: none, a start is empty]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Seconds from one file of --checkpoint to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub checkpoint_every: u64,
    /// Packets per receive burst.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub burst: u16,
    /// Most receive queues per port; workers and devices may allow fewer [default: as many as they allow]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub rxq: Option<u16>,
    /// What chooses a frame's receive queue on a device with RSS: `l3` addresses, `l4` addresses and
    /// ports, which spreads better but may give a fragmented flow a second entry.
    #[arg(long, value_name = "FIELDS", default_value = "l3", value_enum)]
    pub rss: RssFields,
    /// Receive descriptors per queue.
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(8..=32768))]
    pub rxd: u16,
    /// Transmit descriptors per queue.
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u16).range(8..=32768))]
    pub txd: u16,
    /// Mbufs per pool [default: what the queues, bursts and caches need]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(64..=1 << 26))]
    pub mbufs: Option<u32>,
}

/// What happens to frames after tracking.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardMode {
    /// What enters port0 leaves port1 and the reverse, bytes unchanged.
    Pair,
    /// Count and free: a monitor port.
    Drop,
}

/// Fate of frames that are not tracked.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum UntrackedMode {
    /// As tracked ones.
    Forward,
    /// Freed, as the P4TC program does with what its parser rejects.
    Drop,
}

/// Which instructions are used: the results are the same.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instructions {
    /// What the CPU has.
    Native,
    /// Those that every CPU has.
    Portable,
}

/// The fields of a packet that choose its receive queue.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum RssFields {
    /// Addresses.
    L3,
    /// Addresses and ports.
    L4,
}

impl From<RssFields> for dpdk::Rss {
    fn from(fields: RssFields) -> Self {
        match fields {
            RssFields::L3 => dpdk::Rss::Addresses,
            RssFields::L4 => dpdk::Rss::AddressesAndPorts,
        }
    }
}

/// On or off.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// Keys of the file of `--config` whose value may be an array: flags that take values separated by
/// commas.
pub(super) const LISTS: [&str; 3] = ["families", "protocols", "timer-profiles"];
/// Keys whose value may be a boolean: flags that take `on` and `off`.
pub(super) const SWITCHES: [&str; 2] = ["accounting", "verify-keys"];
/// Keys whose value is a name and never a number.
pub(super) const NAMES: [&str; 7] =
    ["checkpoint", "control", "control-ca", "control-cert", "control-key", "control-server-name", "id"];
/// Keys whose flag reads hexadecimal digits, whatever base the integer has in the file.
pub(super) const HEX: [&str; 2] = ["permissions", "permissions-ipv6"];

/// The options that mean something without ports and without a control service.
pub(super) const REPLAY: [&str; 14] = [
    "config",
    "id",
    "families",
    "capacity",
    "capacity-ipv6",
    "protocols",
    "hash",
    "instructions",
    "timer-profiles",
    "learn-profile",
    "permissions",
    "permissions-ipv6",
    "verify-keys",
    "accounting",
];

/// Returns `true` for the options that `replay` takes.
pub(super) fn of_replay(long: &str) -> bool {
    REPLAY.contains(&long)
}

impl Options {
    /// Returns the options that have a value, as flags that can be pasted back into a shell.
    pub(super) fn flags(&self) -> Vec<(&'static str, String)> {
        let profiles: Vec<String> = self.timer_profiles.iter().map(u64::to_string).collect();
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let all = [
            ("config", path(&self.config)),
            ("id", self.id.clone()),
            ("families", Some(families_text(self.families).to_owned())),
            ("capacity", Some(self.capacity.to_string())),
            ("capacity-ipv6", self.capacity_ipv6.map(|n| n.to_string())),
            ("protocols", Some(protocols_text(self.protocols).to_owned())),
            ("hash", Some(hash_text(self.hash).to_owned())),
            ("instructions", Some(word(&self.instructions))),
            ("timer-profiles", Some(profiles.join(","))),
            ("learn-profile", Some(self.learn_profile.to_string())),
            ("permissions", Some(format!("{:#x}", self.permissions))),
            ("permissions-ipv6", Some(format!("{:#x}", self.permissions_ipv6))),
            ("verify-keys", Some(word(&self.verify_keys))),
            ("accounting", Some(word(&self.accounting))),
            ("control", Some(self.control.clone())),
            ("control-ca", path(&self.control_ca)),
            ("control-cert", path(&self.control_cert)),
            ("control-key", path(&self.control_key)),
            ("control-server-name", self.control_server_name.clone()),
            ("checkpoint", path(&self.checkpoint)),
            ("checkpoint-every", Some(self.checkpoint_every.to_string())),
            ("forward", Some(word(&self.forward))),
            ("untracked", Some(word(&self.untracked))),
            ("burst", Some(self.burst.to_string())),
            ("rxd", Some(self.rxd.to_string())),
            ("txd", Some(self.txd.to_string())),
            ("rxq", self.rxq.map(|n| n.to_string())),
            ("rss", Some(word(&self.rss))),
            ("mbufs", self.mbufs.map(|n| n.to_string())),
        ];
        all.into_iter()
            .filter_map(|(name, value)| Some((name, format!("--{name}={}", shell_word(&value?)))))
            .collect()
    }
}

/// Returns `text` as one word of a shell.
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-+=:,./@%".contains(c);
    if text.chars().all(plain) { text.into() } else { format!("'{}'", text.replace('\'', r"'\''")).into() }
}

fn protocols(list: &str) -> Result<Protocols, String> {
    let mut names: Vec<_> = list.split(',').map(str::trim).collect();
    names.sort_unstable();
    match names[..] {
        ["tcp"] => Ok(Protocols::Tcp),
        ["tcp", "udp"] => Ok(Protocols::TcpUdp),
        _ => Err("`tcp` and `tcp,udp` are possible".to_owned()),
    }
}

fn families(list: &str) -> Result<Tracked, String> {
    let mut names: Vec<_> = list.split(',').map(str::trim).collect();
    names.sort_unstable();
    match names[..] {
        ["ipv4"] => Ok(Tracked::Ipv4),
        ["ipv6"] => Ok(Tracked::Ipv6),
        ["ipv4", "ipv6"] => Ok(Tracked::Both),
        _ => Err("`ipv4`, `ipv6` and `ipv4,ipv6` are possible".to_owned()),
    }
}

/// The list that `--families` takes.
pub(crate) fn families_text(tracked: Tracked) -> &'static str {
    match tracked {
        Tracked::Ipv4 => "ipv4",
        Tracked::Ipv6 => "ipv6",
        Tracked::Both => "ipv4,ipv6",
    }
}

/// The flag that gives the capacity of a family's table, without its dashes.
pub(crate) fn capacity_flag(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "capacity",
        Family::Ipv6 => "capacity-ipv6",
    }
}

fn hash_kind(name: &str) -> HashKind {
    match name {
        "crc" => HashKind::Crc,
        "jhash" => HashKind::Jhash,
        _ => HashKind::Keyed,
    }
}

/// The list that `--protocols` takes.
pub(crate) fn protocols_text(protocols: Protocols) -> &'static str {
    match protocols {
        Protocols::Tcp => "tcp",
        Protocols::TcpUdp => "tcp,udp",
    }
}

/// The name that `--hash` takes.
pub(crate) fn hash_text(hash: HashKind) -> &'static str {
    match hash {
        HashKind::Keyed => "keyed",
        HashKind::Crc => "crc",
        HashKind::Jhash => "jhash",
    }
}

/// The word that a flag of a closed choice takes.
pub(crate) fn word(value: &impl clap::ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |word| word.get_name().to_owned())
}

fn hex(text: &str) -> Result<u16, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    u16::from_str_radix(digits, 16).map_err(|e| e.to_string())
}
