//! The command line: `flowtracker-dataplane [EAL arguments] -- [options]`, the DPDK convention.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _, Parser as _};

use crate::start::config_file::ConfigFile;
use crate::start::options::{self, Options};

/// The two parts of the command line, before and after `--`.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandLine {
    /// For `rte_eal_init`, without the program name.
    pub eal: Vec<String>,
    /// The options: flags, and what the file of `--config` adds.
    pub options: Options,
    /// That file, without the settings that a flag overrides.
    pub file: Option<ConfigFile>,
}

/// What the program is to do, by the first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run the data plane.
    Run,
    /// `doctor`: say whether a start would work.
    Doctor,
    /// `replay`: track a capture instead of ports.
    Replay,
    /// `health`: ask a running data plane.
    Health,
    /// `--man`: print the manual page.
    Manual,
}

/// Takes the action off the command line. `args[0]` is the program's name.
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

/// Splits and parses the command line. `args[0]` is the program's name.
///
/// # Errors
/// Those of clap, which name the flag. `--help` and `--version` are among them.
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
        // Help and version of this program, not EAL's, may be asked for without `--`.
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
    /// Whether the clock goes on after the last packet until the table is empty.
    pub drain: bool,
    /// The options.
    pub line: CommandLine,
}

/// Name of the data plane in the events of a replay.
const REPLAY_ID: &str = "replay";

/// Parses the command line of `replay`. `args[0]` is the program's name.
///
/// The file of `--config` may be that of a data plane with ports. Settings that only concern ports
/// must be well formed, and have no effect.
///
/// # Errors
/// Those of [`parse`].
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
    arg.get_long().is_some_and(options::of_replay)
}

/// Returns the options of `replay`. Options that need ports are known, so that they can be refused
/// by name, but hidden.
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

/// Returns the options of `args` together with those that a file adds. Both are options of
/// `command`; `flags` is what clap has made of `args`.
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
        // Each setting is checked on its own, so that the message can name its line, and also when
        // a flag overrides it.
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

/// Returns the message of an error of [`parse`] as one line, without the usage text.
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

/// Returns `true` for the long flags of [`Options`], which EAL does not know.
fn is_option(arg: &str) -> bool {
    let name = arg.split('=').next().unwrap_or(arg);
    Options::command()
        .get_opts()
        .filter_map(clap::Arg::get_long)
        .any(|long| name.strip_prefix("--") == Some(long))
}

#[cfg(test)]
mod tests;
