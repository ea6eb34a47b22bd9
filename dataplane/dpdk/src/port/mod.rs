//! Ethernet ports: opening, starting, asking.

use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use dpdk_sys as sys;

use crate::kernel::{Interface, PacketSockets};
use crate::lock::lock;
use crate::queue::Gate;
use crate::quirks::interrupt::on_interrupt_thread;
use crate::quirks::unmap::Guard;
use crate::{Eal, Error, Mempool, QueueId, RxQueue, SocketId, TxQueue};

/// Bytes around the MTU: Ethernet header, two VLAN tags, FCS.
const FRAME_OVERHEAD: u32 = 14 + 2 * 4 + 4;

/// The driver that works on ports in the interrupt thread; see `interrupt.rs` and `unmap.rs`.
const MEMIF: &str = "net_memif";

/// The driver that closes its sockets when it is stopped, and does not count what their rings lose; see `kernel.rs`.
const AF_PACKET: &str = "net_af_packet";

/// An ethdev port of DPDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u16);

impl fmt::Display for PortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port {}", self.0)
    }
}

/// What a port is to be opened with. MTU and everything else that is not here stay as the device has them.
#[derive(Clone, Copy, Debug)]
pub struct PortConfig<'c, 'eal> {
    /// Receive queues, at least 1.
    pub rx_queues: u16,
    /// Transmit queues, at least 1.
    pub tx_queues: u16,
    /// Descriptors per receive queue; see [`PortSetup::rxd`] for what came of it.
    pub rxd: u16,
    /// Descriptors per transmit queue; see [`PortSetup::txd`] for what came of it.
    pub txd: u16,
    /// Where received frames are stored.
    pub rx_pool: &'c Mempool<'eal>,
}

/// What a port was really opened with.
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
    /// Whether the device deals frames over its receive queues by IPv4 addresses and TCP and UDP ports (RSS). False
    /// with one queue or a device that cannot.
    pub rss: bool,
    /// Whether the device was asked to spread frames longer than an mbuf over several. Software devices do so
    /// without being asked.
    pub scatter: bool,
}

/// What a port's device has been told.
#[derive(Debug, Default)]
struct Device {
    /// To start, and not yet to stop.
    started: bool,
}

/// How long [`Port::stop`] waits for bursts in flight. A burst takes microseconds.
const PATIENCE: Duration = Duration::from_millis(100);

/// Counters of a port since it was opened, as the driver keeps them (rte_eth_stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    /// Frames received.
    pub ipackets: u64,
    /// Frames sent.
    pub opackets: u64,
    /// Bytes received.
    pub ibytes: u64,
    /// Bytes sent.
    pub obytes: u64,
    /// Frames lost because receive rings were full.
    pub imissed: u64,
    /// Frames received with errors.
    pub ierrors: u64,
    /// Frames that could not be sent.
    pub oerrors: u64,
    /// Failures to get an mbuf for a frame: the pool is too small.
    pub rx_nombuf: u64,
}

/// An open port. Dropping it stops and closes the device.
///
/// Everything here may be called from any thread at any time, also while lcores poll the queues; see
/// [`Port::stop`].
#[derive(Debug)]
pub struct Port<'eal> {
    eal: &'eal Eal,
    id: PortId,
    facts: PortFacts,
    setup: PortSetup,
    /// Held around every control call: DPDK does not serialise them.
    control: Mutex<Device>,
    counted: Mutex<Counted>,
    /// Of net_af_packet.
    sockets: PacketSockets,
    /// What the queues look at; see [`Gate`].
    running: AtomicBool,
    /// Before the gates, which must outlive it.
    _guard: Option<Guard>,
    rx: Box<[Gate]>,
    tx: Box<[Gate]>,
}

