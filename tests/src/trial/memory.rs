//! The memory of processes over time, and whether it grows without an end.

use std::fmt;
use std::time::Duration;

/// Share of the samples that is left out at the beginning, while rings, logs and caches fill.
const WARM_UP: f64 = 1.0 / 3.0;
/// Fewest samples after the warm-up that tell whether a process grows, …
const ENOUGH: usize = 12;
/// … and the shortest time between the first and the last of them, seconds. What a process needs
/// differs from round to round by more than what it could leak in a few minutes.
const LONG: f64 = 600.0;
/// A process grows when its floor rises by more than this, KiB, …
const GROWTH: f64 = 2048.0;
/// … and to more than this share of what it has.
const SHARE: f64 = 0.02;

/// The resident memory of some processes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory(Vec<Lifetime>);

/// What one process has needed.
#[derive(Clone, Debug, PartialEq)]
pub struct Lifetime {
    name: String,
    pid: u32,
    /// Seconds, and KiB.
    samples: Vec<(f64, f64)>,
}

impl Memory {
    /// Reads what the process `pid` has in memory now. `at` is a reading of any clock that does
    /// not go back.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn sample(&mut self, name: &str, pid: u32, at: Duration) {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        let resident = resident.trim().trim_end_matches(" kB").parse().expect("KiB");
        self.add(name, pid, at, resident);
    }

    fn add(&mut self, name: &str, pid: u32, at: Duration, resident: f64) {
        let at = (at.as_secs_f64(), resident);
        match self.0.iter_mut().find(|lifetime| lifetime.pid == pid) {
            Some(lifetime) => lifetime.samples.push(at),
            None => self.0.push(Lifetime { name: name.to_owned(), pid, samples: vec![at] }),
        }
    }

    /// Returns the processes whose memory grew to the end.
    pub fn growing(&self) -> impl Iterator<Item = &Lifetime> {
        self.0.iter().filter(|lifetime| lifetime.grows())
    }
}

/// A line per process.
impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24} {:>8} {:>10} {:>10} {:>12}",
            "PROCESS", "SAMPLES", "FIRST KiB", "LAST KiB", "FLOOR KiB/h"
        )?;
        for Lifetime { name, samples, .. } in &self.0 {
            let (first, last) = (samples[0].1, samples[samples.len() - 1].1);
            let slope = floors(settled(samples)).map_or("-".to_owned(), |[first, last]| {
                format!("{:.0}", (last.1 - first.1) / (last.0 - first.0) * 3600.0)
            });
            writeln!(f, "{name:<24} {:>8} {first:>10} {last:>10} {slope:>12}", samples.len())?;
        }
        Ok(())
    }
}

impl Lifetime {
    fn grows(&self) -> bool {
        let settled = settled(&self.samples);
        let (Some([first, last]), [begin, .., end]) = (floors(settled), settled) else { return false };
        end.0 - begin.0 >= LONG && last.1 - first.1 > GROWTH.max(SHARE * first.1)
    }
}

/// Returns the samples after the warm-up.
fn settled(samples: &[(f64, f64)]) -> &[(f64, f64)] {
    &samples[(samples.len() as f64 * WARM_UP) as usize..]
}

/// Returns the lowest sample of the first third and that of the last third, or `None` when the samples
/// are too few. What a process needs for a while comes back, and what it has lost does not: only a
/// leak lifts the floor.
fn floors(samples: &[(f64, f64)]) -> Option<[(f64, f64); 2]> {
    let third = samples.len() / 3;
    let lowest = |samples: &[(f64, f64)]| samples.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
    (samples.len() >= ENOUGH)
        .then(|| Some([lowest(&samples[..third])?, lowest(&samples[samples.len() - third..])?]))
        .flatten()
}

#[cfg(test)]
mod tests;
