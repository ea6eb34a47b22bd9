//! Options in front of a command of `tc`.

use super::{Error, say};
use crate::cli::Failure;
use crate::cli::connect::{self, Place, Target};
use crate::cli::follow::Scope;
use crate::render::tc::Stamp;

/// The values of the options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) json: bool,
    pub(super) pretty: bool,
    pub(super) details: bool,
    pub(super) echo: bool,
    pub(super) force: bool,
    pub(super) stamp: Stamp,
    /// File of commands.
    pub(super) batch: Option<String>,
    place: Place,
    pub(super) dataplane: String,
}

/// `tc`'s options, in the order in which a prefix is tried.
const OPTIONS: [&str; 8] = ["json", "pretty", "details", "echo", "force", "batch", "timestamp", "tshort"];
/// Options of `ctl` that take a value.
const VALUED: [&str; 10] = [
    "--server",
    "--cacert",
    "--cert",
    "--key",
    "--server-name",
    "--context",
    "--timeout",
    "--dataplane",
    "-o",
    "--output",
];

/// Returns the option of `tc` that `word` names or abbreviates.
fn option(word: &str) -> Option<&'static str> {
    let name = word.trim_start_matches('-');
    OPTIONS.into_iter().find(|option| !name.is_empty() && option.starts_with(name))
}

/// Returns the word that decides the dialect: the option `-batch`, or else the first word that is
/// neither an option nor the value of one.
pub(super) fn verdict(arguments: &[String]) -> Option<&str> {
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if VALUED.contains(&word) {
            words.next();
        } else if !word.starts_with('-') || (!word.starts_with("--") && option(word) == Some("batch")) {
            return Some(word);
        }
    }
    None
}

/// Reads the options; returns them and the command after them.
pub(super) fn read(arguments: &[String]) -> Result<(Flags, &[String]), Error> {
    let mut flags = Flags::default();
    let mut rest = arguments;
    while let [word, behind @ ..] = rest
        && word.starts_with('-')
    {
        rest = behind;
        let (name, given) = match word.split_once('=') {
            Some((name, value)) if VALUED.contains(&name) => (name, Some(value)),
            _ => (word.as_str(), None),
        };
        match name {
            "--server" => flags.place.server = Some(value(name, given, &mut rest)?),
            "--cacert" => flags.place.cacert = Some(value(name, given, &mut rest)?),
            "--cert" => flags.place.cert = Some(value(name, given, &mut rest)?),
            "--key" => flags.place.key = Some(value(name, given, &mut rest)?),
            "--server-name" => flags.place.server_name = Some(value(name, given, &mut rest)?),
            "--context" => flags.place.context = Some(value(name, given, &mut rest)?),
            "--timeout" => {
                let read = connect::timeout(&value(name, given, &mut rest)?);
                flags.place.timeout = Some(read.or_else(|why| say(format!("{name}: {why}")))?);
            }
            "--dataplane" => flags.dataplane = value(name, given, &mut rest)?,
            "-o" | "--output" => return say(format!("Option \"{name}\" does not go with tc's commands")),
            _ => match option(name) {
                Some("json") => flags.json = true,
                Some("pretty") => flags.pretty = true,
                Some("details") => flags.details = true,
                Some("echo") => flags.echo = true,
                Some("force") => flags.force = true,
                Some("batch") => flags.batch = Some(value(name, None, &mut rest)?),
                Some("timestamp") if flags.stamp == Stamp::None => flags.stamp = Stamp::Long,
                Some("timestamp") => {}
                Some("tshort") => flags.stamp = Stamp::Short,
                _ => return say(format!("Option \"{word}\" is unknown")),
            },
        }
    }
    Ok((flags, rest))
}

/// Returns the value of an option: the text after its `=`, or else the next word.
fn value(name: &str, given: Option<&str>, rest: &mut &[String]) -> Result<String, Error> {
    match (given, *rest) {
        (Some(value), _) => Ok(value.to_owned()),
        (None, [next, behind @ ..]) => {
            *rest = behind;
            Ok(next.clone())
        }
        (None, []) => say(format!("Option \"{name}\" needs a value")),
    }
}

impl Flags {
    /// Returns where the service is, and how long to wait for it.
    pub(super) fn target(&self) -> Result<Target, Failure> {
        self.place.target()
    }

    /// Returns the scope of all events that match, on the data plane that the options name.
    pub(super) fn scope(&self, pipeline: String, filter: String) -> Scope {
        Scope { dataplane: self.dataplane.clone(), pipeline, filter }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_may_be_shortened() {
        for (text, stamp) in [
            ("mon", Stamp::None),
            ("-t mon", Stamp::Long),
            ("-ti mon", Stamp::Long),
            ("-ts mon", Stamp::Short),
            ("-timestamp -tshort mon", Stamp::Short),
            ("-tshort -timestamp mon", Stamp::Short),
        ] {
            let arguments = words(text);
            let (flags, rest) = read(&arguments).unwrap();
            assert_eq!(flags.stamp, stamp, "{text}");
            assert_eq!(rest, ["mon"]);
        }
        let arguments = words("-j -p -d -e -f -b - --server=http://a:1 --timeout 2s --dataplane x rest");
        let (flags, rest) = read(&arguments).unwrap();
        assert!(flags.json && flags.pretty && flags.details && flags.echo && flags.force);
        assert_eq!((flags.batch.as_deref(), flags.place.server.as_deref()), (Some("-"), Some("http://a:1")));
        assert_eq!((flags.dataplane.as_str(), rest.len()), ("x", 1));
        for text in [
            "-x mon",
            "- mon",
            "--timeout x mon",
            "--server",
            "-batch",
            "-o json mon",
            "--output=json mon",
            "-json=1 mon",
        ] {
            assert!(matches!(read(&words(text)), Err(Error::Said(_))), "{text}");
        }
    }
}
