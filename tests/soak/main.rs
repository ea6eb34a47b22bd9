//! The fault harness for hours: `make soak`.
//!
//! ```text
//! soak [--seconds N]               one long run of the same programs, then trials with fresh seeds for the last tenth
//! soak --seed S                    one trial
//! soak --endure S [--seconds N]    a long run with this seed alone, of one round unless N says more
//! ```
//!
//! Each trial runs in a process of its own, which is this program with `--seed`, so that no trial
//! depends on what an earlier one has left behind.
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flowtracker_tests::trial;

const USAGE: &str = "usage: soak [--seconds N] [--seed S | --endure S]";

fn main() -> ExitCode {
    let (mut seconds, mut seed, mut endured) = (None, None, None);
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let number = args.next().and_then(|value| value.parse::<u64>().ok());
        match (flag.as_str(), number) {
            ("--seconds", Some(number)) => seconds = Some(number),
            ("--seed", Some(number)) => seed = Some(number),
            ("--endure", Some(number)) => endured = Some(number),
            _ => {
                say(USAGE);
                return ExitCode::from(2);
            }
        }
    }
    let program = std::env::current_exe().expect("the path of this program");
    let traffic = program.with_file_name("traffic");
    if let Some(seed) = seed {
        trial::run(seed, &traffic);
        return ExitCode::SUCCESS;
    }
    if let Some(seed) = endured {
        trial::endure(seed, Duration::from_secs(seconds.unwrap_or(0)), &traffic);
        return ExitCode::SUCCESS;
    }
    let seconds = seconds.unwrap_or(1800);
    // The first seed is the time of day. Every trial prints its seed.
    let first = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let start = Instant::now();
    trial::endure(first, Duration::from_secs(seconds * 9 / 10), &traffic);
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
    say(&format!("{done} seeds from {first} on, in {} s: all promises were kept", start.elapsed().as_secs()));
    ExitCode::SUCCESS
}

fn say(text: &str) {
    // Standard error may be closed; the message is lost then.
    let _ = writeln!(std::io::stderr(), "{text}");
}
