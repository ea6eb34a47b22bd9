//! The Environment Abstraction Layer as a value: one per process, and everything else borrows it.
//!
//! Input: the EAL's arguments. Output: an [`Eal`], which lists lcores and ports and is the proof
//! that DPDK may be called; or the cause why there is none. Ports, pools and lcore closures borrow
//! it, so it is dropped last.

use std::ffi::CStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use dpdk_sys as sys;

use crate::affinity::Affinity;
use crate::argv::{Argv, check_arguments};
use crate::eal_log::{self, FailedDevice};
use crate::output::capture_output;
use crate::quirks::interrupt::park_interrupt_thread;
use crate::quirks::unmap;
use crate::{Error, LcoreId, PortId, SocketId};

/// RTE_ETH_DEV_NO_OWNER: ports that no other port (bonding, failsafe) has taken for itself.
const NO_OWNER: u64 = 0;

/// Set while [`Eal::init`] runs, and for good once it has succeeded.
static INITIALISED: AtomicBool = AtomicBool::new(false);

/// The year and the month of the DPDK release that this program was built with: `(22, 11)`.
pub const RELEASE: (u32, u32) = (sys::RTE_VER_YEAR, sys::RTE_VER_MONTH);

/// Returns the folder that the EAL loads its drivers from, as DPDK was built.
#[must_use]
pub fn plugin_directory() -> &'static str {
    CStr::from_bytes_until_nul(sys::RTE_EAL_PMD_PATH)
        .ok()
        .and_then(|path| path.to_str().ok())
        .unwrap_or_default()
}

/// The role of this process among those that share DPDK memory (`--proc-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessType {
    /// Owns the memory and the devices.
    Primary,
    /// Attached to a primary process.
    Secondary,
    /// A role that this crate does not know.
    Other(i32),
}

/// The running EAL. Dropping it releases DPDK's resources; DPDK cannot be initialised again
/// afterwards.
#[derive(Debug)]
pub struct Eal {
    /// The thread that called rte_eal_init: DPDK's main lcore.
    pub(crate) main_thread: ThreadId,
    /// The CPUs that the EAL chose for the main lcore.
    pub(crate) main_affinity: Affinity,
    /// Held around rte_eal_remote_launch, which two threads must not call for one lcore.
    pub(crate) launching: Mutex<()>,
    /// The ports that have a [`Port`](crate::Port).
    pub(crate) open_ports: Mutex<Vec<PortId>>,
    /// Whether rte_pdump_init succeeded.
    capture: AtomicBool,
    /// The lines printed during initialisation.
    messages: Vec<String>,
    failed: Vec<FailedDevice>,
}

impl Eal {
    /// Starts the EAL (rte_eal_init) with `args`. They do not include the program's name: `program`
    /// is put before them.
    ///
    /// The calling thread becomes the main lcore in DPDK's books. It keeps the CPU affinity that it
    /// had, so that threads it starts later are not all born on one CPU.
    ///
    /// The lines that the EAL and the drivers print meanwhile are kept for [`Eal::messages`] and
    /// [`Error::messages`]. No other thread should print at that time: its lines would be taken
    /// along.
    ///
    /// # Errors
    ///
    /// Bad arguments, missing memory or devices, or an EAL that was initialised before. Arguments
    /// that the EAL would leave unread (anything after `--`, stray words) are errors too. As in
    /// every DPDK program, the process exits inside this call when `args` hold `--help`.
    pub fn init(program: &str, args: &[String]) -> Result<Self, Error> {
        check_arguments(args)?;
        let mut argv = Argv::new(program, args)?;
        let callers = Affinity::of_this_thread()?;
        if INITIALISED.swap(true, Ordering::AcqRel) {
            return Err(Error::AlreadyInitialised);
        }
        unmap::install();
        let ((parsed, error), messages) = capture_output(|| {
            // SAFETY: argv holds count() zero-terminated strings that are never freed, and a null
            // pointer at its end; INITIALISED keeps any second caller out.
            let parsed = unsafe { sys::rte_eal_init(argv.count(), argv.as_mut_ptr()) };
            // rte_errno is read before anything else can set it.
            (parsed, Error::from_rte_errno("rte_eal_init", format_args!("{args:?}")))
        });
        let chosen = Affinity::of_this_thread();
        let restored = callers.apply();
        if parsed < 0 {
            // DPDK itself says whether a second attempt is possible (bad arguments) or not
            // (EALREADY).
            INITIALISED.store(false, Ordering::Release);
            let eal_log::Cause { usage, mut reason } = eal_log::cause(&messages, program);
            if reason.is_empty() {
                reason = error.to_string();
            }
            return Err(Error::Init { usage, reason, messages });
        }
        // From here on an early return must clean up: Drop does.
        let eal = Self {
            main_thread: thread::current().id(),
            main_affinity: chosen.clone().unwrap_or(callers),
            launching: Mutex::new(()),
            open_ports: Mutex::new(Vec::new()),
            capture: AtomicBool::new(false),
            failed: eal_log::failed_devices(&messages, args),
            messages,
        };
        chosen?;
        restored?;
        argv.check_all_read(parsed)?;
        Ok(eal)
    }