impl<'eal> Port<'eal> {
    /// Configures a port and its queues: no offloads, VLAN tags left in the frame, MTU as it is, RSS over IPv4, TCP
    /// and UDP if there are several receive queues and the device can. The port is stopped.
    ///
    /// The one exception to "no offloads": if frames of the port's MTU do not fit an mbuf of the pool and the
    /// device offers it, chained mbufs are switched on in both directions.
    ///
    /// # Errors
    ///
    /// No such port, a port that is open already, more queues than the device has, or a refusal of the driver.
    pub fn open(eal: &'eal Eal, id: PortId, config: PortConfig<'_, 'eal>) -> Result<Self, Error> {
        {
            let mut open = lock(&eal.open_ports);
            if open.contains(&id) {
                return Err(Error::PortTaken(id));
            }
            open.push(id);
        }
        configure(id, &config)
            .map(|(facts, setup)| {
                let (rx, tx) = (gates(setup.rx_queues), gates(setup.tx_queues));
                // SAFETY: the gates are on the heap, so they stay where they are, and Port drops the guard first.
                let guard = (facts.driver == MEMIF).then(|| unsafe { Guard::new(&rx, &tx) });
                let sockets = match facts.interface {
                    Some(interface) if facts.driver == AF_PACKET => PacketSockets::on(interface),
                    _ => PacketSockets::default(),
                };
                let running = AtomicBool::new(false);
                let (control, counted) = (Mutex::default(), Mutex::default());
                Self { eal, id, facts, setup, control, counted, sockets, running, _guard: guard, rx, tx }
            })
            .inspect_err(|_| lock(&eal.open_ports).retain(|&open| open != id))
    }

    /// Asks what a device is and has before opening it.
    ///
    /// # Errors
    ///
    /// No such port.
    pub fn facts_of(_eal: &Eal, id: PortId) -> Result<PortFacts, Error> {
        PortFacts::ask(id)
    }

    /// Starts the device, in promiscuous mode if it knows such a mode. Does nothing when it is running.
    ///
    /// # Errors
    ///
    /// The driver refused. Some do so when their peer is away (a memif client without its server): try again
    /// later. A success says that the attempt began; [`link_up`](Self::link_up) says when the peer has answered, and a
    /// link that was lost needs [`stop`](Self::stop) before the next attempt. Give a handshake its time.
    pub fn start(&self) -> Result<(), Error> {
        let mut device = lock(&self.control);
        if self.running.load(Ordering::SeqCst) {
            return Ok(());
        }
        // The last stop may not have come to its end.
        self.stop_device(&mut device)?;
        // Losing frames is only this port's affair from here on.
        let _ = self.sockets.take_drops();
        if self.facts.driver == AF_PACKET {
            // Its device cannot be started twice, so what may be refused comes first.
            self.make_promiscuous()?;
        }
        // SAFETY: the port is configured and open, and nobody polls it: running is false.
        let code = unsafe { self.control_call(sys::rte_eth_dev_start) }?;
        if code != 0 {
            return Err(Error::returned("rte_eth_dev_start", self, code));
        }
        device.started = true;
        if let Err(error) = self.make_promiscuous() {
            self.stop_device(&mut device)?;
            return Err(error);
        }
        self.running.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn make_promiscuous(&self) -> Result<(), Error> {
        // SAFETY: the port is open.
        match unsafe { sys::rte_eth_promiscuous_enable(self.id.0) } {
            0 => Ok(()),
            code if code == -libc::ENOTSUP => Ok(()),
            code => Err(Error::returned("rte_eth_promiscuous_enable", self, code)),
        }
    }

    /// Stops the device. Queues stay with their owners: they receive nothing and drop what they send until the next
    /// [`start`](Self::start). Does nothing when the port is stopped.
    ///
    /// Waits for burst calls that are in flight, but not for ever: an lcore may have been put aside inside one.
    ///
    /// # Errors
    ///
    /// [`Error::PortBusy`], or the driver refused; the queues are cut off nevertheless. The next stop or start goes on
    /// from there.
    pub fn stop(&self) -> Result<(), Error> {
        let mut device = lock(&self.control);
        self.running.store(false, Ordering::SeqCst);
        self.stop_device(&mut device)
    }

    /// Stops the device if it was started. No burst begins meanwhile: running is false.
    fn stop_device(&self, device: &mut Device) -> Result<(), Error> {
        if !device.started {
            return Ok(());
        }
        let since = Instant::now();
        while !self.rx.iter().chain(&self.tx).all(Gate::is_idle) {
            if since.elapsed() > PATIENCE {
                return Err(Error::PortBusy(self.id));
            }
            thread::yield_now();
        }
        device.started = false;
        // SAFETY: the port is open, and no queue of it is in use: none begins while running is false.
        match unsafe { self.control_call(sys::rte_eth_dev_stop) }? {
            0 => Ok(()),
            code => Err(Error::returned("rte_eth_dev_stop", self, code)),
        }
    }

    /// Hands out a receive queue.
    ///
    /// # Errors
    ///
    /// The port was opened with fewer, or somebody has it.
    pub fn rx_queue(&self, queue: QueueId) -> Result<RxQueue<'_>, Error> {
        RxQueue::new(self.id, queue, &self.running, &self.rx)
    }

