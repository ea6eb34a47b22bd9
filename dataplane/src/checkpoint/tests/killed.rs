//! A writer that is killed leaves the file before or a whole new one.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::checkpoint::restore::open;
use crate::checkpoint::write::replace;

/// Set in the process that is killed: the file that it writes.
const FILE: &str = "FLOWTRACKER_TEST_CHECKPOINT";
const ENTRIES: u16 = 500;
const KILLS: u64 = 200;

/// Writes one file after the other, each with another number in all of its entries.
#[expect(clippy::print_stdout, reason = "the process that kills this one reads it")]
fn write_for_ever(path: &Path) -> ! {
    let mut number = number_in(path).unwrap_or(0);
    println!("begins");
    loop {
        number += 1;
        let written = replace(path, None, |out| {
            for entry in entries::<FlowKey>(ENTRIES, number) {
                out.entry(&Entry { packets: number, ..entry }, AT.ns)?;
            }
            Ok(description())
        });
        written.expect("the file can be written");
    }
}

/// Returns the number in all entries of a file; none when there is no file.
fn number_in(path: &Path) -> Option<u64> {
    let mut file = open(path, &identity()).expect("it is whole")?;
    let (mut numbers, now) = (Vec::new(), Now::from_ns(AT.ns));
    file.entries::<FlowKey>(|saved| numbers.push(saved.entry(now).packets)).expect("it is whole");
    assert_eq!(numbers, vec![numbers[0]; ENTRIES.into()]);
    Some(numbers[0])
}

#[test]
fn a_writer_that_is_killed_leaves_the_old_file_or_the_new_one() {
    // The writer is this test in a process of its own.
    if let Some(path) = std::env::var_os(FILE) {
        write_for_ever(Path::new(&path));
    }
    let this = "checkpoint::tests::killed::a_writer_that_is_killed_leaves_the_old_file_or_the_new_one";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("checkpoint");
    let (mut random, mut last, mut changes) = (Random(7), 0, 0);
    for _ in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "--nocapture", this])
            .env(FILE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let begins = lines.any(|line| line.expect("text").ends_with("begins"));
        std::thread::sleep(Duration::from_micros(random.between(0, 8000)));
        child.kill().expect("it runs for ever");
        child.wait().expect("it was killed");
        assert!(begins, "the writer has failed");
        let now = number_in(&path).unwrap_or(0);
        assert!(now >= last, "{now} after {last}");
        changes += u64::from(now != last);
        last = now;
    }
    assert!(changes > 0, "no file was ever finished");
}
