//! The page about the API, `control/docs/api.md`: every command on it runs as it stands, in order,
//! and prints what the page shows.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Output;

use flowtracker_proto::v1;
use flowtracker_tests::appliance::Setup;
use flowtracker_tests::grpcurl::{self, SERVICE};
use flowtracker_tests::netns::Namespace;
use flowtracker_tests::process::workspace_root;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The mark that stands for lines that are not shown.
const LEFT_OUT: &str = "…";

/// The members whose values differ between runs.
const VOLATILE: [&str; 9] =
    ["createTime", "createdMsAgo", "epoch", "idleMs", "lastSeq", "lastUsedTime", "process", "since", "time"];

/// A command of the page, and what the page shows of its output.
#[derive(Debug)]
struct Shown {
    command: String,
    output: Vec<String>,
}

/// Returns the commands in the page's `console` blocks.
fn commands(page: &str) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("$ ") {
            _ if line.starts_with("```") => inside = line == "```console",
            Some(command) if inside => {
                commands.push(Shown { command: command.to_owned(), output: Vec::new() });
            }
            None if inside => {
                commands.last_mut().expect("a command comes first").output.push(line.to_owned());
            }
            _ => {}
        }
    }
    commands
}

/// Returns a line without what differs between runs: the value of a volatile member, and numbers of
/// nanoseconds.
fn stable(line: &str) -> String {
    let member = line.trim_start().strip_prefix('"').and_then(|rest| rest.split_once("\": "));
    match member {
        Some((name, value)) if VOLATILE.contains(&name) && !value.starts_with("\"lab") => {
            line.replace(value.trim_end_matches(','), "?")
        }
        _ => line.split_inclusive(|c: char| !c.is_ascii_digit()).map(without_nanoseconds).collect(),
    }
}

/// Takes digits and what follows them, and replaces an epoch by a question mark.
fn without_nanoseconds(piece: &str) -> String {
    const EPOCH_DIGITS: usize = 19;
    let digits = piece.trim_end_matches(|c: char| !c.is_ascii_digit());
    if digits.len() == EPOCH_DIGITS { piece.replace(digits, "?") } else { piece.to_owned() }
}

/// Checks that `output` is what the page shows, except for the lines that are left out.
fn check_output(shown: &Shown, output: &str) {
    let real: Vec<String> = output.lines().map(stable).collect();
    let wanted: Vec<String> = shown.output.iter().map(|line| stable(line)).collect();
    let runs: Vec<&[String]> = wanted.split(|line| line == LEFT_OUT).collect();
    let last = runs.len() - 1;
    let mut from = 0;
    for (nth, run) in runs.iter().enumerate() {
        let end = (real.len() + 1).saturating_sub(run.len());
        let mut at = (from..end).filter(|at| {
            let here = &real[*at..*at + run.len()];
            here.iter().zip(*run).all(|(real, wanted)| is(real, wanted))
        });
        let found = if nth == last { at.next_back() } else { at.next() };
        let found = found.unwrap_or_else(|| panic!("{shown:#?}\nhas no such lines: {run:#?}\n{output}"));
        assert!(nth > 0 || found == 0, "{shown:#?}\ndoes not begin so:\n{output}");
        from = found + run.len();
    }
    assert_eq!(from, real.len(), "{shown:#?}\ndoes not end so:\n{output}");
}

/// Compares a line of output with a line of the page, which may cut a long line short.
fn is(real: &str, wanted: &str) -> bool {
    wanted.strip_suffix(LEFT_OUT).map_or(real == wanted, |beginning| real.starts_with(beginning))
}

/// Returns grpcurl's exit status: 64 plus the status code that the page shows, or 0 if it shows
/// none.
fn status(shown: &Shown) -> i32 {
    let code = shown.output.iter().find_map(|line| line.strip_prefix("  Code: "));
    let number = match code {
        None => return 0,
        Some("InvalidArgument") => tonic::Code::InvalidArgument,
        Some("DeadlineExceeded") => tonic::Code::DeadlineExceeded,
        Some("NotFound") => tonic::Code::NotFound,
        Some("FailedPrecondition") => tonic::Code::FailedPrecondition,
        Some("OutOfRange") => tonic::Code::OutOfRange,
        Some(other) => panic!("what number has {other}?"),
    };
    64 + number as i32
}

/// The answer of a health check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Health {
    status: String,
}

fn parse<T: DeserializeOwned>(answers: &str) -> Vec<T> {
    let read = serde_json::Deserializer::from_str(answers).into_iter().collect::<Result<_, _>>();
    read.unwrap_or_else(|error| panic!("{error}: not a {}: {answers}", std::any::type_name::<T>()))
}

