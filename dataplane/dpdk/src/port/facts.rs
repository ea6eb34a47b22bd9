//! Facts about a device: what it is and what it can do, as its driver and the kernel tell.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

use dpdk_sys as sys;

use crate::Error;
use crate::ids::{PortId, SocketId};
use crate::kernel::Interface;
use crate::port::Rss;

/// What a device is and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortFacts {
    /// Name of the device, such as `net_memif0` or `0000:01:00.0`.
    pub device: String,
    /// Name of the driver, such as `net_memif`.
    pub driver: String,
    /// NUMA node of the device.
    pub socket: SocketId,
    /// Longest IP packet in bytes: of the kernel's interface where the port rides on one, else of
    /// the device.
    pub mtu: u32,
    /// Receive queues that the device has.
    pub max_rx_queues: u16,
    /// Transmit queues that the device has.
    pub max_tx_queues: u16,
    /// The RTE_ETH_RSS_* bits that the device can hash on.
    pub(super) rss_offered: u64,
    /// Whether the device can be asked for chained mbufs in both directions.
    pub(super) chains_offered: bool,
    /// The MTU in ethdev's books, in bytes: the value to configure the device with.
    pub(super) ethdev_mtu: u16,
    /// The kernel's interface that the port rides on.
    pub(super) interface: Option<Interface>,
}

impl PortFacts {
    /// Returns whether both devices ride on the same interface of the kernel.
    #[must_use]
    pub fn shares_interface_with(&self, other: &Self) -> bool {
        self.interface.is_some() && self.interface == other.interface
    }

    /// Returns whether the device can spread frames over receive queues by these fields (RSS).
    #[must_use]
    pub fn offers(&self, rss: Rss) -> bool {
        // SAFETY: the shim returns constants.
        let needed = unsafe {
            match rss {
                Rss::Addresses => sys::shim_rss_ipv4(),
                Rss::AddressesAndPorts => sys::shim_rss_ipv4_tcp(),
            }
        };
        self.rss_offered & needed != 0
            && (rss == Rss::AddressesAndPorts || hashes_all_by_addresses(&self.driver))
    }

    /// Returns whether a device that [offers](PortFacts::offers) these fields hashes them in frames
    /// of IPv6 too. Otherwise all of those come to one queue.
    #[must_use]
    pub fn offers_ipv6(&self, rss: Rss) -> bool {
        // SAFETY: the shim returns constants.
        let needed = unsafe {
            match rss {
                Rss::Addresses => sys::shim_rss_ipv6(),
                Rss::AddressesAndPorts => sys::shim_rss_ipv6_tcp(),
            }
        };
        self.rss_offered & needed != 0
    }

    /// Asks the driver. Needs an initialised EAL; a [`PortId`] comes from one.
    ///
    /// # Errors
    ///
    /// No such port, or a driver that refuses to answer.
    pub(super) fn ask(id: PortId) -> Result<Self, Error> {
        let mut facts = MaybeUninit::<sys::shim_port_facts>::zeroed();
        // SAFETY: the shim checks the port and fills the struct or returns an error; zero bytes are
        // valid for its integers and character arrays.
        let facts = unsafe {
            match sys::shim_port_facts(id.0, facts.as_mut_ptr()) {
                0 => facts.assume_init(),
                code => return Err(Error::returned("rte_eth_dev_info_get", id, code)),
            }
        };
        let interface = Interface::new(facts.if_index);
        Ok(Self {
            device: text(&facts.device),
            driver: text(&facts.driver),
            socket: SocketId(facts.socket),
            mtu: interface.and_then(Interface::mtu).unwrap_or_else(|| u32::from(facts.mtu)),
            max_rx_queues: facts.max_rx_queues,
            max_tx_queues: facts.max_tx_queues,
            rss_offered: facts.rss_offered,
            chains_offered: facts.rx_scatter != 0 && facts.tx_multi_seg != 0,
            ethdev_mtu: facts.mtu,
            interface,
        })
    }
}

/// Returns whether a device that is asked to hash IPv4 addresses does so for TCP segments too. Those
/// of these drivers have a hash for each kind of packet, and IPv4 is the kind without TCP and UDP.
fn hashes_all_by_addresses(driver: &str) -> bool {
    !["net_ice", "net_iavf", "net_i40e"].contains(&driver)
}

/// Returns a zero-terminated C array as text.
fn text(array: &[c_char]) -> String {
    let bytes: Vec<u8> = array.iter().map(|&c| c.cast_unsigned()).collect();
    CStr::from_bytes_until_nul(&bytes).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(driver: &str, rss_offered: u64) -> PortFacts {
        PortFacts {
            device: "0000:01:00.0".to_owned(),
            driver: driver.to_owned(),
            socket: SocketId::ANY,
            mtu: 1500,
            max_rx_queues: 8,
            max_tx_queues: 8,
            rss_offered,
            chains_offered: true,
            ethdev_mtu: 1500,
            interface: None,
        }
    }

    /// Bit numbers of `rte_ethdev.h`, RTE_ETH_FLOW_*.
    const IPV4: u64 = 1 << 2;
    const IPV4_TCP: u64 = 1 << 4;
    const IPV6: u64 = 1 << 8;
    const IPV6_TCP: u64 = 1 << 10;

    #[test]
    fn each_family_is_hashed_if_the_device_says_so() {
        for (offered, ipv4, ipv6) in [
            (0, [false, false], [false, false]),
            (IPV4, [true, false], [false, false]),
            (IPV4 | IPV6, [true, false], [true, false]),
            (IPV4_TCP | IPV6_TCP, [false, true], [false, true]),
            (IPV4 | IPV4_TCP | IPV6 | IPV6_TCP, [true, true], [true, true]),
        ] {
            let facts = facts("net_ixgbe", offered);
            let each = [Rss::Addresses, Rss::AddressesAndPorts];
            assert_eq!(each.map(|rss| facts.offers(rss)), ipv4, "{offered:#x}");
            assert_eq!(each.map(|rss| facts.offers_ipv6(rss)), ipv6, "{offered:#x}");
        }
        assert!(!facts("net_ice", IPV4 | IPV6).offers(Rss::Addresses), "it hashes by kinds of packets");
    }

    /// An address in an extension header is no part of a key, so no card is asked to hash it.
    #[test]
    fn addresses_of_extension_headers_are_not_hashed() {
        /// RTE_ETH_RSS_IPV6_EX, _TCP_EX and _UDP_EX.
        const EX: u64 = 0b111 << 15;
        // SAFETY: the shim returns constants.
        let (addresses, ports) = unsafe { (sys::shim_rss_addresses(), sys::shim_rss_addresses_and_ports()) };
        assert_eq!((addresses | ports) & EX, 0);
        assert_eq!(addresses & (IPV4 | IPV6), IPV4 | IPV6);
        assert_eq!(ports & (IPV4_TCP | IPV6_TCP), IPV4_TCP | IPV6_TCP);
    }
}
