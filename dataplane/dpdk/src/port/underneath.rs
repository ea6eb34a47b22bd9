//! What a port on an interface of the kernel has to look after, because its driver does not: frames
//! that the kernel drops, cuts, merges, or refuses to send.

use std::sync::Mutex;

use super::Port;
use crate::kernel::Interface;
use crate::lock::lock;
use crate::merging::{Merging, Switches};
use crate::quirks::Quirks;
use crate::quirks::long_frames::{Longest, TooLong};
use crate::quirks::ring_drops::PacketSockets;

/// The interface under a port, as far as the quirks of the port's driver need it. Empty for ports
/// that ride on none, and for drivers without these quirks.
#[derive(Debug, Default)]
pub(super) struct Underneath {
    /// The sockets under a port that hides its ring drops.
    sockets: PacketSockets,
    too_long: Option<TooLong>,
    longest: Option<Longest>,
    switches: Option<Switches>,
    /// The offloads that were on and that [`Port::stop_merging`] has switched off.
    switched_off: Mutex<Merging>,
}

/// Frames that never reached the driver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lost {
    /// Because the ring was full.
    pub(super) ring_full: u64,
    /// Because they do not fit a frame of the ring.
    pub(super) too_long: u64,
}

impl Underneath {
    pub(super) fn new(interface: Option<Interface>, quirks: Quirks) -> Self {
        let Some(interface) = interface else { return Self::default() };
        let sockets =
            if quirks.hides_ring_drops { PacketSockets::on(interface) } else { PacketSockets::default() };
        let framesz = sockets.ring_frame().filter(|_| quirks.hides_long_frames);
        Self {
            too_long: framesz.and_then(|framesz| TooLong::keep_from(&sockets, interface, framesz)),
            longest: framesz.map(|framesz| Longest::new(framesz, interface.mtu().unwrap_or(u32::MAX))),
            switches: Switches::of(interface).filter(|_| quirks.receives_merged_frames),
            switched_off: Mutex::default(),
            sockets,
        }
    }

    /// Returns the frames that were lost since the last call.
    pub(super) fn take_lost(&self) -> Lost {
        Lost {
            ring_full: self.sockets.take_drops(),
            too_long: self.too_long.as_ref().map_or(0, TooLong::take_count),
        }
    }

    /// Returns the bound of the frames that are sent, where the driver has none.
    pub(super) fn longest(&self) -> Option<&Longest> {
        self.longest.as_ref()
    }
}

impl Drop for Underneath {
    /// Switches on what was on before.
    fn drop(&mut self) {
        let switched_off = *lock(&self.switched_off);
        if let Some(switches) = self.switches.as_ref().filter(|_| !switched_off.is_empty()) {
            switches.set(switched_off, true);
        }
    }
}

impl Port<'_> {
    /// Returns the name of the kernel's interface that the port rides on, if it rides on one that
    /// still exists.
    #[must_use]
    pub fn interface(&self) -> Option<String> {
        self.facts.interface.and_then(Interface::name)
    }

    /// Asks the kernel for the MTU of the interface that the port rides on. From now on the port
    /// sends frames of this MTU. `None` without an interface, or when it has been deleted.
    pub fn take_mtu(&self) -> Option<u32> {
        let mtu = self.facts.interface?.mtu()?;
        if let Some(longest) = &self.underneath.longest {
            longest.set_mtu(mtu);
        }
        Some(mtu)
    }

    /// Returns the longest frame that the port can receive, outer VLAN tag not included, if the
    /// driver has a bound of its own. Longer ones are dropped and count as
    /// [`ierrors`](super::PortStats::ierrors).
    #[must_use]
    pub fn longest_received(&self) -> Option<u32> {
        self.underneath.too_long.as_ref().map(TooLong::room)
    }

    /// Switches off the offloads that merge received frames, where the driver would receive merged
    /// ones. Returns those that were on, and those of them that still are. They are switched on
    /// again when the port is closed.
    pub fn stop_merging(&self) -> (Merging, Merging) {
        let on = || self.underneath.switches.as_ref().and_then(|switches| switches.on().zip(Some(switches)));
        let Some((found, switches)) = on().filter(|(found, _)| !found.is_empty()) else {
            return Default::default();
        };
        let left = switches.set(found, false).unwrap_or(found);
        let mut switched_off = lock(&self.underneath.switched_off);
        *switched_off = switched_off.or(found.without(left));
        (found, left)
    }
}
