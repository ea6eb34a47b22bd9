//! Commands of our own on DPDK's telemetry socket, which `dpdk-telemetry.py` reads.
//!
//! Input: commands, each a name and a closure. Output: the closures' answers to the clients of the
//! socket, as JSON of at most 16 KiB each.
//!
//! DPDK cannot unregister a command, and calls it on threads that outlive the EAL. So DPDK gets one
//! function for all commands, which looks the closure up at each request. [`Eal::serve_telemetry`]
//! enters the closures and removes them again. The removal waits for answers that are being made,
//! so a closure may borrow what lives around the call.

mod encode;
mod value;

use std::ffi::{CStr, CString, c_char, c_int};
use std::fmt;
use std::ptr::NonNull;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use dpdk_sys as sys;

pub use self::value::{Dict, Value};

use self::encode::{check, fill};
use crate::error::c_string;
use crate::{Eal, Error};

/// A closure that makes an answer. It runs on DPDK's telemetry threads, several at a time. Its
/// argument is the part of the request after the comma. An `Err` reaches the client as `{"error":
/// …}`.
pub type Answer<'a> = dyn Fn(Option<&str>) -> Result<Dict, String> + Sync + 'a;

/// A command to serve.
#[derive(Clone, Copy)]
pub struct TelemetryCommand<'a> {
    /// A name such as `/flowtracker/stats`: at most 55 letters, digits, `_` and `/`.
    pub name: &'a str,
    /// One line for `/help`, at most 127 bytes.
    pub help: &'a str,
    /// The closure that answers.
    pub answer: &'a Answer<'a>,
}

impl fmt::Debug for TelemetryCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryCommand").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A command that DPDK knows, and the closure that answers it at present.
struct Registered {
    name: CString,
    answer: Option<&'static Answer<'static>>,
}

/// A request holds the lock shared while its answer is made. Removing a closure takes the lock
/// alone.
static COMMANDS: RwLock<Vec<Registered>> = RwLock::new(Vec::new());

/// Locks the commands for a change.
fn commands() -> RwLockWriteGuard<'static, Vec<Registered>> {
    // A panic in an answer ends the process, so nothing is ever half done.
    COMMANDS.write().unwrap_or_else(PoisonError::into_inner)
}

impl Eal {
    /// Answers `commands` while `body` runs. Before and after, clients read `null`. With the EAL
    /// argument `--no-telemetry` there is no socket, and so no request.
    ///
    /// # Errors
    ///
    /// A name or a help text that DPDK refuses (EINVAL), or a command that is being served already
    /// (EEXIST).
    pub fn serve_telemetry<T>(
        &self,
        commands: &[TelemetryCommand<'_>],
        body: impl FnOnce() -> T,
    ) -> Result<T, Error> {
        let mut serving = Serving(Vec::new());
        for command in commands {
            serving.add(command)?;
        }
        Ok(body())
    }
}

/// The commands that are being served. The value never leaves [`Eal::serve_telemetry`], so it is
/// always dropped.
struct Serving(Vec<CString>);

impl Serving {
    fn add(&mut self, command: &TelemetryCommand<'_>) -> Result<(), Error> {
        let refused = |errno: c_int| {
            Error::returned("rte_telemetry_register_cmd", command.name, errno.saturating_neg())
        };
        let name = c_string(command.name)?;
        // SAFETY: only the lifetime changes. run_answer calls the closure while it holds COMMANDS
        // shared. Drop removes the closure while it holds COMMANDS alone, before serve_telemetry
        // returns, and so within the borrow.
        let answer = unsafe { std::mem::transmute::<&Answer<'_>, &'static Answer<'static>>(command.answer) };
        let mut known = commands();
        let place = known.iter().position(|one| one.name == name);
        if let Some(place) = place {
            if known[place].answer.is_some() {
                return Err(refused(libc::EEXIST));
            }
            known[place].answer = Some(answer);
        } else {
            let help = c_string(command.help)?;
            // SAFETY: both texts are copied, and run_answer may be called at any time, for ever.
            // DPDK holds none of its locks while it calls.
            let code =
                unsafe { sys::rte_telemetry_register_cmd(name.as_ptr(), Some(run_answer), help.as_ptr()) };
            if code != 0 {
                return Err(refused(code.saturating_neg()));
            }
            known.push(Registered { name: name.clone(), answer: Some(answer) });
        }
        drop(known);
        self.0.push(name);
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut known = commands();
        for command in known.iter_mut().filter(|command| self.0.contains(&command.name)) {
            command.answer = None;
        }
    }
}

/// Answers a request for any of our commands. DPDK calls it on a thread of its own. A negative
/// return value makes the answer `null`.
unsafe extern "C" fn run_answer(
    name: *const c_char,
    params: *const c_char,
    out: *mut sys::rte_tel_data,
) -> c_int {
    let Some(out) = NonNull::new(out) else { return -libc::EINVAL };
    if name.is_null() {
        return -libc::EINVAL;
    }
    // SAFETY: DPDK passes the zero-terminated name, which outlives the call.
    let name = unsafe { CStr::from_ptr(name) };
    // SAFETY: likewise, or null.
    let params = (!params.is_null()).then(|| unsafe { CStr::from_ptr(params) }.to_string_lossy());
    let commands = COMMANDS.read().unwrap_or_else(PoisonError::into_inner);
    let Some(answer) = commands.iter().find(|one| one.name.as_c_str() == name).and_then(|one| one.answer)
    else {
        return -libc::ENODEV;
    };
    let error = |why: &str| Dict::new().with("error", why);
    let dict = answer(params.as_deref()).unwrap_or_else(|why| error(&why));
    let dict = match check(&dict) {
        Ok(()) => dict,
        Err(why) => error(&why),
    };
    // SAFETY: out is DPDK's and ours for the call.
    unsafe { fill(out, &dict) }
}
