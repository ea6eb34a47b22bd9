//! What can go wrong outside the packet path.

use std::ffi::{CStr, CString, c_int};
use std::fmt;

use dpdk_sys as sys;

use crate::{LcoreId, PortId, QueueId};

/// Why a call failed. The packet path (receive, send) has counts, not errors.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A DPDK function refused.
    Call {
        /// Name of the function.
        call: &'static str,
        /// What it was called for, such as `port 0` or `mempool rx0`.
        object: String,
        /// Positive error number as in errno.h or rte_errno.h.
        errno: i32,
    },
    /// A system call refused.
    System {
        /// Name of the system call.
        call: &'static str,
        /// Positive error number.
        errno: i32,
    },
    /// [`Eal::init`](crate::Eal::init) succeeded before in this process; DPDK cannot start twice.
    AlreadyInitialised,
    /// EAL arguments that cannot work or would be ignored; the text says which and why.
    EalArguments(String),
    /// The EAL did not start.
    Init {
        /// It refused its arguments, which is not for the machine to cure.
        usage: bool,
        /// The lines that tell the cause, and a remedy where one is known.
        reason: String,
        /// All that it and the drivers printed.
        messages: Vec<String>,
    },
    /// A name that DPDK cannot take because it holds a zero byte.
    ZeroByte(String),
    /// No lcore of this number takes closures: it is not enabled, or it is the main lcore.
    NotAWorker(LcoreId),
    /// [`LcoreScope::run_main`](crate::LcoreScope::run_main) was called by a thread that did not call
    /// [`Eal::init`](crate::Eal::init).
    NotMainThread,
    /// The port has a [`Port`](crate::Port) already.
    PortTaken(PortId),
    /// An lcore is inside a burst on the port and does not come out: it does not get to run.
    PortBusy(PortId),
    /// The queue has a handle already.
    QueueTaken(PortId, QueueId),
    /// The port was opened with fewer queues.
    NoSuchQueue(PortId, QueueId),
    /// More queues were asked for than the device has.
    TooManyQueues {
        /// The port.
        port: PortId,
        /// `"rx"` or `"tx"`.
        direction: &'static str,
        /// Queues asked for.
        wanted: u16,
        /// Queues that the device has.
        available: u16,
    },
}

impl Error {
    /// The error of a DPDK function that returned a negative error number.
    pub(crate) fn returned(call: &'static str, object: impl fmt::Display, code: c_int) -> Self {
        Self::Call { call, object: object.to_string(), errno: code.saturating_neg() }
    }

    /// The error of a DPDK function that said "see rte_errno".
    pub(crate) fn from_rte_errno(call: &'static str, object: impl fmt::Display) -> Self {
        // SAFETY: shim_errno reads a thread-local variable of DPDK and has no precondition.
        let errno = unsafe { sys::shim_errno() };
        Self::Call { call, object: object.to_string(), errno }
    }

    /// The error of a system call that set errno.
    pub(crate) fn from_errno(call: &'static str) -> Self {
        Self::System { call, errno: std::io::Error::last_os_error().raw_os_error().unwrap_or(0) }
    }

    /// The positive error number, where the failure came with one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Call { errno, .. } | Self::System { errno, .. } => Some(*errno),
            _ => None,
        }
    }

    /// True if other arguments are needed, and not another state of the machine.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::EalArguments(_) | Self::ZeroByte(_) | Self::Init { usage: true, .. })
    }

    /// What the EAL and the drivers printed, if it did not start.
    #[must_use]
    pub fn messages(&self) -> &[String] {
        match self {
            Self::Init { messages, .. } => messages,
            _ => &[],
        }
    }
}

/// DPDK's text for a positive error number.
fn strerror(errno: i32) -> String {
    // SAFETY: rte_strerror takes any number and returns a zero-terminated text in a buffer of the calling
    // thread, which nothing overwrites before it is copied here.
    unsafe {
        let text = sys::rte_strerror(errno);
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { call, object, errno } => {
                write!(f, "{call} failed for {object}: {} (errno {errno})", strerror(*errno))
            }
            Self::System { call, errno } => {
                write!(f, "{call} failed: {} (errno {errno})", strerror(*errno))
            }
            Self::AlreadyInitialised => f.write_str("the EAL was initialised before in this process"),
            Self::EalArguments(why) | Self::Init { usage: true, reason: why, .. } => {
                write!(f, "EAL arguments: {why}")
            }
            Self::Init { reason, .. } => write!(f, "the EAL did not start: {reason}"),
            Self::ZeroByte(name) => write!(f, "the name {name:?} holds a zero byte"),
            Self::NotAWorker(lcore) => write!(f, "{lcore} is not an enabled worker lcore"),
            Self::NotMainThread => f.write_str("only the thread that initialised the EAL is the main lcore"),
            Self::PortTaken(port) => write!(f, "{port} is open already"),
            Self::PortBusy(port) => {
                write!(f, "{port} cannot be stopped: an lcore stands still inside its driver")
            }
            Self::QueueTaken(port, queue) => write!(f, "{queue} of {port} has been handed out already"),
            Self::NoSuchQueue(port, queue) => write!(f, "{port} was opened without {queue}"),
            Self::TooManyQueues { port, direction, wanted, available } => {
                write!(f, "{port} has {available} {direction} queues, {wanted} were asked for")
            }
        }
    }
}

impl std::error::Error for Error {}

/// A C string for DPDK.
pub(crate) fn c_string(name: &str) -> Result<CString, Error> {
    CString::new(name).map_err(|_| Error::ZeroByte(name.to_owned()))
}
