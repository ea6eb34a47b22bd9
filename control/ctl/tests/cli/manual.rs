//! Manual pages and completions are made from the definitions, so that no verb is missing.

use std::process::Command;

use crate::rig::Dir;

fn ctl(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ctl")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the verbs that `--help` lists.
fn verbs() -> Vec<String> {
    let help = ctl(&["-h"]);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let verbs = commands.lines().filter_map(|line| line.split_whitespace().next());
    let verbs: Vec<_> = verbs.filter(|verb| *verb != "help").map(str::to_owned).collect();
    assert!(verbs.len() > 15, "{verbs:?}");
    verbs
}

#[test]
fn completions_know_every_verb() {
    for shell in ["bash", "zsh", "fish"] {
        let script = ctl(&["completions", shell]);
        for verb in verbs() {
            assert!(script.contains(&verb), "{shell}: {verb}");
        }
        assert!(script.contains("dataplane") && script.contains("permissions"), "{shell}");
    }
}

#[test]
fn bash_can_read_its_completions() {
    let dir = Dir::new("completions");
    std::fs::write(dir.path("ctl"), ctl(&["completions", "bash"])).unwrap();
    let output = Command::new("bash").args(["-n", &dir.path("ctl")]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn there_is_a_page_for_every_verb() {
    let dir = Dir::new("manual");
    let page = ctl(&["man"]);
    assert_eq!(ctl(&["man", &dir.path("")]), "");
    assert_eq!(std::fs::read_to_string(dir.path("ctl.1")).unwrap(), page);
    for verb in verbs() {
        let of_verb = std::fs::read_to_string(dir.path(&format!("ctl-{verb}.1"))).unwrap();
        assert!(of_verb.contains(&format!("ctl\\-{verb}")) && of_verb.contains("SYNOPSIS"), "{verb}");
        assert!(page.contains(&format!("ctl\\-{verb}")), "{verb}");
    }
    for section in [
        "P4TC COMMANDS",
        "EXAMPLES",
        "EXIT STATUS",
        "ENVIRONMENT",
        "p4template",
        "flowtracker_ipv6",
        "FLOWTRACKER_SERVER",
    ] {
        assert!(page.contains(section), "{section}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_ctl")).args(["man", "/nonexistent"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nonexistent"));
}