    /// Lets dpdk-dumpcap and dpdk-pdump, as secondary processes, copy the frames of our ports
    /// (rte_pdump_init). The burst calls make the copies; while nobody asks for any they cost
    /// nothing.
    ///
    /// Succeeds also where no secondary process can attach (`--no-shconf`, `--no-huge`,
    /// `--in-memory`).
    ///
    /// # Errors
    ///
    /// DPDK has no memory for it, or this is not the primary process.
    pub fn allow_capture(&self) -> Result<(), Error> {
        if self.capture.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // SAFETY: the EAL is initialised, and the swap lets one caller in.
        if unsafe { sys::rte_pdump_init() } != 0 {
            self.capture.store(false, Ordering::Release);
            return Err(Error::from_rte_errno("rte_pdump_init", "packet capture"));
        }
        Ok(())
    }

    /// Returns the lines that the EAL and the drivers printed during [`Eal::init`].
    #[must_use]
    pub fn messages(&self) -> &[String] {
        &self.messages
    }

    /// Returns the `--vdev` arguments whose device could not be made. The EAL starts without these
    /// devices, and the ports of the others are numbered as though they had not been named.
    #[must_use]
    pub fn failed_devices(&self) -> &[FailedDevice] {
        &self.failed
    }

    /// Returns the main lcore: the one of the thread that called [`Eal::init`].
    #[must_use]
    pub fn main_lcore(&self) -> LcoreId {
        // SAFETY: the EAL is initialised, as self shows; the function only reads its configuration.
        LcoreId(unsafe { sys::rte_get_main_lcore() })
    }

    /// Returns all enabled lcores in ascending order, the main lcore included.
    #[must_use]
    pub fn lcores(&self) -> Vec<LcoreId> {
        // rte_get_next_lcore adds one to its argument first, so the largest number stands for "none
        // yet".
        let mut at = u32::MAX;
        let mut lcores = Vec::new();
        loop {
            // SAFETY: as in main_lcore. skip_main and wrap are 0.
            at = unsafe { sys::rte_get_next_lcore(at, 0, 0) };
            if at >= sys::RTE_MAX_LCORE {
                return lcores;
            }
            lcores.push(LcoreId(at));
        }
    }

    /// Returns the ethdev ports that are free to use, in the order of their numbers.
    #[must_use]
    pub fn ports(&self) -> Vec<PortId> {
        let mut ports = Vec::new();
        let mut from = 0;
        loop {
            // SAFETY: the function reads the table of ports for any argument.
            let at = unsafe { sys::rte_eth_find_next_owned_by(from, NO_OWNER) };
            match u16::try_from(at) {
                Ok(at) if u32::from(at) < sys::RTE_MAX_ETHPORTS => {
                    ports.push(PortId(at));
                    from = at + 1;
                }
                _ => return ports,
            }
        }
    }

    /// Returns the NUMA node of an lcore.
    #[must_use]
    pub fn socket_of(&self, lcore: LcoreId) -> SocketId {
        if lcore.0 >= sys::RTE_MAX_LCORE {
            return SocketId::ANY;
        }
        // SAFETY: the EAL is initialised and lcore indexes its table of RTE_MAX_LCORE rows.
        let socket = unsafe { sys::rte_lcore_to_socket_id(lcore.0) };
        SocketId(i32::try_from(socket).unwrap_or(-1))
    }

    /// Returns the role of this process.
    #[must_use]
    pub fn process_type(&self) -> ProcessType {
        // SAFETY: as in main_lcore.
        match unsafe { sys::rte_eal_process_type() } {
            sys::RTE_PROC_PRIMARY => ProcessType::Primary,
            sys::RTE_PROC_SECONDARY => ProcessType::Secondary,
            other => ProcessType::Other(other),
        }
    }
}

impl Drop for Eal {
    fn drop(&mut self) {
        // SAFETY: the EAL is initialised, and everything that uses it borrows self and is gone. A
        // failure of these calls cannot be acted on any more.
        unsafe {
            if *self.capture.get_mut() {
                sys::rte_pdump_uninit();
            }
            let _ = park_interrupt_thread();
            sys::rte_eal_cleanup();
        }
    }
}
