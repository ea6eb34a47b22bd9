//! Keeps the ports up while lcores poll: starts ports that could not start yet, restarts those that
//! have lost their peer, and logs when a link goes up or down.

use std::time::Duration;

use tracing::{debug, info, warn};

/// Pause between two attempts on a port. A shorter one would not leave the time for a handshake.
const RETRY: Duration = Duration::from_secs(1);
/// Longest pause. The pause doubles while attempts begin and lead to no link: the peer may be too
/// busy for its part of the handshake, and an attempt that is broken off makes it begin again.
const RETRY_MAX: Duration = Duration::from_secs(4);

/// A port, as the keeper uses it.
pub trait Device {
    /// Returns its number and device, for the log.
    fn name(&self) -> String;
    /// Returns `true` when a lost link comes back only by stop and start.
    fn needs_restart(&self) -> bool;
    /// Returns `true` when it was started and not stopped.
    fn is_running(&self) -> bool;
    /// Returns `true` when its link is up.
    fn link_up(&self) -> bool;
    /// Returns `true` when the interface under it has been deleted.
    fn is_gone(&self) -> bool;
    /// Reads its counters, so that they are known when the driver hides them: it may while the link
    /// is down.
    fn count(&self);
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot start now.
    fn start(&self) -> Result<(), dpdk::Error>;
    /// Silences the driver's log while the returned value lives.
    fn hush(&self) -> Option<dpdk::Hush>;
    /// Stops it. Lcores may go on polling it.
    ///
    /// # Errors
    /// When the driver refuses.
    fn stop(&self) -> Result<(), dpdk::Error>;
}

impl Device for dpdk::Port<'_> {
    fn name(&self) -> String {
        format!("port{} ({})", self.id().0, self.device_name())
    }

    /// A net_memif client does not dial again when its server has gone, or was not there (DPDK
    /// 22.11).
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
        // A driver without counters has none to lose.
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
    /// The link as it was last logged.
    up: Option<bool>,
    /// When to try again if the link is not up.
    next: Duration,
    /// Pause after the next attempt.
    pause: Duration,
    /// Set when it could not start and the reason has been logged.
    complained: Option<Complained>,
}

/// Keeps the driver from repeating the reason at every attempt.
struct Complained {
    _hush: Option<dpdk::Hush>,
}

impl<'p, P: Device> Keeper<'p, P> {
    /// Keeps these ports up, none of which is running yet.
    #[must_use]
    pub fn new(ports: impl IntoIterator<Item = &'p P>) -> Self {
        let kept = |port| Kept { port, up: None, next: Duration::ZERO, pause: RETRY, complained: None };
        Keeper(ports.into_iter().map(kept).collect())
    }

    /// Looks after every port. `now` is a reading of any clock that does not go back.
    pub fn tick(&mut self, now: Duration) {
        for kept in &mut self.0 {
            kept.tick(now);
        }
    }
}

impl<P: Device> Kept<'_, P> {
    fn tick(&mut self, now: Duration) {
        if self.port.is_running() && self.log_link(now) {
            if self.port.needs_restart() {
                self.port.count();
            }
            return;
        }
        let idle = self.port.is_running() && !self.port.needs_restart();
        if idle || now < self.next {
            return;
        }
        if self.port.is_running()
            && let Err(error) = self.port.stop()
        {
            debug!("{}: {error}", self.port.name());
        }
        let started = self.port.start();
        if started.is_err() {
            self.pause = RETRY;
        }
        self.next = now + self.pause;
        match started {
            // Success may only mean that the attempt has begun.
            Ok(()) => {
                self.pause = RETRY_MAX.min(2 * self.pause);
                self.log_link(now);
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

    /// Logs a change of the link. Returns `true` when the link is up.
    fn log_link(&mut self, now: Duration) -> bool {
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
            (self.next, self.pause) = (now + RETRY, RETRY);
        }
        up
    }
}

#[cfg(test)]
mod tests;
