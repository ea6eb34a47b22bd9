//! The command line: `flowtracker-dataplane [EAL arguments] -- [options]`, the DPDK convention.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use conntrack::{HashKind, Protocols};

use crate::start::config_file::ConfigFile;

/// Poll-mode connection tracker: tracks TCP/IPv4 flows between pairs of DPDK ports.
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
    /// Control service: `http://HOST:PORT` or `unix:PATH`. It may be absent at start.
    #[arg(long, value_name = "URI", default_value = "http://127.0.0.1:50051")]
    pub control: String,
    /// Name of this data plane in events [default: the host name]
    #[arg(long, value_name = "NAME")]
    pub id: Option<String>,
    /// Entries, split evenly over the shards; memory is taken at start and never grows.
    #[arg(long, value_name = "N", default_value_t = 1_048_576, value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub capacity: u32,
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
    /// How frames are parsed, hashed and looked up: `native` uses what AES, CRC, AVX and AVX-512 instructions the CPU has, `portable` none of them.
    #[arg(long, value_name = "KIND", default_value = "native", value_enum)]
    pub instructions: Instructions,
    /// Aging of the timer profiles 0, 1, … in milliseconds: 1 to 16 distinct values.
    #[arg(long, value_name = "MS,MS,…", default_value = "30000,60000,90000,120000", value_delimiter = ',')]
    pub timer_profiles: Vec<u64>,
    /// Timer profile of entries that the data path learns.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub learn_profile: u32,
    /// Table permissions, 14 bits: control CRUDXPS, then data CRUDXPS.
    #[arg(long, value_name = "HEX", default_value = "0x3dfc", value_parser = hex)]
    pub permissions: u16,
    /// Count packets and bytes per entry; `off` saves a cache line per packet.
    #[arg(long, value_name = "on|off", default_value = "on", value_enum)]
    pub accounting: Switch,
    /// Packets per receive burst.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub burst: u16,
    /// Receive queues per port [default: as many as workers, ports and devices allow]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub rxq: Option<u16>,
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

/// On or off.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// The two halves of the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandLine {
    /// For `rte_eal_init`, without the program name.
    pub eal: Vec<String>,
    /// Ours: flags, and what the file of `--config` adds.
    pub options: Options,
    /// That file, without the settings that a flag overrides.
    pub file: Option<ConfigFile>,
}

/// What the first argument asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To run.
    Run,
    /// `doctor`: to say whether that would work.
    Doctor,
    /// `replay`: to track a capture instead of ports.
    Replay,
    /// `health`: to ask one that runs.
    Health,
    /// `--man`: to print the manual page.
    Manual,
}

/// Takes the action off the command line, `args[0]` being the program's name.
pub fn take_action(args: &mut Vec<OsString>) -> Action {
    let action = match args.get(1).and_then(|arg| arg.to_str()) {
        Some("doctor") => Action::Doctor,
        Some("replay") => Action::Replay,
        Some("health") => Action::Health,
        Some("--man") => Action::Manual,
        _ => return Action::Run,
    };
    args.remove(1);
    action
}

/// Splits and parses the command line, `args[0]` being the program's name.
///
/// # Errors
/// As clap has them, naming the flag; `--help` and `--version` too come as such.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<CommandLine, clap::Error> {
    let mut args = args.into_iter();
    let program = args.next().unwrap_or_else(|| "flowtracker-dataplane".into());
    let mut eal = Vec::new();
    let mut options = vec![program];
    while let Some(arg) = args.next() {
        if arg == "--" {
            options.extend(args);
            break;
        }
        // Not EAL's business: help and version of this program, asked for without `--`.
        if eal.is_empty() && ["-h", "--help", "-V", "--version"].iter().any(|known| arg == *known) {
            options.push(arg);
            break;
        }
        eal.push(arg.into_string().map_err(|arg| {
            let text = format!("EAL argument {arg:?} is not UTF-8");
            clap::Error::raw(ErrorKind::InvalidUtf8, text)
        })?);
    }
    if let Some(arg) = eal.iter().find(|arg| is_option(arg)) {
        let text =
            format!("{arg} is an option of flowtracker: put it behind `--`, which ends the EAL arguments\n");
        return Err(clap::Error::raw(ErrorKind::UnknownArgument, text));
    }
    let flags = Options::command().try_get_matches_from(&options)?;
    let (options, file) = flags_and_file(Options::command(), options, &flags)?;
    Ok(CommandLine { eal, options, file })
}

/// The command line of `replay`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayLine {
    /// The capture.
    pub capture: PathBuf,
    /// Whether the clock goes on after the last packet, until the table is empty.
    pub drain: bool,
    /// The options.
    pub line: CommandLine,
}

/// Name of a data plane that is a replay.
const REPLAY_ID: &str = "replay";

