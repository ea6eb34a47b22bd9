//! The dialect of P4TC's `tc`: `ctl mon p4 events`, `ctl p4ctrl get …`.
//!
//! Words are read in order, as `tc` does; commands and options may be shortened to any unambiguous
//! prefix. An error is one line on standard error, `Error: MSG.`, and exit status 255.

mod action;
mod batch;
mod body;
mod create;
mod delete;
mod error;
mod flags;
mod get;
mod help;
mod message;
mod monitor;
mod path;
mod refusal;
mod table_attrs;
mod template;
mod texts;
mod update;
mod verb;
mod words;
mod writes;

use flowtracker_proto::v1::Entry;
use tokio::sync::OnceCell;

use self::error::{Error, say};
use self::flags::Flags;
use self::texts::NO_PATH;
use self::verb::Verb;
use super::connect::{Client, Target};
use super::{Failure, connect, output};
use flowtracker_proto::table::PERMISSION_PUBLISH;

/// Exit status of every error.
const FAILED: u8 = 255;

/// Returns true when these arguments are a command of `tc`, or a batch of them.
pub(super) fn speaks(arguments: &[String]) -> bool {
    flags::verdict(arguments).is_some_and(|word| word.starts_with('-') || command(word).is_some())
}

/// Commands of `tc` that `ctl` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Monitor,
    Ctrl,
    Template,
}

fn command(word: &str) -> Option<Command> {
    // At least three letters: `m` and `p` stay free for everyday verbs.
    let is = |name: &str| word.len() >= 3 && name.starts_with(word);
    match () {
        () if is("monitor") => Some(Command::Monitor),
        () if is("p4ctrl") => Some(Command::Ctrl),
        () if is("p4template") => Some(Command::Template),
        () => None,
    }
}

/// Runs a command of `tc`, or a batch of them, and returns the exit status.
pub(super) async fn main(arguments: Vec<String>) -> u8 {
    match flags::read(&arguments) {
        Ok((flags, words)) => {
            let tc = Tc { flags, service: OnceCell::new() };
            match &tc.flags.batch {
                Some(file) => batch::run(&tc, file).await,
                None => report(tc.run(words).await),
            }
        }
        Err(error) => report(Err(error)),
    }
}

/// Prints the error, if any, and returns the exit status.
fn report(ended: Result<(), Error>) -> u8 {
    match ended {
        Ok(()) | Err(Error::Failed(Failure::NobodyReads)) => 0,
        Err(error) => {
            output::complain(&format!("Error: {}.", error.message().trim_end_matches('.')));
            FAILED
        }
    }
}

/// The state that the commands of one run share.
struct Tc {
    flags: Flags,
    /// Connected when first needed.
    service: OnceCell<(Target, Client)>,
}

impl Tc {
    /// Returns the service: how it is asked, and its client.
    async fn service(&self) -> Result<(Target, Client), Failure> {
        let dial = async || {
            let target = self.flags.target()?;
            let client = connect::client(&target).await?;
            Ok((target, client))
        };
        self.service.get_or_try_init(dial).await.cloned()
    }

    /// Runs one command.
    async fn run(&self, words: &[String]) -> Result<(), Error> {
        let Some((first, rest)) = words.split_first() else { return say("No command given") };
        match command(first) {
            Some(Command::Monitor) => {
                let wanted = monitor::read(rest)?;
                Ok(output::until_interrupted(monitor::run(self.flags.clone(), wanted)).await?)
            }
            Some(Command::Ctrl) => self.ctrl(rest).await,
            Some(Command::Template) => template::run(self, rest).await,
            None => say(format!("Unknown command \"{first}\"")),
        }
    }

    /// Runs `p4ctrl VERB PATH BODY`.
    async fn ctrl(&self, words: &[String]) -> Result<(), Error> {
        let [create, update, get, delete] = Verb::ENTRIES;
        let (verb, rest) = Verb::parse(words, &[create, update, get, delete, Verb::Help])?;
        if verb == Verb::Help {
            return help::usage();
        }
        let Some((path, body)) = rest.split_first() else { return say(NO_PATH) };
        let table = path::table(path)?;
        if body.first().is_some_and(|word| word == "help") {
            return help::body(table, verb.writes());
        }
        match verb {
            Verb::Create => create::run(self, table, body::create(table, body)?).await,
            Verb::Update => update::run(self, table, body::update(table, body)?).await,
            Verb::Get => get::run(self, table, body::choice(table, body)?).await,
            Verb::Delete | Verb::Help => delete::run(self, table, body::choice(table, body)?).await,
        }
    }
}

/// Returns true if P4TC publishes events of the entry: it does so only with the control half's P
/// bit.
fn is_published(entry: &Entry) -> bool {
    entry.permissions & PERMISSION_PUBLISH != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_dialect_is_told_by_the_first_word() {
        for (text, tc) in [
            ("mon p4 events", true),
            ("-timestamp -tshort monitor p4 events", true),
            ("-j p4ctrl get x", true),
            ("--server http://[::1]:1 p4c get", true),
            ("--server mon list", false),
            ("-o mon list", false),
            ("p4template get x", true),
            ("-batch list", true),
            ("-force -b -", true),
            ("--server x -b list", true),
            ("list -b", false),
            ("--b x", false),
            ("watch", false),
            ("delete monitor", false),
            ("", false),
        ] {
            assert_eq!(speaks(&words(text)), tc, "{text}");
        }
    }
}
