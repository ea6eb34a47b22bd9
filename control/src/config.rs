//! The configuration: the command line of `flowtracker-control` and the file that it may name.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};

use crate::config_file;
use crate::door::audit::Target;
use crate::door::limits::Limits;
use crate::door::options::{Address, Doors};
use crate::door::roles::RoleOptions;
use crate::door::tls::TlsOptions;

/// Control service of flowtracker: data planes report to it, users watch and write through it.
#[derive(Clone, Debug, Parser)]
#[command(name = "flowtracker-control", version)]
pub struct Config {
    /// TOML file with the same options, spelt without dashes; flags win
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where callers come in.
    #[command(flatten)]
    pub doors: Doors,

    /// Certificates.
    #[command(flatten)]
    pub tls: TlsOptions,

    /// Who may do what.
    #[command(flatten)]
    pub roles: RoleOptions,

    /// Where each write, refusal, attachment and detachment is written down: stderr, a file, or off
    #[arg(long, value_name = "TARGET", default_value = "off")]
    pub audit_log: Target,

    /// The file that has the rules, if flags do not give them.
    #[arg(skip)]
    pub rules_in: Option<PathBuf>,

    /// TCP address for metrics and health over HTTP, or `off`; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9464")]
    pub http: Address,

    /// Events kept so that watchers can catch up and resume
    #[arg(long, value_name = "N", default_value_t = 1_048_576, value_parser = retain)]
    pub retain: usize,

    /// What callers may take.
    #[command(flatten)]
    pub limits: Limits,

    /// Print the manual page instead
    #[arg(long, hide = true)]
    pub man: bool,
}

impl Config {
    /// Parses a command line, whose `args[0]` is the program's name, and the file that it may name.
    ///
    /// # Errors
    /// An error of clap that names the flag, or the file, line and key. `--help` and `--version`
    /// are errors of clap as well.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut args: Vec<_> = args.into_iter().collect();
        let flags = Self::try_parse_from(&args)?;
        let Some(path) = &flags.config else { return Ok(flags) };
        let mut settings = config_file::read::<Self>(path)?;
        // Rules given as flags replace the file's.
        let rules_in = flags.roles.role.is_empty().then(|| path.clone());
        settings.retain(|flag| rules_in.is_some() || !flag.starts_with("--role="));
        // In front, so that flags win: the last occurrence counts.
        args.splice(1..1, settings.into_iter().map(OsString::from));
        Self::command()
            .args_override_self(true)
            .try_get_matches_from(args)
            .and_then(|m| Self::from_arg_matches(&m))
            .map(|config| Self { rules_in, ..config })
    }
}

/// Prints the effective configuration as flags that can be pasted back.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doors, tls, roles, audit_log, http, retain, limits, .. } = self;
        write!(f, "{doors}{tls}{roles}")?;
        if *audit_log != Target::Off {
            write!(f, " --audit-log={audit_log}")?;
        }
        write!(f, " --http={http} --retain={retain} {limits}")
    }
}

/// Writes the manual page, which is made from the same definitions as the flags.
pub fn write_manual(out: &mut dyn Write) -> io::Result<()> {
    clap_mangen::Man::new(Config::command()).section("8").render(out)?;
    out.write_all(include_bytes!("manual.roff"))
}

