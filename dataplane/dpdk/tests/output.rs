//! Lines are taken from the descriptors, and none is lost when the process ends in the middle.

use std::io::Write as _;
use std::process::{Command, Output};

use dpdk::capture_output;

/// Says how the child that this test starts is to end.
const ENDING: &str = "FLOWTRACKER_TEST_ENDING";

/// Past Rust's own standard output and error, which the test's harness redirects.
fn print(text: &str) {
    let mut streams = [1, 2].map(|fd| {
        std::fs::OpenOptions::new()
            .append(true)
            .open(format!("/proc/self/fd/{fd}"))
            .expect("an open descriptor")
    });
    streams[0].write_all(format!("out {text}\n").as_bytes()).expect("written");
    streams[1].write_all(format!("err {text}\n").as_bytes()).expect("written");
}

fn child(ending: &str) -> Output {
    Command::new(std::env::current_exe().expect("this program"))
        .env(ENDING, ending)
        .output()
        .expect("this program can be started")
}

fn end(ending: &str) {
    match ending {
        "exit" => std::process::exit(3),
        "abort" => std::process::abort(),
        _ => panic!("as told"),
    }
}

#[test]
fn lines_are_captured_and_none_is_lost() {
    if let Ok(ending) = std::env::var(ENDING) {
        let ((), _) = capture_output(|| {
            print("inside");
            end(&ending);
        });
    }

    let (inner, lines) = capture_output(|| {
        print("one");
        let (seven, nested) = capture_output(|| {
            print("two");
            7
        });
        assert_eq!(nested, Vec::<String>::new(), "the outer one has them");
        seven
    });
    assert_eq!(inner, 7);
    assert_eq!(lines, ["err one", "err two", "out one", "out two"]);
    assert_eq!(capture_output(|| ()).1, Vec::<String>::new(), "each starts anew");

    for ending in ["exit", "abort", "panic"] {
        let output = child(ending);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success(), "{ending}: {output:?}");
        assert!(out.contains("out inside\n"), "{ending}: {output:?}");
        assert!(err.contains("err inside\n"), "{ending}: {output:?}");
    }
}
