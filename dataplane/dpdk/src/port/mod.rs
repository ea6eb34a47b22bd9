//! Ethernet ports: opening, starting, stopping, and asking for link state and counters.
//!
//! Input: an EAL, the number of a port and a [`PortConfig`]. Output: queues for the lcores that
//! poll them, and the control of the device for all other threads. A driver's quirks are looked up
//! once, when the port is opened.
//!
//! Invariants: DPDK's control calls on a port are made one at a time. None is made while a burst
//! call is in flight on a queue, except to ask for link state or counters.

mod configure;
mod counters;
mod facts;
mod underneath;

use std::ffi::c_int;
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use dpdk_sys as sys;

pub use self::configure::{PortConfig, PortSetup, Rss};
pub use self::counters::PortStats;
pub use self::facts::PortFacts;

use self::counters::Counters;
use self::underneath::Underneath;
use crate::gate::Gate;
use crate::lock::lock;
use crate::quirks::Quirks;
use crate::quirks::interrupt::on_interrupt_thread;
use crate::quirks::unmap::Guard;
use crate::{Eal, Error, PortId, QueueId, RxQueue, TxQueue};

/// The longest wait for burst calls in flight, and for a control call of another thread. A burst
/// call takes microseconds.
const PATIENCE: Duration = Duration::from_millis(100);

/// The device's state, as far as this crate has changed it.
#[derive(Debug, Default)]
struct Device {
    /// The device was told to start, and not yet told to stop.
    started: bool,
}

/// An open port. Dropping it stops and closes the device.
///
/// Every method may be called from any thread at any time, also while lcores poll the queues; see
/// [`Port::stop`].
#[derive(Debug)]
pub struct Port<'eal> {
    eal: &'eal Eal,
    id: PortId,
    facts: PortFacts,
    setup: PortSetup,
    quirks: Quirks,
    /// Held around every control call: DPDK does not serialise them.
    control: Mutex<Device>,
    counters: Mutex<Counters>,
    underneath: Underneath,
    /// Whether burst calls may begin; see [`Gate::pass`].
    running: AtomicBool,
    /// Set for a port that unmaps its rings under burst calls.
    _guard: Option<Guard>,
    rx: Arc<[Gate]>,
    tx: Arc<[Gate]>,
}

impl<'eal> Port<'eal> {
    /// Configures a port and its queues: no offloads, VLAN tags left in the frame, the MTU
    /// unchanged, and RSS if there are several receive queues and the device offers it. The port is
    /// stopped afterwards.
    ///
    /// "No offloads" has one exception: if frames of the port's MTU do not fit an mbuf of the pool
    /// and the device offers it, chained mbufs are switched on in both directions.
    ///
    /// # Errors
    ///
    /// No such port, a port that is open already, more queues than the device has, or a refusal of
    /// the driver.
    pub fn open(eal: &'eal Eal, id: PortId, config: PortConfig<'_, 'eal>) -> Result<Self, Error> {
        {
            let mut open = lock(&eal.open_ports);
            if open.contains(&id) {
                return Err(Error::PortTaken(id));
            }
            open.push(id);
        }
        configure::configure(id, &config)
            .map(|(facts, setup)| {
                let (rx, tx) = (gates(setup.rx_queues), gates(setup.tx_queues));
                let quirks = Quirks::of(&facts.driver);
                let guard = quirks.unmaps_under_bursts.then(|| Guard::new(&rx, &tx));
                let underneath = Underneath::new(facts.interface, quirks);
                let running = AtomicBool::new(false);
                let (control, counters) = (Mutex::default(), Mutex::default());
                Self {
                    eal,
                    id,
                    facts,
                    setup,
                    quirks,
                    control,
                    counters,
                    underneath,
                    running,
                    _guard: guard,
                    rx,
                    tx,
                }
            })
            .inspect_err(|_| lock(&eal.open_ports).retain(|&open| open != id))
    }

    /// Asks what a device is and can do, before it is opened.
    ///
    /// # Errors
    ///
    /// No such port.
    pub fn facts_of(_eal: &Eal, id: PortId) -> Result<PortFacts, Error> {
        PortFacts::ask(id)
    }