/// Parses answers as messages of the method, and returns their number.
fn answers(method: &str, text: &str) -> usize {
    match method {
        "WatchEvents" => parse::<v1::WatchEventsResponse>(text).len(),
        "GetEntry" => parse::<v1::GetEntryResponse>(text).len(),
        "ListEntries" => parse::<v1::ListEntriesResponse>(text).len(),
        "CreateEntry" => parse::<v1::CreateEntryResponse>(text).len(),
        "UpdateEntry" => parse::<v1::UpdateEntryResponse>(text).len(),
        "DeleteEntry" => parse::<v1::DeleteEntryResponse>(text).len(),
        "FlushEntries" => parse::<v1::FlushEntriesResponse>(text).len(),
        "GetTable" => parse::<v1::GetTableResponse>(text).len(),
        "UpdateTable" => parse::<v1::UpdateTableResponse>(text).len(),
        "GetIntrospection" => {
            let answers = parse::<v1::GetIntrospectionResponse>(text);
            for answer in &answers {
                let document: serde_json::Value =
                    serde_json::from_str(&answer.json).expect("JSON in a string");
                assert_eq!(document["tables"][0]["keysize"], 136);
            }
            answers.len()
        }
        "Load" => parse::<v1::LoadResponse>(text).len(),
        "Purge" => parse::<v1::PurgeResponse>(text).len(),
        "ListDataplanes" => parse::<v1::ListDataplanesResponse>(text).len(),
        "GetStats" => parse::<v1::GetStatsResponse>(text).len(),
        "WhoAmI" => parse::<v1::WhoAmIResponse>(text).len(),
        "Check" | "Watch" => {
            let answers = parse::<Health>(text);
            assert!(answers.iter().all(|answer| answer.status == "SERVING"));
            answers.len()
        }
        other => panic!("{other} is no method"),
    }
}

/// Returns the method that a command calls.
fn method(command: &str) -> Option<&str> {
    let (service, method) = command.split(' ').next_back()?.split_once('/')?;
    (service == SERVICE || service == "grpc.health.v1.Health").then_some(method)
}

/// Returns the reasons in `text`, which are words in capitals between two `quote`s.
fn reasons(text: &str, quote: char) -> BTreeSet<&str> {
    let capitals = |word: &&str| word.len() > 4 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    text.split(quote).filter(capitals).collect()
}

#[test]
fn the_table_of_errors_has_every_reason_that_is_given_and_no_other() {
    let read = |path: &str| std::fs::read_to_string(workspace_root().join(path)).expect(path);
    let page = read("control/docs/api.md");
    let errors = page.split("\n## ").find(|section| section.starts_with("Errors\n")).expect("a section");
    let sources = [
        "control/src/api/service.rs",
        "control/src/api/ask.rs",
        "control/src/api/tables.rs",
        "control/src/api/fault.rs",
        "control/src/api/list.rs",
        "control/src/link/attach.rs",
        "control/src/link/authors.rs",
        "control/src/link/hello.rs",
        "control/src/link/ingest.rs",
        "control/src/link/refused.rs",
        "control/src/link/links.rs",
        "control/src/api/watch.rs",
        "control/src/door/access.rs",
        "control/src/door/connections.rs",
        "control/src/door/request.rs",
        "dataplane/src/export/desk.rs",
        "dataplane/src/export/refusal.rs",
    ]
    .map(read);
    // Reasons that only unit tests name do not count.
    let product = sources.iter().filter_map(|source| source.split("#[cfg(test)]").next());
    let given: BTreeSet<&str> = product.flat_map(|source| reasons(source, '"')).collect();
    assert_eq!(reasons(errors, '`'), given);
}

#[test]
fn every_command_prints_what_the_page_shows() {
    let page = std::fs::read_to_string(workspace_root().join("control/docs/api.md")).expect("the page");
    let commands = commands(&page);
    let alone = Namespace::new("api");
    let devices = ["net_null0,no-rx=1", "net_null1,no-rx=1"].map(str::to_owned);
    let appliance = Setup::new(&alone, &devices).id("lab").start();
    let mut path = OsString::from(grpcurl::program().parent().expect("a file has a folder"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    for shown in &commands {
        let mut shell = alone.command("sh");
        let output = shell.args(["-c", &shown.command]).env("PATH", &path).output().expect("a shell");
        let Output { status: ended, stdout, stderr } = output;
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert_eq!(ended.code(), Some(status(shown)), "{shown:#?}\n{stdout}{stderr}");
        check_output(shown, &format!("{stdout}{stderr}"));
        if let Some(method) = method(&shown.command) {
            let answered = answers(method, &stdout);
            let shows_some = shown.output.first().is_some_and(|line| line == "{");
            assert_eq!(answered > 0, shows_some, "{shown:#?}\n{stdout}");
        }
    }

    // The page has every method that the service offers.
    let called: Vec<_> = commands.iter().filter_map(|shown| method(&shown.command)).collect();
    for name in appliance.grpcurl().list(Some(SERVICE)).expect("listed") {
        let name = name.rsplit('.').next().expect("a last part");
        assert!(called.contains(&name), "{name} is not called on the page");
        assert!(page.contains(&format!("\n### {name}\n")), "{name} has no section");
    }
    appliance.stop();
}
