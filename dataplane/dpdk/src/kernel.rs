//! The kernel's interface under a port. Ports of net_af_packet, net_af_xdp, net_tap and live
//! net_pcap ride on one, and only the kernel knows its MTU and whether its cable is plugged in.
//! net_af_packet, for one, says "link up, MTU 1500" whatever happens.

use std::ffi::{c_char, c_int, c_ulong};
use std::num::NonZeroU32;

/// A kernel interface by its index, in the network namespace of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interface(NonZeroU32);

impl Interface {
    /// Names an interface by its index; `None` for 0, which stands for no interface.
    pub(crate) fn new(index: u32) -> Option<Self> {
        NonZeroU32::new(index).map(Self)
    }

    /// Returns the MTU in bytes (SIOCGIFMTU); `None` when the interface no longer exists.
    pub(crate) fn mtu(self) -> Option<u32> {
        // SAFETY: SIOCGIFMTU writes the member ifru_mtu of the union, and every bit pattern of it
        // is valid.
        let mtu = unsafe { self.ask(libc::SIOCGIFMTU)?.ifr_ifru.ifru_mtu };
        u32::try_from(mtu).ok()
    }

    /// Returns whether the interface is administratively up and has carrier (SIOCGIFFLAGS); `None`
    /// when it no longer exists.
    pub(crate) fn is_running(self) -> Option<bool> {
        const WANTED: c_int = libc::IFF_UP | libc::IFF_RUNNING;
        // SAFETY: SIOCGIFFLAGS writes the member ifru_flags of the union, and every bit pattern of
        // it is valid.
        let flags = c_int::from(unsafe { self.ask(libc::SIOCGIFFLAGS)?.ifr_ifru.ifru_flags });
        Some(flags & WANTED == WANTED)
    }

    /// Makes an ioctl request about the interface; `None` when the interface no longer exists.
    fn ask(self, request: c_ulong) -> Option<libc::ifreq> {
        // SAFETY: all members of ifreq are integers, arrays of them and pointers: zero is valid.
        let mut answer: libc::ifreq = unsafe { std::mem::zeroed() };
        let name: *mut c_char = answer.ifr_name.as_mut_ptr();
        // SAFETY: ifr_name has room for IF_NAMESIZE bytes.
        if unsafe { libc::if_indextoname(self.0.get(), name) }.is_null() {
            return None;
        }
        // SAFETY: socket has no precondition.
        let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return None;
        }
        // SAFETY: fd is a socket of ours, and both requests read the name of an ifreq and write its
        // union.
        let code = unsafe { libc::ioctl(fd, request, &raw mut answer) };
        // SAFETY: fd is ours and used no more.
        unsafe { libc::close(fd) };
        (code == 0).then_some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_what_the_kernel_says() {
        // SAFETY: the name is zero-terminated.
        let index = unsafe { libc::if_nametoindex(c"lo".as_ptr()) };
        let lo = Interface::new(index).expect("every namespace has loopback");
        let sys = |file: &str| std::fs::read_to_string(format!("/sys/class/net/lo/{file}")).expect("sysfs");
        assert_eq!(lo.mtu().map(|mtu| mtu.to_string()).as_deref(), Some(sys("mtu").trim()));
        let flags =
            u32::from_str_radix(sys("flags").trim().trim_start_matches("0x"), 16).expect("hexadecimal");
        assert_eq!(
            lo.is_running(),
            Some(flags & libc::IFF_UP as u32 != 0),
            "loopback has carrier when it is up"
        );
    }

    #[test]
    fn an_interface_that_has_gone_says_nothing() {
        let gone = Interface::new(u32::MAX).expect("not 0");
        assert_eq!((gone.mtu(), gone.is_running()), (None, None));
        assert_eq!(Interface::new(0), None);
    }
}
