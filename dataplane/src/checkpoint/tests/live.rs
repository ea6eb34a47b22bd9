//! Files that are written while lcores poll.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use conntrack::tracker::Write;
use conntrack::{DeleteReason, EventSink};

use super::*;
use crate::checkpoint::restore::open;
use crate::checkpoint::saver::Saver;
use crate::export::{Names, WallClock};
use crate::lcore::clock::Calibration;
use crate::lcore::executors::Executors;
use crate::lcore::mailbox::mailbox;
use crate::lcore::saving::saving;
use crate::test_key::{Shard, shard};

/// Positions of a slice: few, so that a file takes many of them.
const SLICE: u32 = 16;

/// Takes every event.
struct Nowhere;

impl EventSink<FlowKey> for Nowhere {
    fn offer(&mut self, _: &Event) -> bool {
        true
    }
}

impl EventSink<FlowKeyV6> for Nowhere {
    fn offer(&mut self, _: &Event<FlowKeyV6>) -> bool {
        true
    }
}

/// A saver of two lcores, and the lcores' ends with their tables.
fn rig(path: &std::path::Path) -> (Saver, Vec<(Executors, Shard)>) {
    let clock = Calibration::start().finish();
    let mut saver = Saver {
        path: path.to_owned(),
        every: Duration::ZERO,
        identity: identity(),
        ipv4: Vec::new(),
        ipv6: Vec::new(),
        names: Names::default(),
        steps: WallClock::of_host(clock).steps(),
        clock,
        refused: false,
    };
    let now = clock.now();
    let lcores = (0..2u8).map(|lcore| {
        let ((save_ipv4, end_ipv4), (save_ipv6, end_ipv6)) = (saving(), saving());
        saver.ipv4.push(save_ipv4);
        saver.ipv6.push(save_ipv6);
        let ((_, ipv4), (_, ipv6)) = (mailbox(), mailbox());
        let mut shard = shard(20_000, lcore.into());
        for port in 0..9000 {
            let entry = FlowKey::flow(lcore + 1, port).entry();
            shard.ipv4.restore(&Entry { created_ms: 0, ..entry }.used_at(0, now)).expect("room");
            let entry = FlowKeyV6::flow(lcore + 1, port).entry();
            shard.ipv6.restore(&Entry { created_ms: 0, ..entry }.used_at(0, now)).expect("room");
        }
        (Executors::new(ipv4, ipv6).with_saving(end_ipv4, end_ipv6), shard)
    });
    let lcores = lcores.collect();
    (saver, lcores)
}

fn keys_in(path: &std::path::Path) -> (usize, usize) {
    let mut file = open(path, &identity()).expect("it is whole").expect("it is there");
    let now = Now::from_ns(file.description.at_ns);
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    file.entries::<FlowKey>(|saved| ipv4.push(saved.entry(now))).expect("whole");
    file.entries::<FlowKeyV6>(|saved| ipv6.push(saved.entry(now))).expect("whole");
    (by_key(ipv4).len(), by_key(ipv6).len())
}

#[test]
fn every_interval_all_entries_of_all_lcores_are_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("checkpoint");
    std::fs::write(&path, "something else").expect("it can be written");
    let (mut saver, lcores) = rig(&path);
    saver.refused = true;
    let (finish, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    let lcores = std::thread::scope(|threads| {
        let polling: Vec<_> = lcores
            .into_iter()
            .map(|(mut executors, mut shard)| {
                let (stop, now) = (&stop, saver.clock.now());
                threads.spawn(move || {
                    while !stop.load(Ordering::Acquire) {
                        let link = None;
                        let mut sink = Nowhere;
                        executors.run(None, &mut shard, now, SLICE, link, &mut sink);
                        executors.notice_saving();
                    }
                    shard
                })
            })
            .collect();
        let writing = threads.spawn(|| saver.run(&finish));
        // The file that is there is no file of ours, and is replaced.
        while !matches!(open(&path, &identity()), Ok(Some(_))) {
            std::thread::yield_now();
        }
        assert_eq!(keys_in(&path), (18_000, 18_000));
        std::fs::remove_file(&path).expect("it is there");
        while !path.exists() {
            std::thread::yield_now();
        }
        assert_eq!(keys_in(&path), (18_000, 18_000));
        finish.store(true, Ordering::Release);
        writing.join().expect("it ends");
        stop.store(true, Ordering::Release);
        polling.into_iter().map(|lcore| lcore.join().expect("it ends")).collect::<Vec<_>>()
    });
    let aside = folder.path().join("checkpoint.refused");
    assert_eq!(std::fs::read_to_string(aside).expect("it is kept"), "something else");

    // The last file is that of the tables as they are then.
    let mut lcores = lcores;
    let gone = <FlowKey as TestKey>::flow(1, 7);
    let (now, reason) = (saver.clock.now(), DeleteReason::Control);
    let removed = lcores[0].ipv4.remove(now, &gone, reason, ActorId::NONE, &mut Nowhere);
    assert!(matches!(removed, Write::Done(_)), "{removed:?}");
    let ipv4: Vec<_> = lcores.iter().map(|shard| &shard.ipv4).collect();
    let ipv6: Vec<_> = lcores.iter().map(|shard| &shard.ipv6).collect();
    saver.save_stopped(&ipv4, &ipv6);
    assert_eq!(keys_in(&path), (17_999, 18_000));
    let unfinished = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(unfinished, 2, "the file and the one that was refused");
}
