//! The dialect of P4TC's `tc`: `ctl mon p4 events`, `ctl p4ctrl get …`.
//!
//! Words are read one after the other as `tc` does; commands and options may be
//! shortened to any unambiguous prefix. An error is one line on standard error,
//! `Error: MSG.`, and exit status 255.

use flowtracker_proto::v1::{
    DeleteEntryRequest, DeleteReason, Entry, Event, EventType, GetEntryRequest, ListEntriesRequest,
};
use tonic::Code;
use tonic_types::StatusExt;

use super::follow::{Follower, Origin};
use super::key_words::{self, KeyError};
use super::{DEFAULT_SERVER, Failure, SERVER_VARIABLE, connect, output};
use crate::convert::{PERMISSION_PUBLISH, PERMISSION_READ, PIPELINE};
use crate::render::tc::Stamp;
use crate::render::{ENTRIES_PER_MESSAGE, json, tc};

/// Exit status of every error.
const FAILED: u8 = 255;
/// Entries that one command may name.
const BATCH_MAX: usize = 16;

/// Options in front of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Flags {
    json: bool,
    pretty: bool,
    details: bool,
    echo: bool,
    stamp: Stamp,
    server: Option<String>,
    dataplane: String,
}

/// `tc`'s options, in the order in which a prefix is tried.
const OPTIONS: [&str; 6] = ["json", "pretty", "details", "echo", "timestamp", "tshort"];
/// Options of `ctl` that take a value.
const VALUED: [&str; 4] = ["--server", "--dataplane", "-o", "--output"];

/// A failure, with the text that `tc` users know.
#[derive(Debug)]
enum Error {
    Said(String),
    Failed(Failure),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Failed(status.into())
    }
}

fn say<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Said(message.into()))
}

/// True when these arguments are a command of `tc`.
pub(super) fn speaks(arguments: &[String]) -> bool {
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if VALUED.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            return command(word).is_some();
        }
    }
    false
}

/// Commands of `tc` that we have, or refuse with a reason.
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

/// Runs a command of `tc` and gives its exit status.
pub(super) async fn main(arguments: Vec<String>) -> u8 {
    match run(arguments).await {
        Ok(()) | Err(Error::Failed(Failure::NobodyReads)) => 0,
        Err(error) => {
            let message = match error {
                Error::Said(message) => message,
                Error::Failed(failure) => failure.message().unwrap_or_default(),
            };
            output::complain(&format!("Error: {}.", message.trim_end_matches('.')));
            FAILED
        }
    }
}

async fn run(arguments: Vec<String>) -> Result<(), Error> {
    let (flags, words) = flags(&arguments)?;
    let Some((first, rest)) = words.split_first() else { return say("No command given") };
    match command(first) {
        Some(Command::Monitor) => {
            check_monitor(rest)?;
            Ok(output::until_interrupted(monitor(flags)).await?)
        }
        Some(Command::Ctrl) => ctrl(&flags, rest).await,
        Some(Command::Template) => say("p4template is not supported by this version"),
        None => say(format!("Unknown command \"{first}\"")),
    }
}

/// Reads the options in front of the command; the rest is the command.
fn flags(arguments: &[String]) -> Result<(Flags, &[String]), Error> {
    let mut flags = Flags {
        json: false,
        pretty: false,
        details: false,
        echo: false,
        stamp: Stamp::None,
        server: None,
        dataplane: String::new(),
    };
    let mut at = 0;
    while let Some(word) = arguments.get(at).filter(|w| w.starts_with('-')) {
        at += 1;
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        if VALUED.contains(&name) {
            if value.is_none() {
                value = arguments.get(at).cloned();
                at += 1;
            }
            let Some(value) = value else { return say(format!("Option \"{name}\" needs a value")) };
            match name {
                "--server" => flags.server = Some(value),
                "--dataplane" => flags.dataplane = value,
                _ => return say(format!("Option \"{name}\" does not go with tc's commands")),
            }
            continue;
        }
        let short = name.trim_start_matches('-');
        match OPTIONS.iter().find(|option| !short.is_empty() && option.starts_with(short)) {
            Some(&"json") => flags.json = true,
            Some(&"pretty") => flags.pretty = true,
            Some(&"details") => flags.details = true,
            Some(&"echo") => flags.echo = true,
            Some(&"timestamp") if flags.stamp == Stamp::None => flags.stamp = Stamp::Long,
            Some(&"timestamp") => {}
            Some(&"tshort") => flags.stamp = Stamp::Short,
            _ => return say(format!("Option \"{word}\" is unknown")),
        }
    }
    Ok((flags, arguments.get(at..).unwrap_or_default()))
}

impl Flags {
    fn server(&self) -> String {
        let environment = || std::env::var(SERVER_VARIABLE).ok().filter(|v| !v.is_empty());
        self.server.clone().or_else(environment).unwrap_or_else(|| DEFAULT_SERVER.to_owned())
    }
}

