//! Configuring a device and its queues, before it is started for the first time.
//!
//! Input: the wishes of whoever opens the port ([`PortConfig`]) and the device's own facts. Output:
//! the configured device, and what became of the wishes ([`PortSetup`]).

use std::ptr;

use dpdk_sys as sys;

use super::facts::PortFacts;
use crate::{Error, Mempool, PortId};

/// Bytes of a frame around its IP packet: Ethernet header, two VLAN tags, FCS.
const FRAME_OVERHEAD: u32 = 14 + 2 * 4 + 4;

/// The fields of a packet that RSS hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rss {
    /// Addresses. Fragments come to the queue of the packets that are whole.
    #[default]
    Addresses,
    /// Addresses, and TCP and UDP ports where a packet has them. Fragments are hashed without ports.
    AddressesAndPorts,
}

/// The configuration to open a port with. Whatever is not named here, the MTU included, stays as
/// the device has it.
#[derive(Clone, Copy, Debug)]
pub struct PortConfig<'c, 'eal> {
    /// Receive queues, at least 1.
    pub rx_queues: u16,
    /// Transmit queues, at least 1.
    pub tx_queues: u16,
    /// Descriptors per receive queue. [`PortSetup::rxd`] holds the number that the device accepted.
    pub rxd: u16,
    /// Descriptors per transmit queue. [`PortSetup::txd`] holds the number that the device
    /// accepted.
    pub txd: u16,
    /// What chooses the receive queue of a frame, if there are several.
    pub rss: Rss,
    /// The pool in which received frames are stored.
    pub rx_pool: &'c Mempool<'eal>,
}

/// The configuration that a port was opened with in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortSetup {
    /// Receive queues; as asked for.
    pub rx_queues: u16,
    /// Transmit queues; as asked for.
    pub tx_queues: u16,
    /// Descriptors per receive queue, adjusted to the device's limits.
    pub rxd: u16,
    /// Descriptors per transmit queue, adjusted to the device's limits.
    pub txd: u16,
    /// Whether the device spreads frames over its receive queues by the fields that were asked for
    /// (RSS). False with one queue or a device that cannot.
    pub rss: bool,
    /// Whether the device was asked to spread frames longer than an mbuf over several. Software
    /// devices do so without being asked.
    pub scatter: bool,
}

/// Configures the device and its queues: no offloads, VLAN tags left in the frame, RSS and chained
/// mbufs where [`PortSetup`] says so.
///
/// The caller is the port's only user.
///
/// # Errors
///
/// No such port, more queues than the device has, or a refusal of the driver.
pub(super) fn configure(id: PortId, config: &PortConfig<'_, '_>) -> Result<(PortFacts, PortSetup), Error> {
    let facts = PortFacts::ask(id)?;
    for (direction, wanted, available) in
        [("rx", config.rx_queues, facts.max_rx_queues), ("tx", config.tx_queues, facts.max_tx_queues)]
    {
        if wanted > available {
            return Err(Error::TooManyQueues { port: id, direction, wanted, available });
        }
    }
    // SAFETY: the shim returns constants.
    let fields = unsafe {
        match config.rss {
            Rss::Addresses => sys::shim_rss_addresses(),
            Rss::AddressesAndPorts => sys::shim_rss_addresses_and_ports(),
        }
    };
    let spread = config.rx_queues > 1 && facts.offers(config.rss);
    let rss_hash_on = if spread { fields & facts.rss_offered } else { 0 };
    let chains = facts.chains_offered
        && u32::from(facts.ethdev_mtu) + FRAME_OVERHEAD > u32::from(config.rx_pool.config().data_room);
    let wanted = sys::shim_port_setup {
        rss_hash_on,
        rx_queues: config.rx_queues,
        tx_queues: config.tx_queues,
        mtu: facts.ethdev_mtu,
        rx_scatter: u8::from(chains),
        tx_multi_seg: u8::from(chains),
    };
    // SAFETY: the port exists, as PortFacts::ask has seen, and the caller is its only user.
    // `wanted` lives across the call.
    let code = unsafe { sys::shim_port_configure(id.0, &raw const wanted) };
    check(id, &facts, "rte_eth_dev_configure", code)?;
    let (rxd, txd) = set_up_queues(id, &facts, config)?;
    leave_vlan_tags(id, &facts)?;
    let setup = PortSetup {
        rx_queues: config.rx_queues,
        tx_queues: config.tx_queues,
        rxd,
        txd,
        rss: rss_hash_on != 0,
        scatter: chains,
    };
    // The facts are asked for again, because configuring may have brought the MTU into the driver's
    // limits.
    Ok((PortFacts::ask(id)?, setup))
}

/// Sets up the queues of a configured port. Returns the descriptors per receive and per transmit
/// queue.
fn set_up_queues(id: PortId, facts: &PortFacts, config: &PortConfig<'_, '_>) -> Result<(u16, u16), Error> {
    let (mut rxd, mut txd) = (config.rxd, config.txd);
    // SAFETY: the port exists; both numbers are written in place.
    let code = unsafe { sys::rte_eth_dev_adjust_nb_rx_tx_desc(id.0, &raw mut rxd, &raw mut txd) };
    check(id, facts, "rte_eth_dev_adjust_nb_rx_tx_desc", code)?;
    // A node for the queues' memory. A device without one has -1, which becomes SOCKET_ID_ANY.
    let socket = facts.socket.0.cast_unsigned();
    for queue in 0..config.rx_queues {
        // SAFETY: the port is configured with this queue; the pool lives as long as the Eal; a null
        // rx_conf means the driver's default.
        let code = unsafe {
            sys::rte_eth_rx_queue_setup(id.0, queue, rxd, socket, ptr::null(), config.rx_pool.as_ptr())
        };
        check(id, facts, "rte_eth_rx_queue_setup", code)?;
    }
    for queue in 0..config.tx_queues {
        // SAFETY: the port is configured with this queue; a null tx_conf means the driver's
        // default.
        let code = unsafe { sys::rte_eth_tx_queue_setup(id.0, queue, txd, socket, ptr::null()) };
        check(id, facts, "rte_eth_tx_queue_setup", code)?;
    }
    Ok((rxd, txd))
}

/// Tells the driver to leave VLAN tags in the frame: some strip them by default.
fn leave_vlan_tags(id: PortId, facts: &PortFacts) -> Result<(), Error> {
    // SAFETY: the port is configured.
    match unsafe { sys::rte_eth_dev_set_vlan_offload(id.0, 0) } {
        // A driver that knows no VLAN offload strips nothing.
        code if code == -libc::ENOTSUP => Ok(()),
        code => check(id, facts, "rte_eth_dev_set_vlan_offload", code),
    }
}

/// Turns the return value of an ethdev call into a `Result`.
fn check(id: PortId, facts: &PortFacts, call: &'static str, code: i32) -> Result<(), Error> {
    match code {
        0 => Ok(()),
        code => Err(Error::returned(call, format_args!("{id} ({})", facts.device), code)),
    }
}
