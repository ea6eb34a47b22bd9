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
mod tests;
