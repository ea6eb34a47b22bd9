//! Keeps the ports up while lcores poll: starts those that could not start yet, restarts those that lost their peer,
//! and tells of links that come and go.

use std::time::Duration;

use tracing::{debug, info, warn};

/// Pause between two attempts on a port. A handshake needs its time: a shorter one would cut it off.
const RETRY: Duration = Duration::from_secs(1);

/// What is asked of a port.
pub trait Device {
    /// Number and device, for people.
    fn name(&self) -> String;
    /// Whether a lost link comes back only by stop and start.
    fn needs_restart(&self) -> bool;
    /// Whether it was started and not stopped.
    fn is_running(&self) -> bool;
    /// Whether its link is up.
    fn link_up(&self) -> bool;
    /// Whether what it rides on has been deleted.
    fn is_gone(&self) -> bool;
    /// Reads its counters, which its driver may hide while the link is down.
    fn count(&self);
    /// Starts it.
    ///
    /// # Errors
    /// It cannot start now.
    fn start(&self) -> Result<(), dpdk::Error>;
    /// What its driver is kept from saying again while it is retried.
    fn hush(&self) -> Option<dpdk::Hush>;
    /// Stops it; lcores may go on polling it.
    ///
    /// # Errors
    /// The driver refused.
    fn stop(&self) -> Result<(), dpdk::Error>;
}

impl Device for dpdk::Port<'_> {
    fn name(&self) -> String {
        format!("port{} ({})", self.id().0, self.device_name())
    }

    /// A net_memif client does not dial again when its server has gone, or was not there (DPDK 22.11).
    fn needs_restart(&self) -> bool {
        self.driver_name() == "net_memif"
    }

    fn is_running(&self) -> bool {
        dpdk::Port::is_running(self)
    }

    fn link_up(&self) -> bool {
        dpdk::Port::link_up(self)
    }

    fn is_gone(&self) -> bool {
        dpdk::Port::is_gone(self)
    }

    fn count(&self) {
        // A driver that keeps none has none to lose.
        let _ = self.stats();
    }

    fn start(&self) -> Result<(), dpdk::Error> {
        dpdk::Port::start(self)
    }

    fn hush(&self) -> Option<dpdk::Hush> {
        dpdk::Hush::driver(self.driver_name()).ok()
    }

    fn stop(&self) -> Result<(), dpdk::Error> {
        dpdk::Port::stop(self)
    }
}

/// Keeps ports up.
pub struct Keeper<'p, P>(Vec<Kept<'p, P>>);

struct Kept<'p, P> {
    port: &'p P,
    /// As last told.
    up: Option<bool>,
    /// When to look after it again if it is not up.
    next: Duration,
    /// It could not start, and the reason has been told once.
    complained: Option<Complained>,
}

/// Keeps the driver from repeating the reason at every attempt.
struct Complained {
    _hush: Option<dpdk::Hush>,
}

impl<'p, P: Device> Keeper<'p, P> {
    /// Of these ports, none of which is running.
    #[must_use]
    pub fn new(ports: impl IntoIterator<Item = &'p P>) -> Self {
        let kept = |port| Kept { port, up: None, next: Duration::ZERO, complained: None };
        Keeper(ports.into_iter().map(kept).collect())
    }

    /// Looks after every port. `now` is of any clock that does not go back.
    pub fn tick(&mut self, now: Duration) {
        for kept in &mut self.0 {
            kept.tick(now);
        }
    }
}

impl<P: Device> Kept<'_, P> {
    fn tick(&mut self, now: Duration) {
        if self.port.is_running() && self.tell(now) {
            if self.port.needs_restart() {
                self.port.count();
            }
            return;
        }
        let idle = self.port.is_running() && !self.port.needs_restart();
        if idle || now < self.next {
            return;
        }
        self.next = now + RETRY;
        if self.port.is_running()
            && let Err(error) = self.port.stop()
        {
            debug!("{}: {error}", self.port.name());
        }
        match self.port.start() {
            // A success may only mean that the attempt has begun.
            Ok(()) => {
                self.tell(now);
            }
            Err(error) if self.complained.is_some() => debug!("{}: {error}", self.port.name()),
            Err(error) => {
                let name = self.port.name();
                if self.port.needs_restart() {
                    warn!(
                        "{name} cannot start yet: its server does not answer; trying again every {RETRY:?}"
                    );
                } else {
                    warn!("{name} cannot start yet: {error}; trying again every {RETRY:?}");
                }
                self.complained = Some(Complained { _hush: self.port.hush() });
            }
        }
    }

    /// Tells of a change of the link, and whether it is up.
    fn tell(&mut self, now: Duration) -> bool {
        let up = self.port.link_up();
        if self.up != Some(up) {
            let lost = self.up == Some(true);
            self.up = Some(up);
            match (up, lost) {
                (true, _) => info!("{}: link up", self.port.name()),
                (false, _) if self.port.is_gone() => {
                    warn!(
                        "{}: its interface has been deleted; one made anew takes a restart",
                        self.port.name()
                    );
                }
                (false, true) => warn!("{}: link down", self.port.name()),
                (false, false) => info!("{}: no link yet", self.port.name()),
            }
            self.complained = None;
            self.next = now + RETRY;
        }
        up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    /// A port whose peer comes and goes as the test says.
    #[derive(Default)]
    struct Fake {
        memif: bool,
        peer: Cell<bool>,
        refuses: Cell<bool>,
        running: Cell<bool>,
        /// The peer was there when the port was started, and has been since.
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
        run(&mut keeper, 0, 3000);
        assert_eq!(*port.calls.borrow(), ["start", "stop", "start", "stop", "start"]);
        for start in [3000, 13_000, 23_000] {
            port.peer.set(true);
            run(&mut keeper, start, start + 2000);
            assert!(port.link_up());
            port.calls.borrow_mut().clear();
            run(&mut keeper, start + 2000, start + 6000);
            assert_eq!(*port.calls.borrow(), [""; 0]);
            port.lose_peer();
            run(&mut keeper, start + 6000, start + 6950);
            assert_eq!(*port.calls.borrow(), [""; 0], "the driver gets its time");
            run(&mut keeper, start + 6950, start + 10_000);
            assert_eq!(port.calls.borrow()[..2], ["stop", "start"]);
        }
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
}