/// The options that mean something without ports and without a control service.
const REPLAY_OPTIONS: [&str; 10] = [
    "config",
    "id",
    "capacity",
    "protocols",
    "hash",
    "instructions",
    "timer-profiles",
    "learn-profile",
    "permissions",
    "accounting",
];

/// Parses the command line of `replay`, `args[0]` being the program's name.
///
/// The file of `--config` may be that of a data plane with ports: what only concerns these must be well formed, and has
/// no effect.
///
/// # Errors
/// As [`parse`].
pub fn parse_replay(args: impl IntoIterator<Item = OsString>) -> Result<ReplayLine, clap::Error> {
    let args: Vec<_> = args.into_iter().collect();
    let command = replay_command();
    let flags = command.clone().try_get_matches_from(&args)?;
    let given =
        |arg: &&clap::Arg| flags.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let all = Options::command();
    let useless = all.get_opts().find(|arg| given(arg) && !of_replay(arg)).and_then(clap::Arg::get_long);
    if let Some(long) = useless {
        let text = format!("--{long} means nothing to a replay, which has no ports and no control service\n");
        return Err(clap::Error::raw(ErrorKind::UnknownArgument, text));
    }
    let (mut options, file) = flags_and_file(command, args, &flags)?;
    options.id.get_or_insert_with(|| REPLAY_ID.to_owned());
    let capture = flags.get_one::<PathBuf>("capture").cloned().unwrap_or_default();
    let line = CommandLine { eal: Vec::new(), options, file };
    Ok(ReplayLine { capture, drain: flags.get_flag("drain"), line })
}

fn of_replay(arg: &clap::Arg) -> bool {
    arg.get_long().is_some_and(|long| REPLAY_OPTIONS.contains(&long))
}

/// The options as `replay` has them: those of the ports are known, so that they can be refused by name, and not shown.
fn replay_command() -> clap::Command {
    let capture = clap::Arg::new("capture")
        .value_name("FILE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help("Capture of Ethernet frames, pcap or pcapng; all of them enter port0");
    let drain = clap::Arg::new("drain")
        .long("drain")
        .action(clap::ArgAction::SetTrue)
        .help("Let the clock run on after the last packet, until the table is empty");
    Options::command()
        .about(
            "Tracks the frames of a capture on the capture's own time, and prints one event per line as JSON",
        )
        .long_about(None)
        .override_usage("flowtracker-dataplane replay FILE [options]")
        .mut_args(|arg| {
            let hidden = !of_replay(&arg);
            arg.hide(hidden)
        })
        .mut_arg("id", |arg| arg.help("Name of this data plane in events [default: replay]"))
        .arg(capture)
        .arg(drain)
}

/// The options of `args`, and those that a file adds, both being options of `command`. `flags` is what `args` gave.
fn flags_and_file(
    command: clap::Command,
    mut args: Vec<OsString>,
    flags: &clap::ArgMatches,
) -> Result<(Options, Option<ConfigFile>), clap::Error> {
    let options = Options::from_arg_matches(flags)?;
    let Some(path) = &options.config else { return Ok((options, None)) };

    let all = Options::command();
    let known: Vec<_> = all.get_opts().filter_map(clap::Arg::get_long).filter(|k| *k != "config").collect();
    let refuse = |text| clap::Error::raw(ErrorKind::ValueValidation, text);
    let mut file = ConfigFile::read(path, &known).map_err(refuse)?;
    for setting in &file.settings {
        // On its own, and whether a flag overrides it or not, so that the message can say where it stands.
        let flag = format!("--{}={}", setting.key, setting.value);
        if let Err(error) = Options::try_parse_from([args[0].clone(), flag.into()]) {
            return Err(refuse(format!("{}: {}", file.place_of(setting), one_line(&error))));
        }
    }
    file.settings.retain(|setting| {
        let arg = all.get_opts().find(|arg| arg.get_long() == Some(&setting.key)).expect("a known key");
        flags.value_source(arg.get_id().as_str()) != Some(ValueSource::CommandLine)
    });
    args.splice(1..1, file.settings.iter().map(|s| format!("--{}={}", s.key, s.value).into()));
    Ok((Options::from_arg_matches(&command.try_get_matches_from(args)?)?, Some(file)))
}

/// What an error of [`parse`] says, without its usage text.
#[must_use]
pub fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut line = String::new();
    for part in text.lines().map(str::trim) {
        if part.starts_with("Usage:") || part.starts_with("For more information") {
            break;
        }
        if !line.is_empty() && !part.is_empty() {
            line.push_str(if part.starts_with('[') || line.ends_with(':') { " " } else { "; " });
        }
        line.push_str(part);
    }
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// True for the long flags of [`Options`], which EAL does not know.
fn is_option(arg: &str) -> bool {
    let name = arg.split('=').next().unwrap_or(arg);
    Options::command()
        .get_opts()
        .filter_map(clap::Arg::get_long)
        .any(|long| name.strip_prefix("--") == Some(long))
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

#[cfg(test)]
mod tests;
