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
mod tests {
    use super::*;

    fn line(args: &str) -> Result<CommandLine, clap::Error> {
        parse(args.split(' ').map(OsString::from))
    }

    #[test]
    fn eal_arguments_and_options_are_kept_apart() {
        let line =
            line("prog -l 0,1 --vdev net_null0 -- --id lab --protocols udp,tcp --permissions 3de6").unwrap();
        assert_eq!(line.eal, ["-l", "0,1", "--vdev", "net_null0"]);
        assert_eq!(line.options.id.as_deref(), Some("lab"));
        assert_eq!(line.options.protocols, Protocols::TcpUdp);
        assert_eq!(line.options.permissions, 0x3de6);
        assert_eq!(line.options.timer_profiles, [30_000, 60_000, 90_000, 120_000]);
    }

    #[test]
    fn an_action_is_the_first_argument_or_none() {
        let action = |args: &str| {
            let mut args: Vec<OsString> = args.split(' ').map(OsString::from).collect();
            (take_action(&mut args), args.len())
        };
        assert_eq!(action("prog doctor -l 0"), (Action::Doctor, 3));
        assert_eq!(action("prog replay a.pcap"), (Action::Replay, 2));
        assert_eq!(action("prog health"), (Action::Health, 1));
        assert_eq!(action("prog -l 0 -- --id doctor"), (Action::Run, 6));
        assert_eq!(action("prog --man"), (Action::Manual, 1));
        assert_eq!(action("prog"), (Action::Run, 1));
    }

    fn replay_line(args: &str) -> Result<ReplayLine, clap::Error> {
        parse_replay(args.split(' ').map(OsString::from))
    }

    #[test]
    fn a_replay_has_a_file_and_the_options_that_need_no_ports() {
        let line = replay_line("prog a.pcap").unwrap();
        assert_eq!((line.capture.to_str(), line.drain), (Some("a.pcap"), false));
        assert_eq!(line.line.options.id.as_deref(), Some("replay"));
        let line = replay_line("prog --drain --id=lab a.pcap --protocols tcp,udp").unwrap();
        assert!(line.drain);
        assert_eq!(line.line.options.id.as_deref(), Some("lab"));
        assert_eq!(line.line.options.protocols, Protocols::TcpUdp);

        // Every option is known to be one or the other.
        for option in Options::command().get_opts() {
            let long = option.get_long().unwrap();
            let value = match long {
                "forward" | "untracked" => "drop",
                "hash" => "crc",
                "instructions" => "portable",
                "protocols" => "tcp",
                "accounting" => "off",
                "config" => continue,
                _ => "64",
            };
            match replay_line(&format!("prog a.pcap --{long}={value}")) {
                Ok(_) => assert!(REPLAY_OPTIONS.contains(&long), "{long}"),
                Err(error) => {
                    assert!(!REPLAY_OPTIONS.contains(&long), "{long}: {error}");
                    assert!(one_line(&error).starts_with(&format!("--{long} means nothing to a replay")));
                    assert_eq!(error.exit_code(), 2);
                }
            }
        }
    }

    #[test]
    fn only_a_replay_drains() {
        assert!(line("prog -- --drain").unwrap_err().to_string().contains("--drain"));
        assert!(with_file("drain = true", "").unwrap_err().contains("unknown key `drain`"));
    }

