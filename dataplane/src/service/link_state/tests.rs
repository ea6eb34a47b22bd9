use super::*;
use std::cell::{Cell, RefCell};

/// A port whose peer the test connects and disconnects.
#[derive(Default)]
struct Fake {
    memif: bool,
    peer: Cell<bool>,
    refuses: Cell<bool>,
    running: Cell<bool>,
    /// Whether the peer was there when the port was started, and has been since.
    linked: Cell<bool>,
    calls: RefCell<Vec<&'static str>>,
}

impl Device for Fake {
    fn name(&self) -> String {
        "port0 (fake)".to_owned()
    }
    fn needs_restart(&self) -> bool {
        self.memif
    }
    fn is_running(&self) -> bool {
        self.running.get()
    }
    fn link_up(&self) -> bool {
        self.linked.get() && self.peer.get()
    }
    fn start(&self) -> Result<(), dpdk::Error> {
        self.calls.borrow_mut().push("start");
        if self.refuses.get() {
            return Err(dpdk::Error::NotMainThread);
        }
        self.running.set(true);
        self.linked.set(self.peer.get() || !self.memif);
        Ok(())
    }
    fn is_gone(&self) -> bool {
        false
    }
    fn count(&self) {}
    fn hush(&self) -> Option<dpdk::Hush> {
        None
    }
    fn stop(&self) -> Result<(), dpdk::Error> {
        self.calls.borrow_mut().push("stop");
        self.running.set(false);
        Ok(())
    }
}

impl Fake {
    fn lose_peer(&self) {
        self.peer.set(false);
        if self.memif {
            self.linked.set(false);
        }
    }
}

/// Ticks every 50 ms from `from` to `to`, in milliseconds.
fn run(keeper: &mut Keeper<'_, Fake>, from: u64, to: u64) {
    for now in (from..to).step_by(50) {
        keeper.tick(Duration::from_millis(now));
    }
}

#[test]
fn a_port_that_refuses_is_tried_every_second_until_it_starts() {
    let port = Fake { refuses: Cell::new(true), peer: Cell::new(true), ..Fake::default() };
    let mut keeper = Keeper::new([&port]);
    run(&mut keeper, 0, 5000);
    assert_eq!(port.calls.borrow().len(), 5);
    port.refuses.set(false);
    run(&mut keeper, 5000, 6000);
    assert!(port.is_running() && port.link_up());
    port.calls.borrow_mut().clear();
    run(&mut keeper, 6000, 20_000);
    assert_eq!(*port.calls.borrow(), [""; 0], "a port that is up is left alone");
}

#[test]
fn a_client_without_its_server_is_restarted_until_the_server_answers() {
    let port = Fake { memif: true, ..Fake::default() };
    let mut keeper = Keeper::new([&port]);
    run(&mut keeper, 0, 2500);
    assert_eq!(*port.calls.borrow(), ["start", "stop", "start", "stop", "start"]);
    for start in [3000, 13_000, 23_000] {
        port.peer.set(true);
        run(&mut keeper, start, start + 5000);
        assert!(port.link_up());
        port.calls.borrow_mut().clear();
        run(&mut keeper, start + 5000, start + 6000);
        assert_eq!(*port.calls.borrow(), [""; 0]);
        port.lose_peer();
        run(&mut keeper, start + 6000, start + 6950);
        assert_eq!(*port.calls.borrow(), [""; 0], "the driver gets its time");
        run(&mut keeper, start + 6950, start + 10_000);
        assert_eq!(port.calls.borrow()[..2], ["stop", "start"]);
    }
}

/// Each attempt breaks off a handshake that a busy server has not finished.
#[test]
fn a_server_that_does_not_finish_is_given_more_time_with_every_attempt() {
    let port = Fake { memif: true, ..Fake::default() };
    let mut keeper = Keeper::new([&port]);
    let mut begun = Vec::new();
    for now in (0..20_000).step_by(50) {
        keeper.tick(Duration::from_millis(now));
        if port.calls.borrow_mut().drain(..).any(|call| call == "start") {
            begun.push(now);
        }
    }
    assert_eq!(begun, [0, 1000, 2000, 4000, 8000, 12_000, 16_000]);
    // One that is not there is asked every second: nothing is broken off.
    port.refuses.set(true);
    run(&mut keeper, 20_000, 30_000);
    assert_eq!(port.calls.borrow().iter().filter(|call| **call == "start").count(), 10);
}

#[test]
fn an_unplugged_cable_is_waited_for() {
    let port = Fake { peer: Cell::new(true), ..Fake::default() };
    let mut keeper = Keeper::new([&port]);
    run(&mut keeper, 0, 1000);
    port.lose_peer();
    run(&mut keeper, 1000, 9000);
    assert_eq!(keeper.0[0].up, Some(false));
    port.peer.set(true);
    run(&mut keeper, 9000, 10_000);
    assert_eq!(keeper.0[0].up, Some(true));
    assert_eq!(*port.calls.borrow(), ["start"]);
}
