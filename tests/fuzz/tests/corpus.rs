//! Every committed input, through its target, without a fuzzer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use flowtracker_fuzz::TARGETS;

/// Bytes of all committed inputs together, at most.
const CORPUS_MAX: u64 = 1 << 20;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut all: Vec<PathBuf> = read.map(|entry| entry.expect("an entry").path()).collect();
    all.sort();
    all
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    let inputs = entries(&here().join("corpus").join(name));
    assert!(inputs.len() > 10, "{name} has {} inputs", inputs.len());
    for input in inputs {
        let data = fs::read(&input).expect("a file");
        let outcome = std::panic::catch_unwind(|| (target.run)(&data));
        assert!(outcome.is_ok(), "{} breaks a law of the target", input.display());
    }
}

/// A test for each target, so that they run at the same time.
macro_rules! replays {
    ($($target:ident)*) => {
        $(#[test]
        fn $target() {
            replay(stringify!($target));
        })*

        #[test]
        fn every_target_has_a_binary_a_corpus_and_a_test() {
            let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
            assert_eq!(names, [$(stringify!($target).to_owned()),*].into());
            let file_name = |path: &PathBuf| path.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
            assert_eq!(names, entries(&here().join("corpus")).iter().map(file_name).collect());
            let binaries = fs::read_to_string(here().join("libfuzzer/Cargo.toml")).expect("a file");
            let (_, binaries) = binaries.split_once("[[bin]]").expect("binaries");
            let named = binaries.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
            assert_eq!(names, named.map(str::to_owned).collect());
        }
    };
}

replays! { parser tracker filter link captures http checkpoint }

#[test]
fn the_corpus_is_small() {
    let inputs = entries(&here().join("corpus")).into_iter().flat_map(|folder| entries(&folder));
    let bytes: u64 = inputs.map(|input| fs::metadata(input).expect("a file").len()).sum();
    assert!(bytes <= CORPUS_MAX, "{bytes} bytes");
}
