//! Checks what the pages say: links and paths lead somewhere, targets of `make` exist, the programs
//! accept the command lines of the README and of the operator's guide, examples print what is
//! shown, and two pages keep to their length.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flowtracker_tests::process::{binary, run, workspace_root};
use tempfile::TempDir;

const README: &str = "README.md";
const GUIDE: &str = "dataplane/docs/guide.md";
const LAB: &str = "tests/perf/README.md";

/// An entry's key, which replaces `KEY` in a command line.
const KEY: &str = "port0/tcp/10.0.0.1:40009-10.0.0.2:80";

/// A page of the workspace, by its path from the root.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref().to_owned();
        Self { text: read(&path), path }
    }

    /// Returns the text without fenced blocks and code spans.
    fn prose(&self) -> String {
        let outside = self.text.split("```").step_by(2);
        outside.flat_map(|text| text.split('`').step_by(2)).collect()
    }

    /// Returns the fenced blocks, without their language.
    fn fenced(&self) -> impl Iterator<Item = &str> {
        let blocks = self.text.split("```").skip(1).step_by(2);
        blocks.map(|block| block.split_once('\n').map_or("", |(_, block)| block))
    }

    /// Returns the code spans as a reader sees them: in a table, `\|` is a bar.
    fn spans(&self) -> Vec<String> {
        let outside = self.text.split("```").step_by(2);
        let spans = outside.flat_map(|text| text.split('`').skip(1).step_by(2));
        spans.map(|span| span.replace("\\|", "|")).collect()
    }

    /// Returns the lines of code: those of fenced blocks with continued lines joined, those of
    /// indented blocks, and the code spans.
    fn code(&self) -> Vec<String> {
        let indented = self.text.lines().filter(|line| line.starts_with("    "));
        let indented = indented.map(|line| line.trim().to_owned());
        let joined = self.fenced().map(|block| block.replace("\\\n", " "));
        let fenced = joined.flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>());
        indented.chain(fenced).chain(self.spans()).collect()
    }

    /// Returns the anchors of the headings, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let outside: String = self.text.split("```").step_by(2).collect();
        let headings = outside.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(workspace_root().join(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns every page of the workspace.
fn pages() -> Vec<Page> {
    let root = workspace_root();
    let (mut folders, mut pages) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(Page::read(path.strip_prefix(root).expect("below the root")));
            }
        }
    }
    assert!(pages.len() > 10, "the pages are where they are looked for");
    pages
}