    /// Starts the device, in promiscuous mode if it knows such a mode. Does nothing when the port
    /// is running.
    ///
    /// Success means that the attempt began. The link may come up later, when a peer has answered:
    /// [`link_up`](Self::link_up) tells. A link that was lost needs [`stop`](Self::stop) before the
    /// next attempt.
    ///
    /// # Errors
    ///
    /// The driver refused. Some drivers do so while their peer is away (a memif client without its
    /// server); the caller may try again later.
    pub fn start(&self) -> Result<(), Error> {
        let mut device = lock(&self.control);
        if self.running.load(Ordering::SeqCst) {
            return Ok(());
        }
        // The last stop may have given up before it reached the device.
        self.stop_device(&mut device)?;
        // Frames that were dropped while the port was stopped do not count as this port's losses.
        let _ = self.underneath.take_lost();
        if self.quirks.starts_once {
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

    /// Has the device receive frames for all addresses, if it distinguishes them.
    fn make_promiscuous(&self) -> Result<(), Error> {
        // SAFETY: the port is open.
        match unsafe { sys::rte_eth_promiscuous_enable(self.id.0) } {
            0 => Ok(()),
            code if code == -libc::ENOTSUP => Ok(()),
            code => Err(Error::returned("rte_eth_promiscuous_enable", self, code)),
        }
    }

    /// Stops the device. Queues stay with their owners: they receive nothing and drop what they are
    /// given until the next [`start`](Self::start). Does nothing when the port is stopped.
    ///
    /// Waits a short time for burst calls that are in flight, and gives up when one does not
    /// return: the scheduler may have put an lcore aside inside it.
    ///
    /// # Errors
    ///
    /// [`Error::PortBusy`], or the driver refused. The queues are cut off in both cases, and the
    /// next stop or start tries again to stop the device.
    pub fn stop(&self) -> Result<(), Error> {
        let mut device = lock(&self.control);
        self.running.store(false, Ordering::SeqCst);
        self.stop_device(&mut device)
    }

    /// Stops the device if it was started. The caller has set `running` to false, so no burst call
    /// begins.
    fn stop_device(&self, device: &mut Device) -> Result<(), Error> {
        if !device.started {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        if !self.rx.iter().chain(&*self.tx).all(|gate| gate.wait_until_idle(deadline)) {
            return Err(Error::PortBusy(self.id));
        }
        device.started = false;
        // SAFETY: the port is open, and no burst call is in flight on any of its queues, or begins.
        match unsafe { self.control_call(sys::rte_eth_dev_stop) }? {
            0 => Ok(()),
            code => Err(Error::returned("rte_eth_dev_stop", self, code)),
        }
    }

    /// Hands out a receive queue.
    ///
    /// # Errors
    ///
    /// The port was opened with fewer queues, or the queue has a handle already.
    pub fn rx_queue(&self, queue: QueueId) -> Result<RxQueue<'_>, Error> {
        RxQueue::new(self.id, queue, &self.running, &self.rx)
    }

    /// Hands out a transmit queue.
    ///
    /// # Errors
    ///
    /// The port was opened with fewer queues, or the queue has a handle already.
    pub fn tx_queue(&self, queue: QueueId) -> Result<TxQueue<'_>, Error> {
        TxQueue::new(self.id, queue, &self.running, &self.tx, self.underneath.longest())
    }

    /// Runs a control function of ethdev on the thread that the driver needs.
    ///
    /// # Safety
    ///
    /// The caller fulfils what `call` asks, and is not the interrupt thread. (Nothing of this crate
    /// runs there but `call` itself.)
    unsafe fn control_call(&self, call: unsafe extern "C" fn(port: u16) -> c_int) -> Result<c_int, Error> {
        if self.quirks.control_on_interrupt_thread {
            // SAFETY: the EAL is initialised, as the borrow shows; the rest is the caller's
            // promise.
            unsafe { on_interrupt_thread(call, self.id.0) }
        } else {
            // SAFETY: the caller's promise.
            Ok(unsafe { call(self.id.0) })
        }
    }

    /// Returns whether the kernel's interface that the port rides on has been deleted. A new
    /// interface of the same name is another one.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.facts.interface.is_some_and(|interface| interface.is_running().is_none())
    }