    /// Hands out a transmit queue.
    ///
    /// # Errors
    ///
    /// The port was opened with fewer, or somebody has it.
    pub fn tx_queue(&self, queue: QueueId) -> Result<TxQueue<'_>, Error> {
        TxQueue::new(self.id, queue, &self.running, &self.tx)
    }

    /// Runs a control function of ethdev where the driver wants it: net_memif's belong on the interrupt thread.
    ///
    /// # Safety
    ///
    /// What `call` asks of its caller. (Nothing of this crate runs on the interrupt thread but `call` itself.)
    unsafe fn control_call(&self, call: unsafe extern "C" fn(port: u16) -> c_int) -> Result<c_int, Error> {
        if self.facts.driver == MEMIF {
            // SAFETY: the EAL is initialised, as the borrow shows; the rest is the caller's promise.
            unsafe { on_interrupt_thread(call, self.id.0) }
        } else {
            // SAFETY: the caller's promise.
            Ok(unsafe { call(self.id.0) })
        }
    }

    /// Whether the kernel's interface that the port rides on has been deleted. A new one of the same name is another.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.facts.interface.is_some_and(|interface| interface.is_running().is_none())
    }

    /// Number of the port.
    #[must_use]
    pub fn id(&self) -> PortId {
        self.id
    }

    /// What the port was really opened with.
    #[must_use]
    pub fn setup(&self) -> PortSetup {
        self.setup
    }

    /// Name of the device, such as `net_memif0` or `0000:01:00.0`.
    #[must_use]
    pub fn device_name(&self) -> &str {
        &self.facts.device
    }

    /// Name of the driver, such as `net_memif`.
    #[must_use]
    pub fn driver_name(&self) -> &str {
        &self.facts.driver
    }

    /// What the device is and has, as of when the port was opened: configuring may have lowered the MTU.
    #[must_use]
    pub fn facts(&self) -> &PortFacts {
        &self.facts
    }

    /// Whether the port was started and not stopped.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    /// Whether the link is up: the kernel's answer where the port rides on an interface of it, else the driver's. Does
    /// not wait for it.
    #[must_use]
    pub fn link_up(&self) -> bool {
        if let Some(interface) = self.facts.interface {
            return interface.is_running().unwrap_or(false);
        }
        let Some(_control) = self.control_soon() else { return false };
        // SAFETY: the port is open.
        unsafe { sys::shim_port_link_up(self.id.0) == 1 }
    }

    /// The right to control calls, unless one takes its time: who asks for figures does not wait for a peer.
    fn control_soon(&self) -> Option<MutexGuard<'_, Device>> {
        let since = Instant::now();
        loop {
            match self.control.try_lock() {
                Ok(device) => return Some(device),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if since.elapsed() > PATIENCE => return None,
                Err(TryLockError::WouldBlock) => thread::yield_now(),
            }
        }
    }

    /// Reads the counters; as last read, while a start or stop takes its time.
    ///
    /// # Errors
    ///
    /// The driver keeps none.
    pub fn stats(&self) -> Result<PortStats, Error> {
        let mut stats = MaybeUninit::<sys::rte_eth_stats>::zeroed();
        let Some(_control) = self.control_soon() else { return Ok(lock(&self.counted).whole()) };
        // SAFETY: the port is open and stats has room; rte_eth_stats is plain integers, so zero is valid.
        let stats = unsafe {
            match sys::rte_eth_stats_get(self.id.0, stats.as_mut_ptr()) {
                0 => stats.assume_init(),
                code => return Err(Error::returned("rte_eth_stats_get", self, code)),
            }
        };
        let mut counted = lock(&self.counted);
        counted.ring_drops += self.sockets.take_drops();
        Ok(counted.add(PortStats {
            ipackets: stats.ipackets,
            opackets: stats.opackets,
            ibytes: stats.ibytes,
            obytes: stats.obytes,
            imissed: stats.imissed,
            ierrors: stats.ierrors,
            oerrors: stats.oerrors,
            rx_nombuf: stats.rx_nombuf,
        }))
    }

    /// Sets the counters to zero (`rte_eth_stats_reset`), those that the driver gives to everybody else too. What a
    /// burst call counts at this very moment may or may not be kept.
    ///
    /// # Errors
    ///
    /// The driver cannot.
    pub fn reset_stats(&self) -> Result<(), Error> {
        let _control = lock(&self.control);
        // SAFETY: the port is open.
        match unsafe { sys::rte_eth_stats_reset(self.id.0) } {
            0 => {
                let _ = self.sockets.take_drops();
                *lock(&self.counted) = Counted::default();
                Ok(())
            }
            code => Err(Error::returned("rte_eth_stats_reset", self, code)),
        }
    }
}

