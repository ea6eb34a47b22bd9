use super::*;
use std::cell::Cell;

struct Fake {
    mtu: Cell<Option<u32>>,
    on: Cell<Merging>,
    /// Whether the process may switch offloads.
    may: bool,
    too_long: Cell<u64>,
}

impl OnInterface for Fake {
    fn name(&self) -> String {
        "port0 (fake)".to_owned()
    }
    fn interface(&self) -> Option<String> {
        Some("eth1".to_owned())
    }
    fn take_mtu(&self) -> Option<u32> {
        self.mtu.get()
    }
    fn longest_received(&self) -> Option<u32> {
        Some(1982)
    }
    fn too_long(&self) -> u64 {
        self.too_long.get()
    }
    fn stop_merging(&self) -> (Merging, Merging) {
        let found = self.on.get();
        if self.may {
            self.on.set(Merging::default());
        }
        (found, self.on.get())
    }
}

fn fake(may: bool) -> Fake {
    Fake { mtu: Cell::new(Some(1500)), on: Cell::default(), may, too_long: Cell::new(0) }
}

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn merging_is_switched_off_whenever_it_is_on() {
    let port = fake(true);
    port.on.set(Merging::GRO);
    let mut interfaces = Interfaces::new([&port]);
    let watched = &mut interfaces.0[0];
    assert_eq!(watched.look(at(0)), [Notice::SwitchedOff(Merging::GRO)]);
    assert_eq!(watched.look(at(1000)), []);
    port.on.set(Merging::GRO);
    assert_eq!(watched.look(at(1999)), [], "once a second");
    assert_eq!(watched.look(at(2000)), [Notice::SwitchedOff(Merging::GRO)]);
    assert!(port.on.get().is_empty());
}

#[test]
fn merging_that_stays_on_is_told_once() {
    let port = fake(false);
    port.on.set(Merging::GRO);
    let mut interfaces = Interfaces::new([&port]);
    let watched = &mut interfaces.0[0];
    assert_eq!(watched.look(at(0)), [Notice::StillOn(Merging::GRO)]);
    assert_eq!(watched.look(at(1000)), []);
    port.on.set(Merging::default());
    assert_eq!(watched.look(at(2000)), []);
    port.on.set(Merging::GRO);
    assert_eq!(watched.look(at(3000)), [Notice::StillOn(Merging::GRO)]);
}

#[test]
fn a_new_mtu_is_told_and_whether_its_frames_fit() {
    let port = fake(true);
    let mut interfaces = Interfaces::new([&port]);
    let watched = &mut interfaces.0[0];
    assert_eq!(watched.look(at(0)), []);
    port.mtu.set(Some(1964));
    assert_eq!(watched.look(at(50)), [Notice::Mtu(1500, 1964)]);
    port.mtu.set(Some(1965));
    assert_eq!(watched.look(at(100)), [Notice::Mtu(1964, 1965), Notice::Outgrown(1982)]);
    port.mtu.set(None);
    assert_eq!(watched.look(at(5000)), [], "it has been deleted");
}

#[test]
fn long_frames_are_told_once() {
    let port = fake(true);
    let mut interfaces = Interfaces::new([&port]);
    let watched = &mut interfaces.0[0];
    assert_eq!(watched.look(at(0)), []);
    port.too_long.set(3);
    assert_eq!(watched.look(at(1000)), [Notice::TooLong(1982)]);
    port.too_long.set(9);
    assert_eq!(watched.look(at(2000)), []);
}

#[test]
fn a_notice_names_the_interface_and_the_remedy() {
    let text = |notice| About("eth1", notice).to_string();
    for notice in [Notice::SwitchedOff(Merging::GRO), Notice::StillOn(Merging::GRO)] {
        assert!(text(notice).ends_with("ethtool -K eth1 gro off"), "{}", text(notice));
    }
    for notice in [Notice::Outgrown(1982), Notice::TooLong(1982)] {
        let text = text(notice);
        assert!(text.contains("1982 bytes") && text.contains("dropped and counted as rx_errors"), "{text}");
    }
    assert_eq!(text(Notice::Mtu(1500, 9000)), "eth1 has MTU 9000 now, 1500 before");
}
