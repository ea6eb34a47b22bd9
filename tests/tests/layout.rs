//! What each crate may touch. Because of these few rules the engine can be tested without DPDK, and
//! the control service can be built without it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowtracker_tests::process::{binary, run, workspace_root};
use serde_json::Value;

/// The workspace as cargo describes it.
struct Workspace {
    packages: Vec<Value>,
}

impl Workspace {
    fn read() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let json = run(Command::new(cargo)
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .current_dir(workspace_root()));
        let mut metadata: Value = serde_json::from_str(&json).expect("JSON");
        let Value::Array(packages) = metadata["packages"].take() else { panic!("packages are a list") };
        Self { packages }
    }

    fn package(&self, name: &str) -> &Value {
        self.packages.iter().find(|p| p["name"] == name).unwrap_or_else(|| panic!("no crate {name}"))
    }

    /// Returns the names of the crates that `name` depends on, of these kinds only: `normal`,
    /// `build`, `dev`.
    fn dependencies(&self, name: &str, kinds: &[&str]) -> BTreeSet<&str> {
        self.package(name)["dependencies"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|d| kinds.contains(&d["kind"].as_str().unwrap_or("normal")))
            .filter_map(|d| d["name"].as_str())
            .collect()
    }

    /// Returns those of the dependencies that are other crates of this workspace. A crate may
    /// depend on itself, to give its tests a feature.
    fn own_dependencies(&self, name: &str, kinds: &[&str]) -> BTreeSet<&str> {
        let others: BTreeSet<&str> =
            self.packages.iter().filter_map(|p| p["name"].as_str()).filter(|other| *other != name).collect();
        self.dependencies(name, kinds).intersection(&others).copied().collect()
    }
}

const ALL: [&str; 3] = ["normal", "build", "dev"];
const SHIPPED: [&str; 2] = ["normal", "build"];

#[test]
fn crates_depend_only_on_what_their_room_allows() {
    let workspace = Workspace::read();
    let none = BTreeSet::new();
    for alone in ["dpdk-sys", "conntrack", "flowtracker-proto", "flowtracker-tls"] {
        assert_eq!(workspace.own_dependencies(alone, &ALL), none, "{alone} stands alone");
    }
    let beyond: Vec<_> = workspace
        .dependencies("dpdk", &["normal"])
        .into_iter()
        .filter(|name| !["dpdk-sys", "libc", "thiserror"].contains(name))
        .collect();
    assert_eq!(beyond, Vec::<&str>::new(), "the wrapper of DPDK needs nothing but DPDK");

    let contract = ["flowtracker-proto", "flowtracker-tls"].into();
    let control = workspace.own_dependencies("control", &ALL);
    let allowed = ["flowtracker-proto", "flowtracker-tls"].into();
    assert!(control.is_subset(&allowed), "control sees only the contract: {control:?}");

    let ctl = workspace.own_dependencies("ctl", &SHIPPED);
    assert!(ctl.is_subset(&contract), "ctl sees only the contract: {ctl:?}");

    let dataplane = workspace.own_dependencies("dataplane", &SHIPPED);
    let allowed = ["conntrack", "dpdk", "flowtracker-proto", "flowtracker-tls"].into();
    assert!(dataplane.is_subset(&allowed), "the data plane calls DPDK through its wrapper: {dataplane:?}");
}

#[test]
fn the_engine_has_no_clock_no_threads_and_no_async() {
    let outside = Workspace::read();
    let banned = ["tokio", "tonic", "prost", "libc", "tracing", "log", "std", "crossbeam-channel", "rand"];
    let found: Vec<_> = outside
        .dependencies("conntrack", &SHIPPED)
        .into_iter()
        .filter(|name| banned.contains(name))
        .collect();
    assert_eq!(found, Vec::<&str>::new());
    let root = read(&workspace_root().join("dataplane/conntrack/src/lib.rs"));
    assert!(code(&root).any(|(_, line)| line.contains("no_std")), "conntrack is no_std");
}

