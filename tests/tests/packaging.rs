//! The files of the Debian package that could drift from the programs. `make package-test` checks
//! how the package installs and runs.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flowtracker_tests::process::{GLIBC_TUNABLES, binary, run, workspace_root};

/// The options that are not settings of a file.
const NO_SETTINGS: [&str; 3] = ["config", "help", "version"];

/// Returns the long options that `--help` of `program` shows, and for each its default if this is a
/// value.
fn options(program: &str) -> BTreeMap<String, Option<String>> {
    let help = run(std::process::Command::new(binary(program)).arg("--help"));
    let mut options = BTreeMap::new();
    let mut last = None;
    for line in help.lines() {
        if let Some((_, after)) = line.split_once("--").filter(|(before, _)| is_margin(before)) {
            let long: String = after
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
                .collect();
            last = Some(long.clone());
            options.insert(long, None);
        }
        if let Some((_, default)) = line.split_once("[default: ") {
            let default = default.trim_end().trim_end_matches(']');
            // A default of several words describes a value that is computed at the start.
            if !default.contains(' ') {
                options.insert(last.clone().expect("an option"), Some(default.to_owned()));
            }
        }
    }
    for option in NO_SETTINGS {
        assert!(options.remove(option).is_some(), "{program} --help does not show --{option}");
    }
    options
}

/// Returns true for the text before a long option, which is empty or the short form.
fn is_margin(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || (text.starts_with('-') && text.ends_with(',') && text.len() == 3)
}

fn shipped(file: &str) -> PathBuf {
    workspace_root().join("docker/packaging/etc/flowtracker").join(file)
}

/// Returns the defaults that a file names, which are commented out, as values of the command-line
/// options. What the package sets otherwise stands below its default.
fn settings(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).expect("readable");
    let mut settings = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let Some(comment) = line.strip_prefix('#') else {
            let known = line.split_once(" = ").is_some_and(|(key, _)| settings.contains_key(key));
            assert!(known, "{}: {line}: no default is named above it", path.display());
            continue;
        };
        if let Some((key, value)) = comment.split_once(" = ").filter(|(key, _)| !key.contains(' ')) {
            let value = match value {
                "true" => "on".to_owned(),
                "false" => "off".to_owned(),
                _ => value.replace(['"', '[', ']', ' '], ""),
            };
            assert_eq!(settings.insert(key.to_owned(), value), None, "{key} twice");
        }
    }
    settings
}

/// Checks that the file names every option, each with its default, and nothing else.
fn names_every_option(file: &str, program: &str) {
    let mut settings = settings(&shipped(file));
    for (option, default) in options(program) {
        let value = settings.remove(&option).unwrap_or_else(|| panic!("{file} does not name {option}"));
        if let Some(default) = default {
            assert_eq!(value, default, "{file}: {option}");
        }
    }
    assert!(settings.is_empty(), "{program} has no such options: {settings:?}");
}

#[test]
fn dataplane_toml_names_every_option() {
    names_every_option("dataplane.toml", "flowtracker-dataplane");
}

#[test]
fn control_toml_names_every_option() {
    names_every_option("control.toml", "flowtracker-control");
}

#[test]
fn dataplane_toml_is_good_when_its_settings_are_taken_in() {
    let text = std::fs::read_to_string(shipped("dataplane.toml")).expect("readable");
    let taken_in: Vec<_> = text
        .lines()
        // What the package sets stands there twice.
        .filter(|line| line.is_empty() || line.starts_with('#'))
        .map(|line| line.strip_prefix('#').filter(|setting| !setting.starts_with(' ')).unwrap_or(line))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let (file, capture) = (folder.path().join("dataplane.toml"), folder.path().join("empty.pcap"));
    std::fs::write(&file, taken_in.join("\n")).expect("written");
    flowtracker_tests::pcap::write_frames(&capture, &[]).expect("written");
    // A replay reads the whole file, and needs no port.
    let mut replay = std::process::Command::new(binary("flowtracker-dataplane"));
    run(replay.arg("replay").arg(&capture).arg("--config").arg(&file));
}

/// The oracle is the C library, which says what it understands of the environment.
#[test]
fn the_package_and_the_image_have_large_blocks_given_back() {
    let (name, value) = GLIBC_TUNABLES;
    for (file, setting) in [
        ("docker/packaging/debian/flowtracker.flowtracker-control.service", "Environment="),
        ("docker/Dockerfile", "ENV "),
    ] {
        let text = std::fs::read_to_string(workspace_root().join(file)).expect("readable");
        assert!(text.lines().any(|line| line == format!("{setting}{name}={value}")), "{file}");
    }
    let service = std::fs::read(binary("flowtracker-control")).expect("a program");
    let loader = service
        .split(|octet| *octet == 0)
        .find(|text| text.starts_with(b"/lib") && text.windows(4).any(|part| part == b"ld-l"))
        .expect("the loader's path is in the program");
    let loader = std::str::from_utf8(loader).expect("a path");
    let tunables = run(std::process::Command::new(loader).arg("--list-tunables").env(name, value));
    let threshold = tunables.lines().find(|line| line.starts_with("glibc.malloc.mmap_threshold:"));
    assert!(threshold.is_some_and(|line| line.contains(": 0x100000 ")), "{threshold:?}");
}
