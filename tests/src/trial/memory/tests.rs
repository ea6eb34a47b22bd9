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

/// The control service of a long run up to its restart: seconds, and KiB. What it needed from round
/// to round happened to be more at the end.
#[test]
fn a_few_minutes_tell_no_trend() {
    let samples = [
        (16, 17_732),
        (31, 16_884),
        (47, 20_624),
        (61, 20_256),
        (77, 17_988),
        (93, 20_824),
        (109, 20_924),
        (124, 22_264),
        (167, 18_672),
        (182, 20_228),
        (198, 20_228),
        (214, 19_936),
        (230, 19_936),
        (245, 21_232),
        (261, 20_200),
        (277, 22_208),
        (293, 21_020),
        (337, 19_828),
        (352, 21_504),
        (368, 23_204),
        (383, 23_844),
    ];
    let mut memory = Memory::default();
    samples
        .into_iter()
        .for_each(|(at, resident)| memory.add("a", 7, Duration::from_secs(at), resident.into()));
    let process = &memory.0[0].samples;
    let longer = process.iter().map(|(at, resident)| (LONG / 200.0 * at, *resident)).collect();
    let longer = Lifetime { samples: longer, ..memory.0[0].clone() };
    assert_eq!((memory.growing().count(), longer.grows()), (0, true), "{memory}");
}

#[test]
fn this_process_is_sampled() {
    let mut memory = Memory::default();
    memory.sample("this", std::process::id(), Duration::ZERO);
    assert!(memory.0[0].samples[0].1 > 100.0);
}