/// Only the rooms that need `unsafe` may have it, so that it can be reviewed.
#[test]
fn unsafe_code_stays_in_its_rooms() {
    let rooms = [
        "dpdk-sys/",
        "dataplane/dpdk/",
        "dataplane/conntrack/src/arch/",
        "dataplane/conntrack/src/packet/",
        "dataplane/conntrack/src/table/",
        // Allocation counting needs a global allocator of its own.
        "tests/tests/",
        "tests/benches/",
        "dataplane/conntrack/tests/",
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        if rooms.iter().any(|room| path.starts_with(room)) {
            continue;
        }
        for (number, line) in code(&text) {
            if words(line).any(|word| word == "unsafe") {
                found.push(format!("{path}:{number}: {line}"));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn crates_without_unsafe_code_say_so() {
    let workspace = Workspace::read();
    for name in ["control", "ctl", "dataplane", "flowtracker-proto", "flowtracker-tls", "flowtracker-tests"] {
        for target in workspace.package(name)["targets"].as_array().expect("a list") {
            let shipped = target["kind"].as_array().expect("a list").iter().any(|k| k == "lib" || k == "bin");
            let path = target["src_path"].as_str().expect("a path");
            if shipped {
                assert!(read(Path::new(path)).contains("#![forbid(unsafe_code)]"), "{path}");
            }
        }
    }
}

/// Lists what the files that run per burst, and those that must not see packets, may not name.
#[test]
fn files_do_not_name_what_their_room_forbids() {
    let hot =
        ["tokio", "tonic", "Mutex", "RwLock", "format!", "println!", "to_string", "Instant", "SystemTime"];
    let export = ["dpdk::mbuf", "dpdk::queue", "Mbuf", "FlowTable", "conntrack::table"];
    let rules: [(&str, &[&str]); 3] = [
        ("dataplane/src/lcore/worker.rs", &hot),
        ("dataplane/src/lcore/forward.rs", &hot),
        ("dataplane/src/export/", &export),
    ];
    let mut found = Vec::new();
    for (path, text) in sources() {
        for (room, banned) in rules.iter().filter(|(room, _)| path.starts_with(room)) {
            // Unit tests, at the end of a file or in files of their own, are exempt.
            if path.contains("/tests/") || path.ends_with("/tests.rs") {
                continue;
            }
            let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (number, line) in code(shipped) {
                if let Some(word) = banned.iter().find(|word| line.contains(**word)) {
                    found.push(format!("{path}:{number}: {room} must not name {word}"));
                }
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// DPDK's own tables are only for comparison: the product does not use them.
#[test]
fn the_data_plane_does_not_link_what_it_is_compared_with() {
    let dynamic = run(Command::new("readelf").arg("-d").arg(binary("flowtracker-dataplane")));
    let needed: Vec<&str> = dynamic.lines().filter(|line| line.contains("(NEEDED)")).collect();
    let needs = |library: &str| needed.iter().any(|line| line.contains(library));
    assert!(needs("librte_eal"), "{needed:?}");
    assert!(!needs("librte_hash") && !needs("librte_table"), "{needed:?}");
}

/// The top level of the repository is fixed; a new folder there needs a reason.
#[test]
fn the_top_level_is_as_agreed() {
    let agreed: BTreeSet<&str> =
        ["Cargo.toml", "Cargo.lock", "LICENSE", "Makefile", "README.md", "clippy.toml", "rustfmt.toml"]
            .into_iter()
            .chain(["control", "dataplane", "docker", "dpdk-sys", "proto", "tests", "target"])
            .collect();
    let extra: Vec<String> = entries(workspace_root())
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|name| !name.starts_with('.') && !agreed.contains(name.as_str()))
        .collect();
    assert_eq!(extra, Vec::<String>::new());
}

/// Returns the lines of code with their numbers, without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line.split("//").next().unwrap_or_default()))
        .filter(|(_, line)| !line.trim().is_empty())
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

/// Returns every Rust source of the workspace, with its path from the root.
fn sources() -> Vec<(String, String)> {
    let root = workspace_root();
    let mut folders = vec![root.to_owned()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "generated" {
                folders.push(path);
            } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(root).expect("below the root").to_str().expect("UTF-8");
                sources.push((relative.to_owned(), read(&path)));
            }
        }
    }
    assert!(sources.len() > 10, "the sources are where they are looked for");
    sources
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A crate that comes, goes or moves has to be named in the file that builds the images too.
#[test]
fn the_images_are_built_of_the_crates_that_there_are() {
    let workspace = Workspace::read();
    let text = read(&workspace_root().join("docker/Dockerfile"));
    let names: BTreeSet<&str> = workspace.packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let (_, clean) = text.split_once("cargo clean ").expect("empty crates are cleaned");
    let words: Vec<&str> = clean.split("\n #").next().unwrap_or_default().split_whitespace().collect();
    let cleaned = words.windows(2).filter(|pair| pair[0] == "-p").map(|pair| pair[1]);
    assert_eq!(cleaned.filter(|name| !names.contains(name)).collect::<Vec<_>>(), Vec::<&str>::new());
    for package in &workspace.packages {
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        let manifest = manifest.strip_prefix(workspace_root()).expect("below the root").display();
        assert!(text.contains(&format!("\nCOPY {manifest} ")), "{manifest}");
    }
}