/// Counters as they are given out.
#[derive(Debug, Default)]
struct Counted {
    /// The most that the driver has ever said: net_memif shows zeros while its peer is away, and counts on afterwards
    /// from where it was.
    said: PortStats,
    /// What the packet sockets' rings have lost, which the driver does not say.
    ring_drops: u64,
}

impl Counted {
    /// Takes what the driver says now, and gives the whole.
    fn add(&mut self, mut now: PortStats) -> PortStats {
        for of in PortStats::COUNTERS {
            *of(&mut self.said) = (*of(&mut self.said)).max(*of(&mut now));
        }
        self.whole()
    }

    fn whole(&self) -> PortStats {
        PortStats { imissed: self.said.imissed + self.ring_drops, ..self.said }
    }
}

impl PortStats {
    const COUNTERS: [fn(&mut Self) -> &mut u64; 8] = [
        |s| &mut s.ipackets,
        |s| &mut s.opackets,
        |s| &mut s.ibytes,
        |s| &mut s.obytes,
        |s| &mut s.imissed,
        |s| &mut s.ierrors,
        |s| &mut s.oerrors,
        |s| &mut s.rx_nombuf,
    ];
}

impl fmt::Display for Port<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.facts.device)
    }
}

impl Drop for Port<'_> {
    fn drop(&mut self) {
        // A driver that refuses to stop may still close; there is nobody to tell.
        let _ = self.stop();
        // SAFETY: the port is open and stopped, and its queues, which borrow self, are gone.
        let _ = unsafe { self.control_call(sys::rte_eth_dev_close) };
        lock(&self.eal.open_ports).retain(|&open| open != self.id);
    }
}

/// What a device says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortFacts {
    /// Name of the device, such as `net_memif0` or `0000:01:00.0`.
    pub device: String,
    /// Name of the driver, such as `net_memif`.
    pub driver: String,
    /// NUMA node of the device.
    pub socket: SocketId,
    /// Longest IP packet in bytes: of the kernel's interface where the port rides on one, else of the device.
    pub mtu: u32,
    /// Receive queues that the device has.
    pub max_rx_queues: u16,
    /// Transmit queues that the device has.
    pub max_tx_queues: u16,
    /// Whether the device can deal frames over receive queues by IPv4 addresses and TCP ports (RSS).
    pub rss: bool,
    rss_offered: u64,
    chains_offered: bool,
    /// What DPDK takes for the MTU, which is what it wants to be configured with.
    ethdev_mtu: u16,
    interface: Option<Interface>,
}

impl PortFacts {
    /// Whether both ride on the same interface of the kernel.
    #[must_use]
    pub fn shares_interface_with(&self, other: &Self) -> bool {
        self.interface.is_some() && self.interface == other.interface
    }

    /// Asks the driver. Needs an initialised EAL, of which there is one wherever a [`PortId`] is looked at.
    fn ask(id: PortId) -> Result<Self, Error> {
        let mut facts = MaybeUninit::<sys::shim_port_facts>::zeroed();
        // SAFETY: the shim checks the port and fills the struct or returns an error; zero bytes are valid for
        // its integers and character arrays.
        let facts = unsafe {
            match sys::shim_port_facts(id.0, facts.as_mut_ptr()) {
                0 => facts.assume_init(),
                code => return Err(Error::returned("rte_eth_dev_info_get", id, code)),
            }
        };
        // SAFETY: the shim returns a constant.
        let tcp = unsafe { sys::shim_rss_ipv4_tcp() };
        let interface = Interface::new(facts.if_index);
        Ok(Self {
            device: text(&facts.device),
            driver: text(&facts.driver),
            socket: SocketId(facts.socket),
            mtu: interface.and_then(Interface::mtu).unwrap_or_else(|| u32::from(facts.mtu)),
            ethdev_mtu: facts.mtu,
            interface,
            rss: facts.rss_offered & tcp != 0,
            max_rx_queues: facts.max_rx_queues,
            max_tx_queues: facts.max_tx_queues,
            rss_offered: facts.rss_offered,
            chains_offered: facts.rx_scatter != 0 && facts.tx_multi_seg != 0,
        })
    }
}

