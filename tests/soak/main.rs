//! Runs trials with fresh seeds until the time is up, or one trial with a given seed: `make soak`.
//!
//! ```text
//! soak [--seconds N] [--seed S]
//! ```
//!
//! Each trial runs in a process of its own, which is this program with `--seed`, so that no trial
//! depends on what an earlier one has left behind.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flowtracker_tests::trial;

const USAGE: &str = "usage: soak [--seconds N] [--seed S]";

fn main() -> ExitCode {
    let (mut seconds, mut seed) = (1800, None);
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let number = args.next().and_then(|value| value.parse::<u64>().ok());
        match (flag.as_str(), number) {
            ("--seconds", Some(number)) => seconds = number,
            ("--seed", Some(number)) => seed = Some(number),
            _ => {
                say(USAGE);
                return ExitCode::from(2);
            }
        }
    }
    let program = std::env::current_exe().expect("the path of this program");
    if let Some(seed) = seed {
        trial::run(seed, &program.with_file_name("traffic"));
        return ExitCode::SUCCESS;
    }
    // The first seed is the time of day. Every trial prints its seed.
    let first = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed() < Duration::from_secs(seconds) {
        let seed = first + done;
        let status = Command::new(&program).args(["--seed", &seed.to_string()]).status();
        if !status.expect("this program starts").success() {
            say(&format!("seed {seed} failed, after {done} that did not; again: make soak SEED={seed}"));
            return ExitCode::FAILURE;
        }
        done += 1;
    }
    say(&format!("{done} seeds from {first} on, in {} s: the promise was kept", start.elapsed().as_secs()));
    ExitCode::SUCCESS
}

fn say(text: &str) {
    // Standard error may be closed; the message is lost then.
    let _ = writeln!(std::io::stderr(), "{text}");
}