fn retain(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 event must be kept".to_owned()),
        Ok(n) => Ok(n),
        Err(e) => Err(format!("{e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Config, String> {
        let args = ["flowtracker-control"].iter().chain(args).map(OsString::from);
        Config::read(args).map_err(|error| {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        })
    }

    /// Returns the effective configuration for a file with this text and these flags.
    fn with_file(text: &str, flags: &[&str]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.toml");
        std::fs::write(&path, text).unwrap();
        let config = [&["--config", path.to_str().unwrap()], flags].concat();
        let shown = read(&config).map(|config| config.to_string());
        shown.map_err(|error| error.replace(path.to_str().unwrap(), "FILE"))
    }

    /// The bounds as they are without options.
    const LIMITS: &str = "--max-connections=256 --max-streams=64 --max-watchers=128 --max-lists=8 \
                          --max-dataplanes=16 --max-entries=134217728 \
                          --max-http-connections=64 --max-handshake=5";

    #[test]
    fn the_file_sets_what_flags_do_not() {
        for (text, flags, effective) in [
            ("", &[][..], "--listen=127.0.0.1:50051 --http=127.0.0.1:9464 --retain=1048576 LIMITS"),
            (
                "# all of it\nlisten = \"127.0.0.1:1\"\nunix = \"/run/x\"\ninsecure = true\nhttp = \"[::1]:2\"\nretain = 1_000",
                &[],
                "--listen=127.0.0.1:1 --unix=/run/x --unix-mode=0660 --insecure --http=[::1]:2 --retain=1000 LIMITS",
            ),
            (
                "listen = \"127.0.0.1:1\"\nretain = 5\nhttp = \"off\"",
                &["--retain", "7", "--listen=127.0.0.1:3"],
                "--listen=127.0.0.1:3 --http=off --retain=7 LIMITS",
            ),
            (
                "listen = \"off\"\nlisten-read = \"0.0.0.0:2\"\nunix-link = \"/run/l\"\nunix-mode = \"0600\"\nunix-group = \"adm\"",
                &[],
                "--listen=off --listen-read=0.0.0.0:2 --unix-link=/run/l --unix-mode=0600 --unix-group=adm \
                 --http=127.0.0.1:9464 --retain=1048576 LIMITS",
            ),
            (
                "http = \"off\"",
                &["--http", "127.0.0.1:0"],
                "--listen=127.0.0.1:50051 --http=127.0.0.1:0 --retain=1048576 LIMITS",
            ),
            (
                "max-connections = 1\nmax-handshake = \"0.5\"\nmax-lists = 3",
                &["--max-lists=4"],
                "--listen=127.0.0.1:50051 --http=127.0.0.1:9464 --retain=1048576 --max-connections=1 \
                 --max-streams=64 --max-watchers=128 --max-lists=4 --max-dataplanes=16 \
                 --max-entries=134217728 --max-http-connections=64 --max-handshake=0.5",
            ),
        ] {
            let effective = effective.replace("LIMITS", LIMITS);
            assert_eq!(with_file(text, flags).as_ref(), Ok(&effective), "{text}");
            let pasted: Vec<_> = effective.split(' ').collect();
            assert_eq!(read(&pasted).unwrap().to_string(), effective);
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_key_and_line() {
        for (text, told) in [
            (
                "retain = 5\nretains = 5",
                "--config FILE: line 2: unknown key `retains`: the keys are audit-log, client-ca, ",
            ),
            ("config = \"x\"", "--config FILE: line 1: unknown key `config`"),
            ("man = true", "--config FILE: line 1: unknown key `man`"),
            ("\nretain = 0", "--config FILE: line 2: invalid value '0' for '--retain <N>'"),
            (
                "http = \"on\"",
                "--config FILE: line 1: invalid value 'on' for '--http <ADDR:PORT>': must be ADDR",
            ),
            (
                "\nunix-mode = 660",
                "--config FILE: line 2: invalid value '660' for '--unix-mode <MODE>': must be octal",
            ),
            ("insecure = 5", "--config FILE: line 1: insecure: its value cannot be of type integer"),
            (
                "listen = [\"127.0.0.1:1\"]",
                "--config FILE: line 1: listen: its value cannot be of type array",
            ),
            ("listen = 5", "--config FILE: line 1: invalid value '5' for '--listen"),
            ("retain = true", "--config FILE: line 1: retain: its value cannot be of type boolean"),
            ("[retain]\nx = 1", "--config FILE: line 1: retain: its value cannot be of type table"),
            ("\nretain = ", "--config FILE: line 2"),
        ] {
            let error = with_file(text, &["--retain", "3"]).expect_err(text);
            assert!(error.contains(told), "{text}: {error}");
        }
        let error = read(&["--config", "/nonexistent/x.toml"]).unwrap_err();
        assert!(error.contains("--config /nonexistent/x.toml: No such file"), "{error}");
    }

    #[test]
    fn a_flag_given_twice_is_refused_with_and_without_a_file() {
        let twice = ["--retain", "1", "--retain", "2"];
        assert!(read(&twice).is_err() && with_file("retain = 3", &twice).is_err());
    }
}