/// Returns the targets of the page's links that stay in the workspace.
fn links(page: &Page) -> Vec<String> {
    let prose = page.prose();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let inside = targets.filter(|(target, _)| !target.contains("://"));
    inside.map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    let (mut broken, mut followed) = (Vec::new(), 0);
    for page in pages() {
        for link in links(&page) {
            followed += 1;
            let (file, heading) = link.split_once('#').map_or((&*link, None), |(file, at)| (file, Some(at)));
            let target = match file {
                "" => page.path.clone(),
                file => page.path.parent().expect("a folder").join(file),
            };
            let there = workspace_root().join(&target).exists();
            let known = |heading: &str| there && Page::read(&target).anchors().contains(heading);
            if !there || !heading.is_none_or(known) {
                broken.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(followed > 100, "{followed} links");
}

#[test]
fn the_readmes_map_names_what_exists() {
    let readme = Page::read(README);
    let map = readme.text.split_once("\n## The map\n").expect("a map").1;
    let map = map.split("\n## ").next().unwrap_or_default();
    let page = Page { path: README.into(), text: map.to_owned() };
    let is_path = |span: &&String| {
        span.contains('/') && span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-*".contains(c))
    };
    let spans = page.spans();
    let named: Vec<_> = spans.iter().filter(is_path).collect();
    let missing: Vec<_> = named.iter().filter(|path| !workspace_root().join(path).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(named.len() > 40, "{named:?}");

    // The map also has entries of the form `NAME` in `FILE`.
    for (before, after) in map.match_indices("` in `").map(|(at, _)| (&map[..at], &map[at + 6..])) {
        let name = before.rsplit('`').next().expect("a span");
        let file = after.split('`').next().expect("a span");
        assert!(read(Path::new(file)).contains(name), "{name} in {file}");
    }
}

/// Returns the targets of `make` that a line of code names.
fn made(line: &str) -> Vec<String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let is_target = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let after = words.iter().enumerate().filter(|(_, word)| **word == "make").map(|(at, _)| &words[at + 1..]);
    after.flat_map(|rest| rest.iter().take_while(is_target)).map(|word| (*word).to_owned()).collect()
}

#[test]
fn every_target_of_make_exists() {
    let makefile = read(Path::new("Makefile"));
    let rules = makefile.lines().filter(|line| !line.starts_with(['\t', '#', '.']));
    let targets: BTreeSet<_> =
        rules.filter_map(|line| line.split_once(':')).map(|(target, _)| target).collect();
    let mut named = BTreeSet::new();
    for page in pages() {
        for target in page.code().iter().flat_map(|line| made(line)) {
            assert!(targets.contains(&*target), "{}: make {target}", page.path.display());
            named.insert(target);
        }
    }
    let readme: BTreeSet<_> = Page::read(README).code().iter().flat_map(|line| made(line)).collect();
    assert!(readme.contains("demo") && readme.contains("test"), "{readme:?}");
    assert!(named.len() > 8, "{named:?}");
}

/// Splits a command into words as a shell does, up to the first character that ends the command.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '&' | ';') => break,
            (None, '#') if word.is_empty() => break,
            (None, ' ' | '\n') => words.push(std::mem::take(&mut word)),
            (_, c) => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Returns the command lines of `program` on a page, except those that only name it.
fn command_lines(page: &Page, program: &str) -> Vec<Vec<String>> {
    let lines = page.code().into_iter().map(|line| words(line.strip_prefix("$ ").unwrap_or(&line)));
    lines.filter(|words| words.len() > 1 && words[0] == program).map(|words| words[1..].to_vec()).collect()
}

/// A folder with the files for which the placeholders stand.
struct Stand {
    folder: TempDir,
}

impl Stand {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let batch = "p4ctrl get flowtracker/table/Main/ct_flow_table\n";
        fs::write(folder.path().join("batch"), batch).expect("written");
        let contexts = "[contexts.NAME]\nserver = \"http://127.0.0.1:9\"\n";
        fs::write(folder.path().join("config.toml"), contexts).expect("written");
        run(Command::new(workspace_root().join("docker/certs.sh")).arg(folder.path().join("certs")));
        Self { folder }
    }

    /// Runs a program with the arguments of a page, and returns its status and its output.
    fn run(&self, program: &str, args: &[String]) -> (Option<i32>, String) {
        let nobody = self.folder.path().join("nobody");
        let batch = self.folder.path().join("batch");
        let args = args.iter().map(|word| match &**word {
            "KEY" => KEY.to_owned(),
            "EPOCH:SEQ" => "1:1".to_owned(),
            "FILE.pcap" => "docker/flows.pcap".to_owned(),
            "FILE" => batch.display().to_string(),
            word => match word.strip_prefix("target/certs/") {
                Some(file) => self.folder.path().join("certs").join(file).display().to_string(),
                None => word.to_owned(),
            },
        });
        let mut command = Command::new(binary(program));
        command.args(args).stdin(Stdio::null()).current_dir(workspace_root());
        command.env("FLOWTRACKER_SERVER", format!("unix:{}", nobody.display())).env_remove("FLOWTRACKER_LOG");
        command.env("FLOWTRACKER_CONFIG", self.folder.path().join("config.toml"));
        let output = command.output().expect("started");
        let texts = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.code(), texts.concat())
    }
}

/// `ctl` parses its whole command line before it connects to the service, which does not run here.
#[test]
fn ctl_accepts_every_command_line() {
    let stand = Stand::new();
    let mut count = 0;
    for args in [README, GUIDE].iter().flat_map(|page| command_lines(&Page::read(page), "ctl")) {
        let (status, said) = stand.run("ctl", &args);
        assert!(status == Some(0) || said.contains("cannot reach "), "ctl {args:?}: {said}");
        count += 1;
    }
    assert!(count > 25, "{count} command lines");
    let (_, said) = stand.run("ctl", &["list".to_owned(), "--no-such-option".to_owned()]);
    assert!(!said.contains("cannot reach"), "a wrong option is told from a missing service: {said}");
}

/// `doctor` checks the command lines that start a data plane, because it opens no port. For the
/// control service, the test appends `--help` to the options.
#[test]
fn the_daemons_accept_every_command_line() {
    let stand = Stand::new();
    let lines = |program| [README, GUIDE].map(|page| command_lines(&Page::read(page), program)).concat();
    for mut args in lines("flowtracker-control") {
        args.push("--help".to_owned());
        let (status, said) = stand.run("flowtracker-control", &args);
        assert_eq!(status, Some(0), "flowtracker-control {args:?}: {said}");
    }
    let dataplane = lines("flowtracker-dataplane");
    for mut args in dataplane.clone() {
        if args[0].starts_with('-') && args[0] != "--help" {
            args.insert(0, "doctor".to_owned());
        }
        let (status, said) = stand.run("flowtracker-dataplane", &args);
        let refused = match &*args[0] {
            "doctor" => status == Some(2) || said.contains("fail  arguments"),
            "health" => status == Some(2),
            _ => status != Some(0),
        };
        assert!(!refused, "flowtracker-dataplane {args:?}: {status:?} {said}");
    }
    let first: BTreeSet<_> = dataplane.iter().map(|args| &*args[0]).collect();
    assert!(
        ["-l", "--help", "doctor", "health", "replay"].iter().all(|word| first.contains(word)),
        "{first:?}"
    );
}

#[test]
fn the_example_of_a_replay_prints_what_is_shown() {
    let guide = Page::read(GUIDE);
    let example = guide.fenced().find_map(|block| block.strip_prefix("$ flowtracker-dataplane replay "));
    let lines: Vec<_> = example.expect("an example").lines().collect();
    let command = 1 + lines.iter().position(|line| !line.ends_with('|')).expect("an end");
    let program = binary("flowtracker-dataplane");
    let script = format!("{} replay {}", program.display(), lines[..command].join("\n"));
    let printed = run(Command::new("sh").args(["-c", &script]).current_dir(workspace_root()));
    assert_eq!(printed.lines().collect::<Vec<_>>(), lines[command..]);
}

/// The pages show only steps that the demo has.
#[test]
fn the_demo_has_the_steps_that_are_shown() {
    let demo = read(Path::new("tests/demo/demo.sh"));
    let mut shown = 0;
    for page in [README, GUIDE].map(Page::read) {
        let titles = page.fenced().flat_map(str::lines).filter_map(|line| line.strip_prefix("== "));
        for title in titles.filter_map(|line| line.split_once(". ")).map(|(_, title)| title) {
            let title = title.split(':').next().expect("a title");
            assert!(
                ["'", "\""].iter().any(|quote| demo.contains(&format!("step {quote}{title}"))),
                "{title}"
            );
            shown += 1;
        }
    }
    assert!(shown >= 4, "{shown} steps");
}

#[test]
fn two_pages_keep_to_their_length() {
    for (page, limit) in [(README, 1200), ("dataplane/docs/performance.md", 1500)] {
        let words = read(Path::new(page)).split_whitespace().count();
        assert!(words <= limit, "{page} has {words} words of {limit}: move something to a page of its own");
    }
}

/// The files of the README's main path, without the tests in them, are short enough to read in one
/// sitting.
#[test]
fn the_main_path_is_short() {
    let page = Page::read(Path::new("README.md"));
    let (_, path) = page.text.split_once("### The main path").expect("the section");
    let steps = path.lines().take_while(|line| !line.starts_with("And a command back"));
    let steps = steps.filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    let file = |step: &str| Some(step.split_once("](")?.1.split_once(')')?.0.to_owned());
    let files: Vec<String> = steps.filter_map(file).collect();
    assert_eq!(files.len(), 9, "{files:?}");
    let lines = |file: &String| {
        let text = read(Path::new(file));
        text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count()
    };
    let lengths: Vec<usize> = files.iter().map(lines).collect();
    assert!(lengths.iter().sum::<usize>() <= 1_200, "{files:?}: {lengths:?} lines");
}

#[test]
fn the_records_of_the_lab_are_tables() {
    let described = Page::read(LAB).spans();
    let folder = Path::new("tests/perf/data");
    let machines = read(&folder.join("machines.tsv"));
    let machines: BTreeSet<_> = machines.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    for name in ["trials", "runs", "probes", "machines"] {
        let text = read(&folder.join(format!("{name}.tsv")));
        let mut rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let columns = rows.next().expect("a header");
        let at = |name: &str| columns.iter().position(|column| *column == name);
        if ["trials", "runs"].contains(&name) {
            for column in &columns {
                assert!(described.iter().any(|span| span == column), "{name}: {column} is not described");
            }
        }
        for row in rows {
            assert_eq!(row.len(), columns.len(), "{name}: {row:?}");
            assert!(machines.contains(row[at("machine").expect("a machine")]), "{name}: {row:?}");
            let verdict = at("verdict").map_or("kept", |verdict| row[verdict]);
            assert!(["kept", "rejected", "no difference", "observed"].contains(&verdict), "{name}: {row:?}");
        }
    }
}