    /// Returns the number of the port.
    #[must_use]
    pub fn id(&self) -> PortId {
        self.id
    }

    /// Returns the configuration that the port was opened with in the end.
    #[must_use]
    pub fn setup(&self) -> PortSetup {
        self.setup
    }

    /// Returns the name of the device, such as `net_memif0` or `0000:01:00.0`.
    #[must_use]
    pub fn device_name(&self) -> &str {
        &self.facts.device
    }

    /// Returns the name of the driver, such as `net_memif`.
    #[must_use]
    pub fn driver_name(&self) -> &str {
        &self.facts.driver
    }

    /// Returns the facts about the device as of when the port was opened. Configuring it may have
    /// lowered the MTU.
    #[must_use]
    pub fn facts(&self) -> &PortFacts {
        &self.facts
    }

    /// Returns whether the port was started and not stopped.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }

    /// Returns whether the link is up: as the kernel says where the port rides on an interface of
    /// it, else as the driver says. Does not wait for the link to come up.
    #[must_use]
    pub fn link_up(&self) -> bool {
        if let Some(interface) = self.facts.interface {
            return interface.is_running().unwrap_or(false);
        }
        let Some(_control) = self.control_soon() else { return false };
        // SAFETY: the port is open.
        unsafe { sys::shim_port_link_up(self.id.0) == 1 }
    }

    /// Claims the right to control calls. Returns `None` when another thread's call takes longer
    /// than [`PATIENCE`], so that a reader of link state or counters does not wait for a peer.
    fn control_soon(&self) -> Option<MutexGuard<'_, Device>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.control.try_lock() {
                Ok(device) => return Some(device),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() > deadline => return None,
                Err(TryLockError::WouldBlock) => thread::yield_now(),
            }
        }
    }

    /// Reads the counters. Returns the values of the last call while a start or stop of another
    /// thread takes its time.
    ///
    /// # Errors
    ///
    /// The driver keeps no counters.
    pub fn stats(&self) -> Result<PortStats, Error> {
        let mut stats = MaybeUninit::<sys::rte_eth_stats>::zeroed();
        let Some(_control) = self.control_soon() else { return Ok(lock(&self.counters).totals()) };
        // SAFETY: the port is open and stats has room; rte_eth_stats is made of integers, so zero
        // is valid.
        let stats = unsafe {
            match sys::rte_eth_stats_get(self.id.0, stats.as_mut_ptr()) {
                0 => stats.assume_init(),
                code => return Err(Error::returned("rte_eth_stats_get", self, code)),
            }
        };
        let now = PortStats {
            ipackets: stats.ipackets,
            opackets: stats.opackets,
            ibytes: stats.ibytes,
            obytes: stats.obytes,
            imissed: stats.imissed,
            ierrors: stats.ierrors,
            oerrors: stats.oerrors,
            rx_nombuf: stats.rx_nombuf,
        };
        Ok(lock(&self.counters).update(now, self.underneath.take_lost()))
    }

    /// Sets the counters to zero (`rte_eth_stats_reset`), also those that the driver shows to other
    /// processes. A frame that a burst call counts at the same moment may or may not be kept.
    ///
    /// # Errors
    ///
    /// The driver cannot.
    pub fn reset_stats(&self) -> Result<(), Error> {
        let _control = lock(&self.control);
        // SAFETY: the port is open.
        match unsafe { sys::rte_eth_stats_reset(self.id.0) } {
            0 => {
                let _ = self.underneath.take_lost();
                *lock(&self.counters) = Counters::default();
                Ok(())
            }
            code => Err(Error::returned("rte_eth_stats_reset", self, code)),
        }
    }
}

impl fmt::Display for Port<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.facts.device)
    }
}

impl Drop for Port<'_> {
    fn drop(&mut self) {
        // A driver that refuses to stop may still close, and drop has nobody to report to.
        let _ = self.stop();
        // SAFETY: the port is open and stopped, and its queues, which borrow self, are gone.
        let _ = unsafe { self.control_call(sys::rte_eth_dev_close) };
        lock(&self.eal.open_ports).retain(|&open| open != self.id);
    }
}

/// Makes the gates of `count` queues.
fn gates(count: u16) -> Arc<[Gate]> {
    (0..count).map(|_| Gate::default()).collect()
}
