//! The Environment Abstraction Layer as a value: one per process, everything else borrows it.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use dpdk_sys as sys;

use crate::affinity::Affinity;
use crate::eal_log::{self, FailedDevice};
use crate::error::c_string;
use crate::output::capture_output;
use crate::quirks::interrupt::park_interrupt_thread;
use crate::quirks::unmap;
use crate::{Error, LcoreId, PortId, SocketId};

/// RTE_ETH_DEV_NO_OWNER: ports that no other port (bonding, failsafe) has taken for itself.
const NO_OWNER: u64 = 0;

/// Set while [`Eal::init`] runs and for good once it succeeded.
static INITIALISED: AtomicBool = AtomicBool::new(false);

/// The folder that the EAL loads its drivers from, as DPDK was built.
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
    /// Something newer than this crate.
    Other(i32),
}

/// The running EAL. Dropping it releases what DPDK holds; DPDK cannot be initialised again afterwards.
#[derive(Debug)]
pub struct Eal {
    /// The thread that called rte_eal_init: DPDK's main lcore.
    pub(crate) main_thread: ThreadId,
    /// The CPUs that the EAL chose for the main lcore.
    pub(crate) main_affinity: Affinity,
    /// Held around rte_eal_remote_launch, which two threads must not call for one lcore.
    pub(crate) launching: Mutex<()>,
    /// Ports that have a [`Port`](crate::Port).
    pub(crate) open_ports: Mutex<Vec<PortId>>,
    /// Whether rte_pdump_init succeeded.
    capture: AtomicBool,
    messages: Vec<String>,
    failed: Vec<FailedDevice>,
}

