//! Watches the kernel's interfaces under the ports: receive offloads that merge frames are switched
//! off, and what else makes frames too long is logged.

use std::fmt;
use std::time::Duration;

use dpdk::Merging;
use tracing::{info, warn};

/// Pause between two looks at the offloads and the counters. The MTU is looked at every time,
/// because frames of the old one may no longer leave.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes of a frame around its IP packet: Ethernet header, and an inner VLAN tag.
const AROUND: u32 = 14 + 4;

/// A port, as the watch uses it.
pub trait OnInterface {
    /// Returns its number and device, for the log.
    fn name(&self) -> String;
    /// Returns the name of the interface; `None` when the port rides on none, or it has gone.
    fn interface(&self) -> Option<String>;
    /// Returns the interface's MTU, and has the port send frames of that MTU from now on.
    fn take_mtu(&self) -> Option<u32>;
    /// Returns the longest frame that can be received, where the driver has a bound.
    fn longest_received(&self) -> Option<u32>;
    /// Returns how many longer ones there were.
    fn too_long(&self) -> u64;
    /// Switches off the offloads that merge frames. Returns those that were on, and those of them
    /// that still are.
    fn stop_merging(&self) -> (Merging, Merging);
}

impl OnInterface for dpdk::Port<'_> {
    fn name(&self) -> String {
        format!("port{} ({})", self.id().0, self.device_name())
    }

    fn interface(&self) -> Option<String> {
        dpdk::Port::interface(self)
    }

    fn take_mtu(&self) -> Option<u32> {
        dpdk::Port::take_mtu(self)
    }

    fn longest_received(&self) -> Option<u32> {
        dpdk::Port::longest_received(self)
    }

    fn too_long(&self) -> u64 {
        // The driver with such a bound counts no errors of its own.
        self.stats().map_or(0, |stats| stats.ierrors)
    }

    fn stop_merging(&self) -> (Merging, Merging) {
        dpdk::Port::stop_merging(self)
    }
}

/// Something about an interface that the log should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notice {
    /// These offloads were on and have been switched off.
    SwitchedOff(Merging),
    /// These offloads cannot be switched off.
    StillOn(Merging),
    /// The MTU is another one: before, and now.
    Mtu(u32, u32),
    /// Frames of the new MTU are longer than this, which is the most that can be received.
    Outgrown(u32),
    /// Frames arrive that are longer than this.
    TooLong(u32),
}

impl Notice {
    fn is_trouble(self) -> bool {
        !matches!(self, Notice::Mtu(..))
    }
}

/// Writes a notice about the interface of this name.
struct About<'a>(&'a str, Notice);

impl fmt::Display for About<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let interface = self.0;
        let off = |which: Merging| {
            let each: Vec<_> = which.words().map(|word| format!("{word} off")).collect();
            format!("ethtool -K {interface} {}", each.join(" "))
        };
        match self.1 {
            Notice::SwitchedOff(which) => write!(
                f,
                "{interface} merged received frames ({which}), which cannot be forwarded as they came: switched off, \
                 as by {}",
                off(which)
            ),
            Notice::StillOn(which) => write!(
                f,
                "{interface} merges received frames ({which}), which cannot be forwarded as they came, and this \
                 process cannot switch it off: {}",
                off(which)
            ),
            Notice::Mtu(before, now) => write!(f, "{interface} has MTU {now} now, {before} before"),
            Notice::Outgrown(longest) => write!(
                f,
                "{interface} has an MTU now for which there was no room at the start: frames of more than {longest} \
                 bytes are dropped and counted as rx_errors; a restart makes room, unless the arguments name framesz="
            ),
            Notice::TooLong(longest) => write!(
                f,
                "{interface} receives frames of more than {longest} bytes: they are dropped and counted as rx_errors"
            ),
        }
    }
}

/// Watches the interfaces under ports.
pub struct Interfaces<'p, P>(Vec<Watched<'p, P>>);

struct Watched<'p, P> {
    port: &'p P,
    mtu: Option<u32>,
    /// The offloads that could not be switched off.
    left: Merging,
    /// It has been logged that frames are too long.
    complained: bool,
    /// When to look at offloads and counters again.
    next: Duration,
}

impl<'p, P: OnInterface> Interfaces<'p, P> {
    /// Watches the interfaces under these ports. MTUs are compared with those of now.
    #[must_use]
    pub fn new(ports: impl IntoIterator<Item = &'p P>) -> Self {
        let watched = |port: &'p P| Watched {
            port,
            mtu: port.take_mtu(),
            left: Merging::default(),
            complained: false,
            next: Duration::ZERO,
        };
        Interfaces(ports.into_iter().map(watched).collect())
    }

    /// Looks at every interface. `now` is a reading of any clock that does not go back.
    pub fn tick(&mut self, now: Duration) {
        for watched in &mut self.0 {
            for notice in watched.look(now) {
                let (port, interface) = (watched.port.name(), watched.port.interface().unwrap_or_default());
                let about = About(&interface, notice);
                if notice.is_trouble() {
                    warn!("{port}: {about}");
                } else {
                    info!("{port}: {about}");
                }
            }
        }
    }
}

impl<P: OnInterface> Watched<'_, P> {
    fn look(&mut self, now: Duration) -> Vec<Notice> {
        let mut notices = Vec::new();
        let Some(mtu) = self.port.take_mtu() else { return notices };
        let longest = self.port.longest_received();
        if let Some(before) = self.mtu.replace(mtu).filter(|before| *before != mtu) {
            notices.push(Notice::Mtu(before, mtu));
            let outgrown = longest.filter(|longest| mtu.saturating_add(AROUND) > *longest);
            notices.extend(outgrown.map(Notice::Outgrown));
        }
        if now < self.next {
            return notices;
        }
        self.next = now + PAUSE;
        let (found, left) = self.port.stop_merging();
        if found != left {
            notices.push(Notice::SwitchedOff(found.without(left)));
        }
        if std::mem::replace(&mut self.left, left) != left && !left.is_empty() {
            notices.push(Notice::StillOn(left));
        }
        if let Some(longest) = longest.filter(|_| !self.complained && self.port.too_long() > 0) {
            self.complained = true;
            notices.push(Notice::TooLong(longest));
        }
        notices
    }
}

#[cfg(test)]
mod tests;
