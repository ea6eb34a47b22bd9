//! Errors outside the packet path. The packet path (receive, send) has counts instead.

use std::ffi::{CStr, CString, c_int};
use std::fmt;

use dpdk_sys as sys;

use crate::ids::{LcoreId, PortId, QueueId};

/// The reason why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A DPDK function refused.
    #[error("{call} failed for {object}: {} (errno {errno})", strerror(*.errno))]
    Call {
        /// Name of the function.
        call: &'static str,
        /// The object that it was called for, such as `port 0` or `mempool rx0`.
        object: String,
        /// Positive error number as in errno.h or rte_errno.h.
        errno: i32,
    },
    /// A system call refused.
    #[error("{call} failed: {} (errno {errno})", strerror(*.errno))]
    System {
        /// Name of the system call.
        call: &'static str,
        /// Positive error number.
        errno: i32,
    },
    /// [`Eal::init`](crate::Eal::init) succeeded before in this process; DPDK cannot start twice.
    #[error("the EAL was initialised before in this process")]
    AlreadyInitialised,
    /// EAL arguments that cannot work or would be ignored; the text says which and why.
    #[error("EAL arguments: {0}")]
    EalArguments(String),
    /// The EAL did not start.
    #[error("{}: {reason}", if *.usage { "EAL arguments" } else { "the EAL did not start" })]
    Init {
        /// The EAL refused its arguments. Another state of the machine would not help.
        usage: bool,
        /// The lines that tell the cause, and a remedy where one is known.
        reason: String,
        /// Every line that the EAL and the drivers printed.
        messages: Vec<String>,
    },
    /// A name that DPDK cannot take because it holds a zero byte.
    #[error("the name {0:?} holds a zero byte")]
    ZeroByte(String),
    /// The lcore takes no closures: it is not enabled, or it is the main lcore.
    #[error("{0} is not an enabled worker lcore")]
    NotAWorker(LcoreId),
    /// [`LcoreScope::run_main`](crate::LcoreScope::run_main) was called by a thread that did not
    /// call [`Eal::init`](crate::Eal::init).
    #[error("only the thread that initialised the EAL is the main lcore")]
    NotMainThread,
    /// The port has a [`Port`](crate::Port) already.
    #[error("{0} is open already")]
    PortTaken(PortId),
    /// An lcore is inside a burst call on the port and does not return: it does not get to run.
    #[error("{0} cannot be stopped: an lcore stands still inside its driver")]
    PortBusy(PortId),
    /// The queue has a handle already.
    #[error("{1} of {0} has been handed out already")]
    QueueTaken(PortId, QueueId),
    /// The port was opened with fewer queues.
    #[error("{0} was opened without {1}")]
    NoSuchQueue(PortId, QueueId),
    /// More queues were asked for than the device has.
    #[error("{port} has {available} {direction} queues, {wanted} were asked for")]
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
    /// Makes the error of a DPDK function that returned a negative error number.
    pub(crate) fn returned(call: &'static str, object: impl fmt::Display, code: c_int) -> Self {
        Self::Call { call, object: object.to_string(), errno: code.saturating_neg() }
    }

    /// Makes the error of a DPDK function that reports through rte_errno.
    pub(crate) fn from_rte_errno(call: &'static str, object: impl fmt::Display) -> Self {
        // SAFETY: shim_errno reads a thread-local variable of DPDK and has no precondition.
        let errno = unsafe { sys::shim_errno() };
        Self::Call { call, object: object.to_string(), errno }
    }

    /// Makes the error of a system call that set errno.
    pub(crate) fn from_errno(call: &'static str) -> Self {
        Self::System { call, errno: std::io::Error::last_os_error().raw_os_error().unwrap_or(0) }
    }

    /// Returns the positive error number, where the failure came with one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Call { errno, .. } | Self::System { errno, .. } => Some(*errno),
            _ => None,
        }
    }

    /// Returns whether the arguments are at fault, and not the state of the machine.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::EalArguments(_) | Self::ZeroByte(_) | Self::Init { usage: true, .. })
    }

    /// Returns the lines that the EAL and the drivers printed; none unless the EAL did not start.
    #[must_use]
    pub fn messages(&self) -> &[String] {
        match self {
            Self::Init { messages, .. } => messages,
            _ => &[],
        }
    }
}

/// Returns DPDK's text for a positive error number.
fn strerror(errno: i32) -> String {
    // SAFETY: rte_strerror takes any number and returns a zero-terminated text in a buffer of the
    // calling thread, which nothing overwrites before it is copied here.
    unsafe {
        let text = sys::rte_strerror(errno);
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}

/// Makes a C string for DPDK.
pub(crate) fn c_string(name: &str) -> Result<CString, Error> {
    CString::new(name).map_err(|_| Error::ZeroByte(name.to_owned()))
}
