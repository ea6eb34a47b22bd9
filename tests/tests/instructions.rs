//! The engine's regression guard. Callgrind counts how many instructions each hot operation takes,
//! and the test compares the counts to those committed in `fixtures/instructions.json`. Other load
//! on the machine changes no count.
//!
//! `UPDATE_FIGURES=1` writes that file instead of comparing. Counts hold for one architecture, one
//! compiler and one choice between the engine's twins; the file names them. Another compiler orders
//! the same code differently, so the test then checks only the bound against much more work, and
//! prints the reason. `perf/README.md` describes what counts do not show.
#![cfg(target_arch = "x86_64")]
#![expect(clippy::print_stdout, reason = "the counts belong in the log of a test run")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowtracker_tests::process::{run, workspace_root};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The relative difference allowed to the committed count, either way, with the compiler that the
/// file names.
const SAME_COMPILER: f64 = 0.03;
/// The relative increase allowed with another compiler. A decrease is always allowed.
const OTHER_COMPILER: f64 = 0.2;

/// The C library chooses its memset and memcpy by CPU, and they differ in length. This setting is
/// the choice for a CPU that has nothing beyond SSE2.
const C_LIBRARY: &str =
    "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX_Fast_Unaligned_Load,-SSSE3,-SSE4_1,-SSE4_2,-ERMS";

/// The committed file.
#[derive(Debug, Deserialize, Serialize)]
struct Figures {
    /// The major and minor version of the compiler.
    rustc: String,
    /// The instructions that the engine detects in callgrind's CPU and uses.
    native: String,
    /// The number of instructions per operation, to two decimals.
    instructions: BTreeMap<String, f64>,
}

#[test]
fn operations_take_the_committed_number_of_instructions() {
    let path = workspace_root().join("tests/fixtures/instructions.json");
    let found = measure();
    if std::env::var_os("UPDATE_FIGURES").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("JSON");
        std::fs::write(&path, text + "\n").expect("write the figures");
        return;
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let committed: Figures = serde_json::from_str(&text).expect("figures");
    println!("instructions per operation, rustc {} ({} is committed):", found.rustc, committed.rustc);
    for (name, count) in &found.instructions {
        let before = committed.instructions.get(name).map_or_else(|| "none".to_owned(), f64::to_string);
        println!("{name:24} {count:10.2}  committed {before:>10}");
    }
    if found.rustc != committed.rustc {
        println!(
            "The committed counts are of rustc {}, not {}: only more than {:.0} % more is refused here.",
            committed.rustc,
            found.rustc,
            100.0 * OTHER_COMPILER
        );
    }
    let complaints = compare(&committed, &found);
    assert!(complaints.is_empty(), "\n{}\n{ADVICE}", complaints.join("\n"));
}

const ADVICE: &str = "\
More for no gain is a regression. More for a reason, or fewer: commit the new figures, and say why in the commit:
    UPDATE_FIGURES=1 cargo nextest run -p flowtracker-tests --test instructions";

/// Compares the counts, and returns one line per complaint.
fn compare(committed: &Figures, found: &Figures) -> Vec<String> {
    if committed.native != found.native {
        return vec![format!(
            "the committed counts are of a CPU with {}; callgrind presents one with {}: nothing can be compared",
            committed.native, found.native
        )];
    }
    let same_compiler = committed.rustc == found.rustc;
    let (least, most) =
        if same_compiler { (-SAME_COMPILER, SAME_COMPILER) } else { (f64::NEG_INFINITY, OTHER_COMPILER) };
    let gone = committed.instructions.keys().filter(|name| !found.instructions.contains_key(*name));
    let mut complaints: Vec<String> =
        gone.map(|name| format!("{name}: committed, but no longer counted")).collect();
    for (name, &count) in &found.instructions {
        let Some(&before) = committed.instructions.get(name) else {
            complaints.push(format!("{name}: {count:.2} instructions, none committed"));
            continue;
        };
        let change = count / before - 1.0;
        if !(least..=most).contains(&change) {
            complaints.push(format!(
                "{name}: {count:.2} instructions, {before:.2} committed: {:+.1} %, {} % allowed",
                100.0 * change,
                if same_compiler {
                    format!("±{:.0}", 100.0 * most)
                } else {
                    format!("{:+.0}", 100.0 * most)
                },
            ));
        }
    }
    complaints
}

