//! The wrapped learner table holds what it was given until its time is over, and refuses when a
//! bucket is full.

use dpdk::clock::tsc_hz;
use dpdk::learner::{BURST_MAX, Learner, LearnerConfig};
use dpdk::{Eal, Error, SocketId};

fn keys(range: std::ops::Range<u64>) -> Vec<u128> {
    range.map(|n| u128::from(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)) << 64 | u128::from(n)).collect()
}

fn all(n: usize) -> u64 {
    u64::MAX >> (BURST_MAX - n)
}

#[test]
fn learns_forgets_and_refuses() {
    let line = format!(
        "--no-huge --no-shconf --no-pci -l 0 -m 64 --file-prefix ftlearner{id}",
        id = std::process::id()
    );
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let eal = Eal::init("learner", &args).unwrap();
    // Far more than the 2^32 cycles that DPDK's times are coarse by.
    let timeout = 1000;
    let config = |keys| LearnerConfig { keys, timeout, socket: SocketId::ANY };

    let start = 1 << 40;
    let mut table = Learner::new(&eal, &config(4096)).unwrap();
    // A bucket takes a cache line for itself, and 16 bytes of key and 8 of action for each of its
    // four keys.
    assert!(table.bytes() >= 4096 * (64 + 4 * 24));
    let (known, others) = (keys(0..BURST_MAX as u64), keys(1000..1000 + BURST_MAX as u64));
    assert_eq!(table.refresh_burst(start, &known), 0);
    assert_eq!(table.add_burst(start, &known), u64::MAX);
    assert_eq!(table.refresh_burst(start, &known), u64::MAX);
    assert_eq!(table.refresh_burst(start, &others), 0);
    assert_eq!(table.refresh_burst(start, &[others[0], known[3], others[1]]), 0b010);

    assert_eq!(table.delete_burst(start, &known[..10]), all(10));
    assert_eq!(table.delete_burst(start, &known[..10]), 0);
    assert_eq!(table.refresh_burst(start, &known), !all(10));

    // Half of the others are rearmed when most of their time is over, and outlive the rest.
    let seconds = |s| start + s * tsc_hz(&eal);
    assert_eq!(table.refresh_burst(seconds(900), &known[..20]), all(20) & !all(10));
    assert_eq!(table.delete_burst(seconds(1500), &known), all(20) & !all(10));

    // One bucket: the fifth key finds it full, within a burst too, and a deletion makes room.
    let mut tiny = Learner::new(&eal, &config(1)).unwrap();
    let few = keys(0..6);
    assert_eq!(tiny.add_burst(start, &few), 0b00_1111);
    assert_eq!(tiny.refresh_burst(start, &few), 0b00_1111);
    assert_eq!(tiny.delete_burst(start, &few[1..2]), 1);
    assert_eq!(tiny.add_burst(start, &few[4..]), 0b01);
    assert_eq!(tiny.refresh_burst(start, &few), 0b01_1101);

    for (config, errno) in [(config(0), libc::EINVAL), (config(1 << 24), libc::ENOMEM)] {
        match Learner::new(&eal, &config) {
            Err(Error::Call { errno: told, .. }) => assert_eq!(told, errno),
            other => panic!("{config:?}: {other:?}"),
        }
    }
}