/// Reads what follows `monitor`: `p4 events [PATH]`.
fn check_monitor(words: &[String]) -> Result<(), Error> {
    let mut words = words.iter().map(String::as_str);
    match (words.next(), words.next()) {
        (Some("p4"), Some(what)) if "events".starts_with(what) && !what.is_empty() => {}
        _ => return say("Only \"monitor p4 events\" is supported"),
    }
    match (words.next(), words.next()) {
        (None, _) => Ok(()),
        (Some(path), None) => check_path(path),
        (Some(path), Some("filter")) => {
            check_path(path)?;
            say("Filters are not supported by this version")
        }
        (Some(_), Some(word)) => say(format!("Unknown argument \"{word}\"")),
    }
}

/// Reads `PIPELINE/table/CONTROL/TABLE`.
fn check_path(path: &str) -> Result<(), Error> {
    let mut parts = path.splitn(3, '/');
    let (pipeline, object, table) = (parts.next(), parts.next(), parts.next());
    if pipeline != Some(PIPELINE) {
        return say("Pipeline name not found");
    }
    if object != Some("table") {
        return say("Unknown object type");
    }
    match table {
        Some("Main/ct_flow_table" | "Main/ct_tcp_table" | "ct_flow_table" | "ct_tcp_table") => Ok(()),
        _ => say("Table name not found"),
    }
}

async fn monitor(flags: Flags) -> Result<(), Failure> {
    let source = Follower::start(flags.server(), flags.dataplane.clone(), Origin::Now).await?;
    let mut seen = Seen::default();
    let render = move |out: &mut String, event: &Event| {
        if event.r#type() == EventType::Gap {
            output::complain(tc::OVERRUN);
        }
        if seen.shows(event) {
            tc::stamp(out, event.time.as_ref(), flags.stamp);
            tc::event(out, event, flags.details);
        }
    };
    output::follow(source, render).await
}

/// Which events P4TC would have published.
#[derive(Default)]
struct Seen {
    /// After a gap, until SYNCED: entries that are there, not events.
    catching_up: bool,
}

impl Seen {
    fn shows(&mut self, event: &Event) -> bool {
        match event.r#type() {
            EventType::Gap => self.catching_up = true,
            EventType::Synced => self.catching_up = false,
            EventType::Flushed => return true,
            EventType::Created | EventType::Updated | EventType::Deleted => {
                let published = event.entry.as_ref().is_some_and(is_published);
                // A flush is told of once, by FLUSHED.
                return published && !self.catching_up && event.reason() != DeleteReason::Flush;
            }
            EventType::Unspecified | EventType::Lifecycle | EventType::Progress => {}
        }
        false
    }
}

fn is_published(entry: &Entry) -> bool {
    entry.permissions & PERMISSION_PUBLISH != 0
}

/// `p4ctrl VERB PATH …`.
async fn ctrl(flags: &Flags, words: &[String]) -> Result<(), Error> {
    let Some((verb, rest)) = words.split_first() else { return say("No verb given") };
    let verbs = ["create", "update", "get", "delete"];
    let Some(verb) = verbs.into_iter().find(|v| !verb.is_empty() && v.starts_with(verb.as_str())) else {
        return say(format!("Unknown verb \"{verb}\""));
    };
    let Some((path, body)) = rest.split_first() else { return say("No path given") };
    check_path(path)?;
    let keys = keys(body)?;
    match verb {
        "get" if keys.is_empty() => dump(flags).await,
        "get" => get(flags, keys).await,
        "delete" if keys.is_empty() => say("Flush is not supported by this version"),
        "delete" => delete(flags, keys).await,
        verb => say(format!("{verb} is not supported by this version")),
    }
}

/// Reads `[pipeid 1] [tblid 1] KEY ("entry" KEY)*`.
fn keys(mut words: &[String]) -> Result<Vec<flowtracker_proto::v1::Key>, Error> {
    while let [name, value, rest @ ..] = words {
        match (name.as_str(), value.as_str()) {
            ("pipeid" | "tblid", "1") => words = rest,
            ("pipeid", _) => return say("Pipeline name not found"),
            ("tblid", _) => return say("Table name not found"),
            _ => break,
        }
    }
    if words.is_empty() {
        return Ok(Vec::new());
    }
    if words[0] == "filter" {
        return say("Filters are not supported by this version");
    }
    let mut keys = Vec::new();
    for key in words.split(|word| word == "entry") {
        if key.iter().any(|word| word == "prio" || word == "priority") {
            return say("Mustn't specify entry priority for exact");
        }
        match key_words::parse(key) {
            Ok(key) => keys.push(key.to_proto()),
            Err(KeyError::Missing(_)) => return say("Key blob size and table key size differ"),
            Err(KeyError::Wrong(why)) => return say(why),
        }
    }
    if keys.len() > BATCH_MAX {
        return say(format!("At most {BATCH_MAX} entries may be named"));
    }
    Ok(keys)
}

