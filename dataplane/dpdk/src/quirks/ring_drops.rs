//! Frames that the kernel drops because the ring of a packet socket is full.
//!
//! net_af_packet keeps its sockets to itself and does not count these frames. The kernel does, per
//! socket. So the sockets are looked for among the process's descriptors when the port is opened,
//! and asked for their counters when the port is asked for its own.

use std::ffi::c_int;
use std::os::fd::RawFd;

use crate::kernel::Interface;

/// The packet sockets of a net_af_packet port. The driver owns the descriptors; they are only asked
/// here.
#[derive(Debug, Default)]
pub(crate) struct PacketSockets(Vec<RawFd>);

impl PacketSockets {
    /// Finds the packet sockets that this process has bound to an interface.
    pub(crate) fn on(interface: Interface) -> Self {
        let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
        let fds = open.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Self(fds.filter(|fd| packet_socket_interface(*fd) == Some(interface)).collect())
    }

    /// Returns the frames dropped since the last call (PACKET_STATISTICS, which starts at zero
    /// again when it is read).
    pub(crate) fn take_drops(&self) -> u64 {
        self.descriptors().filter_map(take_statistics).map(|stats| u64::from(stats.tp_drops)).sum()
    }

    /// Returns the bytes of a frame of their rings, which are all alike; `None` without sockets.
    pub(crate) fn ring_frame(&self) -> Option<u32> {
        /// What the driver makes by default.
        const DEFAULT: u32 = 2048;
        // SAFETY: any descriptor may be asked for.
        let frames = self.descriptors().map(|fd| unsafe { dpdk_sys::quirks_ring_frame(fd) });
        frames.min().map(|frame| if frame == 0 { DEFAULT } else { frame })
    }

    /// Returns the descriptors.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.0.iter().copied()
    }
}

/// Returns what a packet socket has counted since the last call.
pub(crate) fn take_statistics(fd: RawFd) -> Option<libc::tpacket_stats> {
    option(fd, libc::SOL_PACKET, libc::PACKET_STATISTICS)
}

/// Returns the interface that a descriptor is bound to, if it is a packet socket.
fn packet_socket_interface(fd: RawFd) -> Option<Interface> {
    if option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_DOMAIN) != Some(libc::AF_PACKET) {
        return None;
    }
    // SAFETY: all members of sockaddr_ll are integers.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    let mut len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: address has room for len bytes; any descriptor may be asked.
    if unsafe { libc::getsockname(fd, (&raw mut address).cast(), &raw mut len) } != 0 {
        return None;
    }
    Interface::new(u32::try_from(address.sll_ifindex).ok()?)
}

/// Returns a socket option that is made of integers; `None` when the descriptor has no such option.
fn option<T: Integers>(fd: RawFd, level: c_int, name: c_int) -> Option<T> {
    // SAFETY: T is made of integers (Integers).
    let mut value: T = unsafe { std::mem::zeroed() };
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: value has room for len bytes; any descriptor may be asked.
    let code = unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut len) };
    (code == 0 && len as usize == size_of::<T>()).then_some(value)
}

/// Types for which every bit pattern is a valid value.
///
/// # Safety
///
/// Every bit pattern is a valid value of the type, and its size is that of the kernel's struct.
unsafe trait Integers {}
// SAFETY: an integer.
unsafe impl Integers for c_int {}
// SAFETY: two integers.
unsafe impl Integers for libc::tpacket_stats {}
