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

/// The control service of an hour, every 65 seconds, KiB. What it needed from round to round happened
/// to be more at the end, and was at last what it had been at first.
#[test]
fn what_comes_back_does_not_grow() {
    let samples = [
        22624, 23124, 29284, 21820, 29036, 29032, 32184, 28288, 24716, 23044, 23444, 23948, 23404, 23404,
        23272, 22272, 24996, 22412, 24372, 24716, 23604, 23844, 21228, 36760, 29484, 30720, 24760, 24108,
        24040, 23180, 31428, 23688, 23308, 36592, 29628, 29472, 24056, 29736, 21808, 23512, 22260, 39004,
        31628, 29836, 26868, 26868, 31152, 24956, 32432, 32108, 30900, 22640,
    ];
    let at = |leaked: f64| {
        let mut memory = Memory::default();
        for (minute, resident) in (0u32..).zip(samples) {
            let leaked = leaked * f64::from(minute) / samples.len() as f64;
            memory.add("a", 7, Duration::from_secs(65) * minute, f64::from(resident) + leaked);
        }
        memory.growing().count()
    };
    assert_eq!((at(0.0), at(6000.0)), (0, 1));
}

#[test]
fn a_few_minutes_tell_nothing() {
    let process = |seconds: u64| {
        let mut memory = Memory::default();
        for sample in 0..30 {
            memory.add("a", 7, Duration::from_secs(seconds * sample / 30), 20_000.0 + 500.0 * sample as f64);
        }
        memory.growing().count()
    };
    assert_eq!((process(600), process(1200)), (0, 1));
}

#[test]
fn this_process_is_sampled() {
    let mut memory = Memory::default();
    memory.sample("this", std::process::id(), Duration::ZERO);
    assert!(memory.0[0].samples[0].1 > 100.0);
}