/// The text that upstream has for a refusal.
fn refusal(status: tonic::Status, denied: &str) -> Error {
    let reason = status.get_details_error_info().map(|info| info.reason);
    match status.code() {
        Code::NotFound if reason.as_deref() == Some("NO_ENTRY") => {
            Error::Said("Unable to find entry".to_owned())
        }
        Code::PermissionDenied => Error::Said(denied.to_owned()),
        _ => status.into(),
    }
}

async fn get(flags: &Flags, keys: Vec<flowtracker_proto::v1::Key>) -> Result<(), Error> {
    let mut client = connect::client(&flags.server()).await?;
    let mut entries = Vec::new();
    for key in keys {
        let request = GetEntryRequest { key: Some(key), dataplane: flags.dataplane.clone() };
        let response = client.get_entry(connect::request(request)).await;
        let response = response.map_err(|status| refusal(status, "Unable to read table entry"))?;
        let entry = response.into_inner().entry.unwrap_or_default();
        if !is_published(&entry) {
            return say("Unable to publish read entry");
        }
        entries.push(entry);
    }
    Ok(output::put(&message(flags, "", &entries))?)
}

async fn delete(flags: &Flags, keys: Vec<flowtracker_proto::v1::Key>) -> Result<(), Error> {
    let mut client = connect::client(&flags.server()).await?;
    let mut entries = Vec::new();
    for key in keys {
        let request = DeleteEntryRequest { key: Some(key), dataplane: flags.dataplane.clone() };
        let response = client.delete_entry(connect::request(request)).await;
        let response = response.map_err(|status| refusal(status, "Operation not permitted"))?;
        entries.extend(response.into_inner().entry);
    }
    if flags.echo { Ok(output::put(&message(flags, "deleted", &entries))?) } else { Ok(()) }
}

/// One message of up to 16 entries, as text or as a whole JSON document.
fn message(flags: &Flags, verb: &str, entries: &[Entry]) -> String {
    if flags.json {
        return json::document(&json::message(entries, verb == "deleted"), flags.pretty);
    }
    let mut text = String::new();
    tc::pipeline(&mut text, verb);
    entries.iter().for_each(|entry| tc::entry(&mut text, entry, flags.details));
    text
}

/// All entries that may be read, 16 per message.
async fn dump(flags: &Flags) -> Result<(), Error> {
    let mut client = connect::client(&flags.server()).await?;
    let request = ListEntriesRequest { dataplane: flags.dataplane.clone(), ..ListEntriesRequest::default() };
    let mut stream = client.list_entries(connect::request(request)).await?.into_inner();
    let mut waiting: Vec<Entry> = Vec::new();
    let mut pieces = Vec::new();
    while let Some(response) = stream.message().await? {
        let readable = |e: &Entry| e.permissions & PERMISSION_READ != 0;
        waiting.extend(response.entries.into_iter().filter(readable));
        let whole = waiting.len() - waiting.len() % ENTRIES_PER_MESSAGE;
        for entries in waiting[..whole].chunks(ENTRIES_PER_MESSAGE) {
            emit(flags, entries, &mut pieces)?;
        }
        waiting.drain(..whole);
    }
    if !waiting.is_empty() {
        emit(flags, &waiting, &mut pieces)?;
    }
    if flags.json { Ok(output::put(&json::document(&pieces, flags.pretty))?) } else { Ok(()) }
}

/// Prints a message of a dump; JSON is one document, printed at the end.
fn emit(flags: &Flags, entries: &[Entry], pieces: &mut Vec<json::Piece>) -> Result<(), Error> {
    if flags.json {
        pieces.extend(json::message(entries, false));
        return Ok(());
    }
    Ok(output::put(&message(flags, "", entries))?)
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
            ("watch", false),
            ("delete monitor", false),
            ("", false),
        ] {
            assert_eq!(speaks(&words(text)), tc, "{text}");
        }
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
            let (flags, rest) = flags(&arguments).unwrap();
            assert_eq!(flags.stamp, stamp, "{text}");
            assert_eq!(rest, ["mon"]);
        }
        assert!(matches!(flags(&words("-x mon")), Err(Error::Said(_))));
        assert!(matches!(flags(&words("--server")), Err(Error::Said(_))));
    }

    #[test]
    fn paths_are_checked_part_by_part() {
        let said = |path| match check_path(path) {
            Ok(()) => String::new(),
            Err(Error::Said(message)) => message,
            Err(Error::Failed(failure)) => format!("{failure:?}"),
        };
        assert_eq!(said("flowtracker/table/Main/ct_flow_table"), "");
        assert_eq!(said("flowtracker/table/Main/ct_tcp_table"), "");
        assert_eq!(said("other/table/Main/ct_flow_table"), "Pipeline name not found");
        assert_eq!(said("flowtracker/table/Main/other"), "Table name not found");
        assert_eq!(said("flowtracker/extern/x"), "Unknown object type");
    }
}