    #[test]
    fn a_replay_takes_the_file_of_a_data_plane_with_ports() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ft.toml");
        std::fs::write(&path, "control = \"unix:/run/x\"\nburst = 8\nid = \"lab\"\ncapacity = 64\n").unwrap();
        let line = replay_line(&format!("prog --config {} a.pcap --capacity=65", path.display())).unwrap();
        assert_eq!(line.line.options.id.as_deref(), Some("lab"));
        assert_eq!(line.line.options.capacity, 65);
    }

    #[test]
    fn the_help_of_a_replay_shows_what_it_takes() {
        let help = replay_line("prog --help").unwrap_err().to_string();
        for long in REPLAY_OPTIONS.iter().chain(&["drain"]) {
            assert!(help.contains(&format!("--{long}")), "{long}: {help}");
        }
        assert!(!help.contains("--rxq") && !help.contains("EAL"), "{help}");
        assert!(line("prog --help").unwrap_err().to_string().contains("replay FILE"));
    }

    #[test]
    fn a_second_double_dash_is_ours_to_refuse() {
        assert!(line("prog -- -- x").is_err());
    }

    #[test]
    fn a_forgotten_double_dash_is_pointed_out() {
        for args in ["--id lab", "-l 0 --capacity=5"] {
            let error = line(&format!("prog {args}")).expect_err(args);
            assert!(error.to_string().contains("behind `--`"), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn bad_options_are_named() {
        for (args, flag) in [
            ("--capacity 0", "--capacity"),
            ("--capacity many", "--capacity"),
            ("--protocols icmp", "--protocols"),
            ("--forward back", "--forward"),
            ("--untracked maybe", "--untracked"),
            ("--hash md5", "--hash"),
            ("--instructions avx", "--instructions"),
            ("--timer-profiles 1,x", "--timer-profiles"),
            ("--permissions 0xzz", "--permissions"),
            ("--accounting 1", "--accounting"),
            ("--burst 257", "--burst"),
            ("--burst 0", "--burst"),
            ("--rxq 0", "--rxq"),
            ("--mbufs 1", "--mbufs"),
            ("--no-such-flag", "--no-such-flag"),
        ] {
            let error = line(&format!("prog -l 0 -- {args}")).expect_err(args);
            assert!(error.to_string().contains(flag), "{args}: {error}");
            assert_eq!(error.exit_code(), 2, "{args}");
        }
    }

    /// Parses `prog -- --config FILE options`, FILE holding `text`.
    fn with_file(text: &str, options: &str) -> Result<CommandLine, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ft.toml");
        std::fs::write(&path, text).unwrap();
        line(format!("prog -- --config {} {options}", path.display()).trim_end())
            .map_err(|error| one_line(&error).replace(path.to_str().unwrap(), "FILE"))
    }

    #[test]
    fn a_file_gives_what_the_flags_do_not() {
        let text = "capacity = 64\nburst = 8\nprotocols = [\"tcp\", \"udp\"]\naccounting = false\n";
        let line = with_file(text, "--burst 16").unwrap();
        assert_eq!((line.options.capacity, line.options.burst), (64, 16));
        assert_eq!((line.options.protocols, line.options.accounting), (Protocols::TcpUdp, Switch::Off));
        assert_eq!(line.options.rxd, 1024, "what neither says is the default");
        let kept: Vec<_> = line.file.unwrap().settings.into_iter().map(|setting| setting.key).collect();
        assert_eq!(kept, ["capacity", "protocols", "accounting"]);
    }

    #[test]
    fn the_example_of_the_guide_is_a_good_file() {
        let guide = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide.md"));
        let example = guide.split("```").find_map(|block| block.strip_prefix("toml\n")).expect("an example");
        let line = with_file(example, "").unwrap();
        crate::start::config::Config::new(&line).unwrap();
        assert_eq!(line.file.unwrap().settings.len(), 7);
    }

    #[test]
    fn a_flag_that_repeats_the_default_wins_too() {
        let line = with_file("capacity = 64\ntimer-profiles = [5]\n", "--capacity=1048576").unwrap();
        assert_eq!(line.options.capacity, 1_048_576);
        assert_eq!(line.options.timer_profiles, [5]);
    }

    #[test]
    fn every_option_but_config_is_a_key() {
        for option in Options::command().get_opts() {
            let key = option.get_long().unwrap();
            let error = with_file(&format!("{key} = 1.5"), "").unwrap_err();
            let told = if key == "config" { "unknown key `config`" } else { "cannot be of type float" };
            assert!(error.contains(told), "{key}: {error}");
        }
    }

    #[test]
    fn a_bad_value_of_a_file_is_told_like_that_of_a_flag() {
        for (text, told) in [
            (
                "id = \"a\"\nburst = 257",
                "--config FILE: line 2: invalid value '257' for '--burst <N>': 257 is not in 1..=256",
            ),
            ("rxd = -1", "line 1: invalid value '-1' for '--rxd <N>'"),
            (
                "forward = \"back\"",
                "invalid value 'back' for '--forward <MODE>' [possible values: pair, drop]",
            ),
            ("accounting = \"1\"", "invalid value '1' for '--accounting <on|off>'"),
            ("protocols = [\"icmp\"]", "invalid value 'icmp' for '--protocols <LIST>'"),
            ("timer-profiles = [1, \"x\"]", "invalid value 'x' for '--timer-profiles <MS,MS,…>'"),
            ("permissions = -1", "for '--permissions <HEX>'"),
        ] {
            let error = with_file(text, "").expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
        // A file is wrong or not, whatever the flags say.
        assert!(with_file("burst = 257", "--burst 1").unwrap_err().contains("line 1"));
    }

    #[test]
    fn an_error_is_one_line() {
        for (args, told) in [
            ("-- --burst 0", "invalid value '0' for '--burst <N>': 0 is not in 1..=256"),
            ("-- --no-such-flag", "unexpected argument '--no-such-flag' found"),
            (
                "-- --burts 5",
                "unexpected argument '--burts' found; tip: a similar argument exists: '--burst'",
            ),
            ("-- --hash md5", "invalid value 'md5' for '--hash <NAME>' [possible values: keyed, crc, jhash]"),
            ("-- --id", "a value is required for '--id <NAME>' but none was supplied"),
            ("-- --burst 1 --burst 2", "the argument '--burst <N>' cannot be used multiple times"),
            (
                "--id lab",
                "--id is an option of flowtracker: put it behind `--`, which ends the EAL arguments",
            ),
        ] {
            assert_eq!(one_line(&line(&format!("prog {args}")).expect_err(args)), told);
        }
    }
}
