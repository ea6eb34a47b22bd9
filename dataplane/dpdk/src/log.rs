//! Silencing a driver that repeats itself.

use std::sync::Mutex;

use dpdk_sys as sys;

use crate::Error;
use crate::error::c_string;
use crate::lock::lock;

/// A log that is silent at present.
struct Silent {
    /// DPDK's number of the log.
    logtype: u32,
    /// The level that the log had before, and will have again.
    level: u32,
    /// The number of [`Hush`] values that keep it silent.
    users: usize,
}

static SILENT: Mutex<Vec<Silent>> = Mutex::new(Vec::new());

/// Keeps a driver's log silent below the level "critical". Dropping the last value for a driver
/// restores the level that the log had before.
///
/// A port that is retried every second would have its driver say every second what was said once.
#[derive(Debug)]
pub struct Hush {
    logtype: u32,
}

impl Hush {
    /// Silences the log of a driver such as `net_memif`.
    ///
    /// # Errors
    ///
    /// DPDK has no room for another name, or no such level.
    pub fn driver(name: &str) -> Result<Self, Error> {
        // DPDK's naming scheme for the logs of drivers.
        let log = format!("pmd.{}", name.replacen('_', ".", 1));
        let c_name = c_string(&log)?;
        // SAFETY: the name is zero-terminated, and copied. A name that is known already keeps its
        // number.
        let logtype = unsafe { sys::rte_log_register(c_name.as_ptr()) };
        let logtype =
            u32::try_from(logtype).map_err(|_| Error::returned("rte_log_register", &log, logtype))?;
        let mut silent = lock(&SILENT);
        if let Some(known) = silent.iter_mut().find(|known| known.logtype == logtype) {
            known.users += 1;
            return Ok(Self { logtype });
        }
        // SAFETY: the function reads DPDK's table of logs for any number.
        let level = unsafe { sys::rte_log_get_level(logtype) };
        let level = u32::try_from(level).map_err(|_| Error::returned("rte_log_get_level", &log, level))?;
        set_level(logtype, sys::RTE_LOG_CRIT.min(level))?;
        silent.push(Silent { logtype, level, users: 1 });
        Ok(Self { logtype })
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        let mut silent = lock(&SILENT);
        let Some(at) = silent.iter().position(|known| known.logtype == self.logtype) else { return };
        silent[at].users -= 1;
        if silent[at].users == 0 {
            let Silent { logtype, level, .. } = silent.swap_remove(at);
            // DPDK does not refuse a level that it has given out itself.
            let _ = set_level(logtype, level);
        }
    }
}

fn set_level(logtype: u32, level: u32) -> Result<(), Error> {
    // SAFETY: the function checks both numbers.
    match unsafe { sys::rte_log_set_level(logtype, level) } {
        0 => Ok(()),
        code => Err(Error::returned("rte_log_set_level", format_args!("log {logtype}"), code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_comes_back() {
        // Logs exist without an EAL.
        let log = c"pmd.net.hushed";
        // SAFETY: the name is zero-terminated; the others take any number.
        let (logtype, level) = unsafe {
            let logtype = u32::try_from(sys::rte_log_register(log.as_ptr())).expect("registered");
            assert_eq!(sys::rte_log_set_level(logtype, sys::RTE_LOG_NOTICE), 0);
            (logtype, move || u32::try_from(sys::rte_log_get_level(logtype)))
        };
        assert_eq!(level(), Ok(sys::RTE_LOG_NOTICE));
        let [first, second] = [(); 2].map(|()| Hush::driver("net_hushed").expect("the log exists"));
        assert_eq!(first.logtype, logtype);
        assert_eq!(level(), Ok(sys::RTE_LOG_CRIT));
        drop(first);
        assert_eq!(level(), Ok(sys::RTE_LOG_CRIT), "two ports of one driver are retried");
        drop(second);
        assert_eq!(level(), Ok(sys::RTE_LOG_NOTICE));
    }
}
