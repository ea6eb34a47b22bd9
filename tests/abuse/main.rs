//! Attackers, and the whole suite with its table: `make abuse`.
//!
//! ```text
//! abuse [quick] [NAME]...                     the suite; the named attacks only
//! abuse attack NAME SIZE GRPC HTTP MS         one attacker, which ends by itself
//! ```
#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use flowtracker_tests::abuse::suite::{self, Scale};
use flowtracker_tests::abuse::{Attack, Target};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["attack", name, size, grpc, http, ms] = words[..] {
        more_descriptors();
        let target = Target {
            grpc: grpc.parse().expect("an address"),
            http: http.parse().expect("an address"),
            until: Instant::now() + Duration::from_millis(ms.parse().expect("milliseconds")),
        };
        let attack = Attack::named(name).expect("an attack");
        say(&attack.run(&target, size.parse().expect("a number")));
        return ExitCode::SUCCESS;
    }
    let quick = words.first() == Some(&"quick");
    let named = if quick { &words[1..] } else { &words[..] };
    let scale = if quick { Scale::QUICK } else { Scale::FULL };
    let program = std::env::current_exe().expect("the path of this program");
    let wanted = |attack: Attack| named.is_empty() || named.iter().any(|name| attack.name().contains(name));
    let rows = suite::against_service(&program, scale, wanted);
    say(&suite::table(&rows));
    if named.is_empty() {
        for ordered in suite::against_dataplane(scale.attack) {
            let (links, commands, replies) = ordered.counts;
            let grown = ordered.grown >> 20;
            say(&format!(
                "hostile service, {:?}: data plane + {grown} MB; {links} links, {commands} commands, {replies} replies",
                ordered.order
            ));
        }
    }
    if rows.iter().all(|row| row.broken.is_empty()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An attacker has as many descriptors as it may have.
fn more_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // What is not granted shows in the tally.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

fn say(text: &str) {
    // Standard output may be closed; nobody reads it then.
    let _ = writeln!(std::io::stdout(), "{text}");
}
