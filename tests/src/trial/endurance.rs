//! One long run of the same programs, in rounds: faults, writes and lists; then a rest, at which
//! every watcher is judged and the memory of every process is sampled. Each program is restarted
//! once, early enough that the rest of the run tells whether it grows.

use std::path::Path;
use std::time::Duration;

use super::fault::Fault;
use super::memory::Memory;
use super::{Step, Trial, say};

/// Faults and writes of a round begin within this time, milliseconds.
const ROUND: u64 = 12_000;
/// Most steps of each kind in a round, and at least half as many.
const WRITES: [(Step, u64); 7] = [
    (Step::DeleteSome, 60),
    (Step::CreateOne, 60),
    (Step::UpdateOne, 60),
    (Step::FlushSome, 20),
    (Step::UpdateTable, 4),
    (Step::List, 12),
    (Step::Purge, 1),
];
/// The faults that restart nothing, by their number in [`Fault::throw`].
const MINOR: std::ops::RangeInclusive<u64> = 1..=7;

/// A program that is restarted during the run.
#[derive(Clone, Copy, Debug)]
enum Program {
    Control,
    Dataplane,
    Watchers,
}

/// When each program is restarted: the percentage of the run's time that has passed by then.
const RESTARTS: [(Program, u32); 3] =
    [(Program::Control, 10), (Program::Dataplane, 20), (Program::Watchers, 30)];

/// Runs rounds with the choices of `seed` for `duration`, and one at least; prints what each process
/// needed.
///
/// # Panics
/// When the product breaks a law, or the memory of a process grows without an end.
pub fn endure(seed: u64, duration: Duration, traffic: &Path) {
    say(&format!("{} s with seed {seed}", duration.as_secs()));
    let mut trial = Trial::start(seed, traffic);
    let mut memory = Memory::default();
    let mut restarts = RESTARTS.into_iter().peekable();
    let mut rounds = 0;
    while rounds == 0 || trial.start.elapsed() < duration {
        let restart = restarts.next_if(|(_, percent)| trial.start.elapsed() >= duration * *percent / 100);
        trial.round(restart.map(|(program, _)| program));
        trial.sample(&mut memory);
        rounds += 1;
    }
    trial.note(&format!("{rounds} rounds"));
    trial.stop();
    say(&memory.to_string());
    let growing: Vec<_> = memory.growing().collect();
    assert!(growing.is_empty(), "these grow without an end: {growing:?}");
}

impl Trial {
    /// Faults, writes and lists, then a rest with all watchers at the same end.
    fn round(&mut self, restart: Option<Program>) {
        for _ in 0..2 {
            let kind = self.dice.between(*MINOR.start(), *MINOR.end());
            let fault = Fault::throw(kind as usize, &mut self.dice);
            self.soon(Step::Begin(fault));
        }
        match restart {
            Some(Program::Control) => self.soon(Step::Begin(Fault::KillControl { down: 500 })),
            Some(Program::Dataplane) => self.soon(Step::Begin(Fault::KillDataplane { down: 500 })),
            Some(Program::Watchers) => self.start_watchers(),
            None => {}
        }
        for (step, most) in WRITES {
            for _ in 0..self.dice.between(most / 2, most) {
                self.soon(step);
            }
        }
        self.flood(false);
        self.work_off();
        self.traffic.write_stdin("new 0\n");
        self.attach_again();
        self.judge();
        self.nuisances.clear();
    }

    /// Puts a step on the agenda, at some time of this round.
    fn soon(&mut self, step: Step) {
        let after = self.dice.between(0, ROUND);
        self.later(after, step);
    }

    fn sample(&mut self, memory: &mut Memory) {
        let at = self.start.elapsed();
        let programs = [
            ("control service", self.control.as_ref().map(|control| control.0.pid())),
            ("data plane", self.dataplane.as_ref().map(crate::process::Running::pid)),
        ];
        let watchers = self.watchers.iter().map(|watcher| (watcher.name(), watcher.pid()));
        for (name, pid) in programs.into_iter().chain(watchers) {
            if let Some(pid) = pid {
                memory.sample(name, pid, at);
            }
        }
    }
}
