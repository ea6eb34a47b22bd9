//! The memory of processes over time, and whether it grows without an end.

use std::fmt;
use std::time::Duration;

/// Share of the samples that is left out at the beginning, while rings, logs and caches fill.
const WARM_UP: f64 = 1.0 / 3.0;
/// Fewest samples after the warm-up that show a trend, …
const ENOUGH: usize = 12;
/// … and the shortest time between the first and the last of them, seconds. What a process needs
/// differs from round to round by more than what it could leak in a few minutes.
const LONG: f64 = 600.0;
/// A process grows when the trend adds up to more than this, KiB, …
const GROWTH: f64 = 3072.0;
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
            "PROCESS", "SAMPLES", "FIRST KiB", "LAST KiB", "KiB/h"
        )?;
        for Lifetime { name, samples, .. } in &self.0 {
            let (first, last) = (samples[0].1, samples[samples.len() - 1].1);
            let slope =
                trend(settled(samples)).map_or("-".to_owned(), |slope| format!("{:.0}", slope * 3600.0));
            writeln!(f, "{name:<24} {:>8} {first:>10} {last:>10} {slope:>12}", samples.len())?;
        }
        Ok(())
    }
}

impl Lifetime {
    fn grows(&self) -> bool {
        let settled = settled(&self.samples);
        let (Some(slope), [first, .., last]) = (trend(settled), settled) else { return false };
        let time = last.0 - first.0;
        let growth = slope * time;
        time >= LONG && growth > GROWTH.max(SHARE * first.1)
    }
}

/// Returns the samples after the warm-up.
fn settled(samples: &[(f64, f64)]) -> &[(f64, f64)] {
    &samples[(samples.len() as f64 * WARM_UP) as usize..]
}

/// Returns the median of the slopes between all pairs of samples (Theil and Sen), KiB a second, or
/// `None` when the samples are too few. Single outliers do not move it.
fn trend(samples: &[(f64, f64)]) -> Option<f64> {
    if samples.len() < ENOUGH {
        return None;
    }
    let pairs = samples.iter().enumerate().flat_map(|(index, one)| {
        samples[index + 1..].iter().map(move |other| (other.1 - one.1) / (other.0 - one.0))
    });
    let mut slopes: Vec<f64> = pairs.collect();
    let middle = slopes.len() / 2;
    Some(*slopes.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests;