/// Configures the device and its queues.
fn configure(id: PortId, config: &PortConfig<'_, '_>) -> Result<(PortFacts, PortSetup), Error> {
    let facts = PortFacts::ask(id)?;
    for (direction, wanted, available) in
        [("rx", config.rx_queues, facts.max_rx_queues), ("tx", config.tx_queues, facts.max_tx_queues)]
    {
        if wanted > available {
            return Err(Error::TooManyQueues { port: id, direction, wanted, available });
        }
    }
    // SAFETY: the shim returns a constant.
    let fields = unsafe { sys::shim_rss_ipv4_tcp_udp() } & facts.rss_offered;
    let rss_hash_on = if config.rx_queues > 1 { fields } else { 0 };
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
    let object = format_args!("{id} ({})", facts.device);
    let check = |call, code| if code == 0 { Ok(()) } else { Err(Error::returned(call, object, code)) };

    // SAFETY: the port exists, as PortFacts::ask has seen, and has no other user: Port::open admits one. `wanted` lives
    // across the call.
    check("rte_eth_dev_configure", unsafe { sys::shim_port_configure(id.0, &raw const wanted) })?;
    let (mut rxd, mut txd) = (config.rxd, config.txd);
    // SAFETY: the port exists; both numbers are written in place.
    check("rte_eth_dev_adjust_nb_rx_tx_desc", unsafe {
        sys::rte_eth_dev_adjust_nb_rx_tx_desc(id.0, &raw mut rxd, &raw mut txd)
    })?;
    // Also if the device has no preference: memory must come from some node. Negative becomes SOCKET_ID_ANY.
    let socket = facts.socket.0.cast_unsigned();
    for queue in 0..config.rx_queues {
        // SAFETY: the port is configured with this queue; the pool lives as long as the Eal; no rx_conf means
        // the driver's default.
        check("rte_eth_rx_queue_setup", unsafe {
            sys::rte_eth_rx_queue_setup(id.0, queue, rxd, socket, ptr::null(), config.rx_pool.as_ptr())
        })?;
    }
    for queue in 0..config.tx_queues {
        // SAFETY: the port is configured with this queue; no tx_conf means the driver's default.
        check("rte_eth_tx_queue_setup", unsafe {
            sys::rte_eth_tx_queue_setup(id.0, queue, txd, socket, ptr::null())
        })?;
    }
    // Some drivers strip VLAN tags unless they are told not to.
    // SAFETY: the port is configured.
    match unsafe { sys::rte_eth_dev_set_vlan_offload(id.0, 0) } {
        0 => {}
        code if code == -libc::ENOTSUP => {}
        code => return Err(Error::returned("rte_eth_dev_set_vlan_offload", object, code)),
    }
    let setup = PortSetup {
        rx_queues: config.rx_queues,
        tx_queues: config.tx_queues,
        rxd,
        txd,
        rss: rss_hash_on != 0,
        scatter: chains,
    };
    // Once more, because configuring may have brought the MTU into the driver's limits.
    Ok((PortFacts::ask(id)?, setup))
}

fn gates(count: u16) -> Box<[Gate]> {
    (0..count).map(|_| Gate::default()).collect()
}

/// A zero-terminated C array as text.
fn text(array: &[c_char]) -> String {
    let bytes: Vec<u8> = array.iter().map(|&c| c.cast_unsigned()).collect();
    CStr::from_bytes_until_nul(&bytes).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_do_not_go_back_while_a_driver_hides_them() {
        let stats = |ipackets, opackets| PortStats { ipackets, opackets, ..PortStats::default() };
        let mut counted = Counted::default();
        assert_eq!(counted.add(stats(10, 5)), stats(10, 5));
        assert_eq!(counted.add(stats(0, 0)), stats(10, 5));
        assert_eq!(counted.add(stats(10, 7)), stats(10, 7));
        counted.ring_drops = 3;
        assert_eq!(counted.add(stats(11, 7)), PortStats { imissed: 3, ..stats(11, 7) });
    }
}
