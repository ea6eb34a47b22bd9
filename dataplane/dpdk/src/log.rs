//! Silencing a driver that repeats itself.

use dpdk_sys as sys;

use crate::Error;
use crate::error::c_string;

/// A driver's log while it says nothing below "critical"; dropping this gives it the level back that it had.
///
/// A port that is retried every second would have its driver say every second what was said once.
#[derive(Debug)]
pub struct Hush {
    logtype: u32,
    level: u32,
}

impl Hush {
    /// Silences what a driver such as `net_memif` logs.
    ///
    /// # Errors
    ///
    /// DPDK has no room for another name, or no such level.
    pub fn driver(name: &str) -> Result<Self, Error> {
        // DPDK's naming scheme for the logs of drivers.
        let log = format!("pmd.{}", name.replacen('_', ".", 1));
        let c_name = c_string(&log)?;
        // SAFETY: the name is zero-terminated, and copied. A name that is known already keeps its number.
        let logtype = unsafe { sys::rte_log_register(c_name.as_ptr()) };
        let logtype =
            u32::try_from(logtype).map_err(|_| Error::returned("rte_log_register", &log, logtype))?;
        // SAFETY: the function reads DPDK's table of logs for any number.
        let level = unsafe { sys::rte_log_get_level(logtype) };
        let level = u32::try_from(level).map_err(|_| Error::returned("rte_log_get_level", &log, level))?;
        set_level(logtype, sys::RTE_LOG_CRIT.min(level))?;
        Ok(Self { logtype, level })
    }
}

impl Drop for Hush {
    fn drop(&mut self) {
        // It was the level before, so it is one.
        let _ = set_level(self.logtype, self.level);
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
        let hush = Hush::driver("net_hushed").expect("the log exists");
        assert_eq!(hush.logtype, logtype);
        assert_eq!(level(), Ok(sys::RTE_LOG_CRIT));
        drop(hush);
        assert_eq!(level(), Ok(sys::RTE_LOG_NOTICE));
    }
}
