use super::*;
use conntrack::test_support::Random;

/// An hour of a process that needs what `resident` says, KiB, give or take 1 MiB.
fn grows(resident: impl Fn(f64) -> f64) -> bool {
    let mut dice = Random(1);
    let mut memory = Memory::default();
    for minute in 0..60 {
        let noise = dice.between(0, 2048) as f64 - 1024.0;
        memory.add("a", 7, Duration::from_secs(60 * minute), resident(minute as f64 / 60.0) + noise);
    }
    memory.growing().count() == 1
}

#[test]
fn what_stays_or_settles_does_not_grow() {
    assert!(!grows(|_| 50_000.0));
    assert!(!grows(|t| 50_000.0 + 100_000.0 * (3.0 * t).min(1.0)), "it fills a cache");
    assert!(!grows(|t| 50_000.0 + 30_000.0 * (t * 20.0).fract()), "it falls again and again");
    assert!(!grows(|t| 50_000.0 - 20_000.0 * t));
}

#[test]
fn what_leaks_grows() {
    assert!(grows(|t| 50_000.0 + 8_000.0 * t));
    assert!(grows(|t| 400_000.0 + 20_000.0 * t));
    assert!(grows(|t| 50_000.0 + 100_000.0 * (3.0 * t).min(1.0) + 8_000.0 * t), "beside a cache that fills");
}

#[test]
fn a_restart_begins_a_lifetime() {
    let mut memory = Memory::default();
    for minute in 0..60 {
        let pid = 1 + minute / 10;
        memory.add("a", pid as u32, Duration::from_secs(60 * minute), 50_000.0 + 8000.0 * minute as f64);
    }
    assert_eq!(memory.0.len(), 6);
    assert_eq!(memory.growing().count(), 0, "ten samples tell no trend");
}

#[test]
fn this_process_is_sampled() {
    let mut memory = Memory::default();
    memory.sample("this", std::process::id(), Duration::ZERO);
    assert!(memory.0[0].samples[0].1 > 100.0);
}
