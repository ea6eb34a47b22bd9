//! The kernel's interface under a port. Ports of net_af_packet, net_af_xdp, net_tap and live
//! net_pcap ride on one, and only the kernel knows its MTU and whether its cable is plugged in.
//! net_af_packet, for one, says "link up, MTU 1500" whatever happens.

use std::ffi::{CString, c_char, c_int, c_ulong, c_void};
use std::num::NonZeroU32;

/// Returns the MTU in bytes of the interface of this name; `None` when there is no such interface.
#[must_use]
pub fn interface_mtu(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    // SAFETY: the name is zero-terminated.
    Interface::new(unsafe { libc::if_nametoindex(name.as_ptr()) })?.mtu()
}

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

    /// Returns its name; `None` when it no longer exists.
    pub(crate) fn name(self) -> Option<String> {
        let name = self.request()?.ifr_name.map(c_char::cast_unsigned);
        let end = name.iter().position(|&byte| byte == 0)?;
        Some(String::from_utf8_lossy(&name[..end]).into_owned())
    }

    /// Returns its index.
    pub(crate) fn index(self) -> u32 {
        self.0.get()
    }

    /// Makes an ethtool request (SIOCETHTOOL) with a command that lies at `data`. Returns whether
    /// the kernel carried it out.
    ///
    /// # Safety
    ///
    /// `data` is the struct that the command in its first word asks for, with all the room that the
    /// kernel fills.
    pub(crate) unsafe fn ethtool(self, data: *mut c_void) -> bool {
        /// linux/sockios.h; crate libc has it for few targets.
        const SIOCETHTOOL: c_ulong = 0x8946;
        let Some(mut request) = self.request() else { return false };
        request.ifr_ifru.ifru_data = data.cast();
        // SAFETY: the caller's promise.
        unsafe { control(SIOCETHTOOL, &mut request) }
    }

    /// Makes an ioctl request about the interface that fills the union of `ifreq`; `None` when the
    /// interface no longer exists.
    fn ask(self, request: c_ulong) -> Option<libc::ifreq> {
        let mut answer = self.request()?;
        // SAFETY: the requests that are made so read the name of an ifreq and write its union.
        unsafe { control(request, &mut answer) }.then_some(answer)
    }

    /// Returns a request about the interface, with its name and zeros.
    fn request(self) -> Option<libc::ifreq> {
        // SAFETY: all members of ifreq are integers, arrays of them and pointers: zero is valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        // SAFETY: ifr_name has room for IF_NAMESIZE bytes.
        let name = unsafe { libc::if_indextoname(self.0.get(), request.ifr_name.as_mut_ptr()) };
        (!name.is_null()).then_some(request)
    }
}

/// Makes an ioctl request about the interface that it names. Returns whether the kernel carried it
/// out.
///
/// # Safety
///
/// The union of `request` is what the kernel reads and writes for this request.
unsafe fn control(number: c_ulong, request: &mut libc::ifreq) -> bool {
    // SAFETY: socket has no precondition.
    let fd = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return false;
    }
    // SAFETY: fd is a socket of ours; the rest is the caller's promise.
    let code = unsafe { libc::ioctl(fd, number, std::ptr::from_mut(request)) };
    // SAFETY: fd is ours and used no more.
    unsafe { libc::close(fd) };
    code == 0
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
        assert_eq!((interface_mtu("lo"), lo.name().as_deref()), (lo.mtu(), Some("lo")));
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
        assert_eq!((gone.mtu(), gone.is_running(), gone.name()), (None, None, None));
        assert_eq!(interface_mtu("no-such-one"), None);
        assert_eq!(Interface::new(0), None);
    }
}