impl Eal {
    /// Starts the EAL (rte_eal_init) with `args`, which do not include the program's name: `program` is
    /// put before them.
    ///
    /// The calling thread becomes the main lcore in DPDK's books but keeps the CPU affinity it had, so that
    /// threads it starts later are not all born on one CPU.
    ///
    /// What the EAL and the drivers print meanwhile is kept for [`Eal::messages`] and [`Error::messages`]: no other
    /// thread should print, for its lines would be taken along.
    ///
    /// # Errors
    ///
    /// Bad arguments, missing memory or devices, or an EAL that was initialised before. Arguments that the
    /// EAL would leave unread (anything after `--`, stray words) are errors too. Like every DPDK program, the
    /// process exits inside when `args` hold `--help`.
    pub fn init(program: &str, args: &[String]) -> Result<Self, Error> {
        check_arguments(args)?;
        let argv = std::iter::once(program)
            .chain(args.iter().map(String::as_str))
            .map(c_string)
            .collect::<Result<Vec<_>, _>>()?;
        let given = argv.len() - 1;
        let callers = Affinity::of_this_thread()?;

        if INITIALISED.swap(true, Ordering::AcqRel) {
            return Err(Error::AlreadyInitialised);
        }
        unmap::install();
        // The EAL keeps pointers into its arguments in some versions; there is one EAL per process, so these
        // few bytes are given to it for good. It also reorders the array.
        let mut argv: Vec<*mut c_char> = argv.into_iter().map(CString::into_raw).collect();
        let argc = c_int::try_from(argv.len()).map_err(|_| {
            INITIALISED.store(false, Ordering::Release);
            Error::EalArguments("too many".to_owned())
        })?;
        argv.push(ptr::null_mut());
        let argv = argv.leak();
        let ((parsed, errno), messages) = capture_output(|| {
            // SAFETY: argv holds argc zero-terminated strings that are never freed, and a null at its end;
            // INITIALISED keeps any second caller out.
            let parsed = unsafe { sys::rte_eal_init(argc, argv.as_mut_ptr()) };
            // Read rte_errno before anything else can set it.
            (parsed, Error::from_rte_errno("rte_eal_init", format_args!("{args:?}")))
        });
        let failure = (parsed < 0).then(|| {
            let eal_log::Cause { usage, mut reason } = eal_log::cause(&messages, program);
            if reason.is_empty() {
                reason = errno.to_string();
            }
            Error::Init { usage, reason, messages: messages.clone() }
        });
        let chosen = Affinity::of_this_thread();
        let restored = callers.apply();
        if let Some(failure) = failure {
            // DPDK itself says whether it can be tried again (bad arguments) or not (EALREADY).
            INITIALISED.store(false, Ordering::Release);
            return Err(failure);
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
        let parsed = usize::try_from(parsed).unwrap_or(0);
        if parsed != given {
            // getopt has put them behind all options; the EAL has put the program's name before them.
            let stray: Vec<_> = argv[parsed + 1..=given]
                .iter()
                // SAFETY: these are zero-terminated strings that were made above and are never freed.
                .map(|word| unsafe { CStr::from_ptr(*word) }.to_string_lossy())
                .collect();
            return Err(Error::EalArguments(format!("`{}` belongs to no option", stray.join(" "))));
        }
        Ok(eal)
    }

    /// Lets dpdk-dumpcap and dpdk-pdump, as secondary processes, copy the frames of our ports (rte_pdump_init). A copy
    /// is made inside the burst calls and costs nothing while nobody asks for one.
    ///
    /// Succeeds also where no secondary process can attach (`--no-shconf`, `--no-huge`, `--in-memory`).
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

    /// What the EAL and the drivers printed during [`Eal::init`].
    #[must_use]
    pub fn messages(&self) -> &[String] {
        &self.messages
    }

    /// The `--vdev` arguments that came to nothing. The EAL goes on without them, and numbers the ports that are left.
    #[must_use]
    pub fn failed_devices(&self) -> &[FailedDevice] {
        &self.failed
    }

    /// The main lcore: the one of the thread that called [`Eal::init`].
    #[must_use]
    pub fn main_lcore(&self) -> LcoreId {
        // SAFETY: the EAL is initialised, as self shows; the function only reads its configuration.
        LcoreId(unsafe { sys::rte_get_main_lcore() })
    }

    /// All enabled lcores in ascending order, the main lcore included.
    #[must_use]
    pub fn lcores(&self) -> Vec<LcoreId> {
        // rte_get_next_lcore takes "none yet" as the largest number and adds one.
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

    /// The ethdev ports that are free to use, in port-id order.
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

    /// The NUMA node of an lcore.
    #[must_use]
    pub fn socket_of(&self, lcore: LcoreId) -> SocketId {
        if lcore.0 >= sys::RTE_MAX_LCORE {
            return SocketId::ANY;
        }
        // SAFETY: the EAL is initialised and lcore indexes its table of RTE_MAX_LCORE rows.
        let socket = unsafe { sys::rte_lcore_to_socket_id(lcore.0) };
        SocketId(i32::try_from(socket).unwrap_or(-1))
    }

    /// Primary or secondary.
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
        // SAFETY: the EAL is initialised, and everything that uses it borrows self and is gone. No return value says
        // anything that could still be acted on.
        unsafe {
            if *self.capture.get_mut() {
                sys::rte_pdump_uninit();
            }
            let _ = park_interrupt_thread();
            sys::rte_eal_cleanup();
        }
    }
}

/// Refuses what the EAL would misunderstand or not even look at.
fn check_arguments(args: &[String]) -> Result<(), Error> {
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    if has("--") {
        return Err(Error::EalArguments("-- ends them; what follows it would not be read".to_owned()));
    }
    if has("--no-huge") && has("--in-memory") {
        return Err(Error::EalArguments(
            "--no-huge and --in-memory cannot be combined (DPDK 22.11 refuses them); \
             use --no-huge --no-shconf instead"
                .to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_the_eal_would_misread_is_refused_before_it_runs() {
        assert!(matches!(check_arguments(&args("-l 0 -- --burst 32")), Err(Error::EalArguments(_))));
        assert!(matches!(check_arguments(&args("--in-memory --no-huge")), Err(Error::EalArguments(_))));
        assert_eq!(check_arguments(&args("--no-huge --no-shconf -l 0")), Ok(()));
        assert_eq!(check_arguments(&args("--in-memory -l 0")), Ok(()));
    }
}