/// Runs callgrind once per operation and returns the counts.
fn measure() -> Figures {
    let program = build();
    let names = run(&mut Command::new(&program));
    let mut native = None;
    let mut instructions = BTreeMap::new();
    for name in names.lines().skip(1).filter_map(|line| line.split_whitespace().next()) {
        let (said, count) = count(&program, name);
        native = Some(said);
        instructions.insert(name.to_owned(), (100.0 * count).round() / 100.0);
    }
    Figures { rustc: rustc(), native: native.expect("there are operations"), instructions }
}

/// Builds the operations as the product is built, and returns the path of the program.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let messages = run(Command::new(cargo)
        .args(["build", "--release", "--locked", "-p", "conntrack", "--example", "instructions"])
        .args(["--message-format", "json"])
        // The counted code must be the code for every x86-64 CPU, which is what is shipped.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(workspace_root()));
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "instructions")
        .find_map(|message| Some(message["executable"].as_str()?.into()))
        .expect("cargo says what it has built")
}

/// Returns the instructions that the engine detects in callgrind's CPU, and the count per
/// operation.
fn count(program: &Path, name: &str) -> (String, f64) {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*under_callgrind*"])
        .arg(program)
        .arg(name)
        .env("GLIBC_TUNABLES", C_LIBRARY)
        .output()
        .expect("start valgrind: `make deps` installs it");
    let (said, report) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{name}: {}\n{said}{report}", output.status);
    let after = |text: &str, word: &str| {
        let found = text.lines().find_map(|line| Some(line.split_once(word)?.1.trim().to_owned()));
        found.unwrap_or_else(|| panic!("{name}: no `{word}` in:\n{text}"))
    };
    let collected: f64 = after(&report, "Collected :").parse().expect("a count");
    let operations: f64 = after(&said, &format!("{name} ")).parse().expect("a number of operations");
    assert!(collected >= operations, "{name}: callgrind has not seen the operations");
    (after(&said, "native "), collected / operations)
}

/// Returns the major and minor version of the compiler that cargo uses here.
fn rustc() -> String {
    let version = run(Command::new("rustc").arg("--version").current_dir(workspace_root()));
    let number = version.split_whitespace().nth(1).expect("rustc says its version");
    number.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[test]
fn a_count_outside_its_bounds_is_reported() {
    let figures = |rustc: &str, native: &str, counts: &[(&str, f64)]| Figures {
        rustc: rustc.to_owned(),
        native: native.to_owned(),
        instructions: counts.iter().map(|&(name, count)| (name.to_owned(), count)).collect(),
    };
    let committed = figures("1.95", "aes", &[("hit", 200.0), ("miss", 100.0)]);
    let complaints = |rustc, native, counts: &[(&str, f64)]| {
        let found = compare(&committed, &figures(rustc, native, counts));
        found.iter().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(complaints("1.95", "aes", &[("hit", 205.9), ("miss", 97.1)]), [""; 0]);
    assert_eq!(complaints("1.95", "aes", &[("hit", 206.1), ("miss", 100.0)]), ["hit"]);
    assert_eq!(complaints("1.95", "aes", &[("hit", 193.9), ("miss", 103.1)]), ["hit", "miss"]);
    assert_eq!(complaints("1.96", "aes", &[("hit", 239.0), ("miss", 10.0)]), [""; 0]);
    assert_eq!(complaints("1.96", "aes", &[("hit", 241.0), ("miss", 100.0)]), ["hit"]);
    assert_eq!(complaints("1.95", "aes", &[("hit", 200.0)]), ["miss"]);
    assert_eq!(complaints("1.95", "aes", &[("hit", 200.0), ("miss", 100.0), ("new", 1.0)]), ["new"]);
    assert_eq!(complaints("1.95", "none", &[("hit", 200.0), ("miss", 100.0)]).len(), 1);
}
