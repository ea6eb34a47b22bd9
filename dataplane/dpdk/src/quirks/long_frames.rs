//! Frames that are too long for a packet socket.
//!
//! *Received*: the kernel cuts a frame to the room in the socket's ring, and net_af_packet delivers
//! what is left as a whole frame. A filter on each of the driver's sockets has the kernel keep such
//! frames to itself. A filter cannot count, so another socket takes the frames that it rejects, and
//! the kernel counts those.
//!
//! *Sent*: the kernel discards a frame longer than the MTU, and neither it nor the driver counts
//! it. [`Longest`] is looked at before the driver gets a frame.

use std::ffi::c_int;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::kernel::Interface;
use crate::mbuf::Burst;
use crate::quirks::ring_drops::{PacketSockets, take_statistics};

/// Bytes before a frame in a frame of the ring: struct tpacket2_hdr and struct sockaddr_ll, aligned
/// so that the network header begins at a multiple of 16 (tpacket_rcv of the kernel).
const BEFORE_RECEIVED: u32 = 66;

/// Bytes before a frame that is sent: struct tpacket2_hdr (tpacket_snd of the kernel).
const BEFORE_SENT: u32 = 32;

/// Bytes of an Ethernet header.
const ETHERNET: u32 = 14;

/// Bytes of a VLAN tag.
const TAG: u32 = 4;

/// Returns the longest frame that fits a frame of `framesz` bytes of net_af_packet's receive ring,
/// with an Ethernet header and without the outer VLAN tag, which the kernel keeps aside.
#[must_use]
pub fn ring_room(framesz: u32) -> u32 {
    framesz.saturating_sub(BEFORE_RECEIVED)
}

/// Keeps frames that do not fit the ring away from the driver's sockets, and counts them.
#[derive(Debug)]
pub(crate) struct TooLong {
    counter: OwnedFd,
    room: u32,
}

impl TooLong {
    /// Sets the filters of the sockets of a port whose ring has frames of `framesz` bytes, and
    /// starts to count. `None` when the kernel refuses.
    pub(crate) fn keep_from(sockets: &PacketSockets, interface: Interface, framesz: u32) -> Option<Self> {
        let room = ring_room(framesz);
        // First what counts the frames: none is kept away without being counted.
        let counter = counter(interface, room)?;
        for fd in sockets.descriptors() {
            attach(fd, &accept_up_to(room))?;
        }
        Some(Self { counter, room })
    }

    /// Returns the longest frame that passes.
    pub(crate) fn room(&self) -> u32 {
        self.room
    }

    /// Returns how many frames were kept away since the last call.
    pub(crate) fn take_count(&self) -> u64 {
        // Most of them find no room in the socket's queue, which nobody reads. The kernel counts
        // these as packets, too.
        take_statistics(self.counter.as_raw_fd()).map_or(0, |stats| u64::from(stats.tp_packets))
    }
}

/// The longest frames that a port can send.
#[derive(Debug)]
pub(crate) struct Longest {
    /// Room in a frame of the ring.
    room: u32,
    /// The longest frame that the interface takes without a VLAN tag.
    untagged: AtomicU32,
}

impl Longest {
    pub(crate) fn new(framesz: u32, mtu: u32) -> Self {
        let longest = Self { room: framesz.saturating_sub(BEFORE_SENT), untagged: AtomicU32::new(0) };
        longest.set_mtu(mtu);
        longest
    }

    /// Takes the interface's MTU of now.
    pub(crate) fn set_mtu(&self, mtu: u32) {
        self.untagged.store(mtu.saturating_add(ETHERNET), Ordering::Relaxed);
    }

    /// Frees the frames of a burst that cannot be sent.
    #[inline]
    pub(crate) fn keep(&self, burst: &mut Burst<'_>) {
        let untagged = self.untagged.load(Ordering::Relaxed);
        let all = untagged.min(self.room);
        if (0..burst.len()).all(|index| burst.frame_len(index) <= all) {
            return;
        }
        let mut fits = [true; crate::CAPACITY];
        for (index, fits) in fits.iter_mut().enumerate().take(burst.len()) {
            *fits = self.fits(untagged, burst.frame_len(index), burst.frame(index));
        }
        burst.retain(|index| fits[index]);
    }

    /// As packet_extra_vlan_len_allowed of the kernel: a customer tag (802.1Q) comes on top of the
    /// MTU, a service tag does not.
    fn fits(&self, untagged: u32, len: u32, start: &[u8]) -> bool {
        let is_tagged = start.get(12..14) == Some(&[0x81, 0x00]);
        len <= self.room && len <= untagged.saturating_add(if is_tagged { TAG } else { 0 })
    }
}

/// Opens a socket whose packets are the frames that enter an interface and are longer than `room`.
fn counter(interface: Interface, room: u32) -> Option<OwnedFd> {
    // No protocol: it receives nothing until it is bound.
    // SAFETY: socket has no precondition.
    let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    if fd < 0 {
        return None;
    }
    // SAFETY: the descriptor is new and belongs to nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    attach(fd, &accept_longer_than(room))?;
    // The kernel raises it to its minimum: one frame.
    let queue: c_int = 0;
    // SAFETY: a pointer to an int, with its size.
    unsafe {
        let len = size_of::<c_int>() as libc::socklen_t;
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, (&raw const queue).cast(), len);
    }
    // SAFETY: all members of sockaddr_ll are integers.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = c_int::try_from(interface.index()).ok()?;
    let len = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the address has the length given.
    let code = unsafe { libc::bind(fd, (&raw const address).cast(), len) };
    (code == 0).then_some(socket)
}

/// Sets a socket's filter (SO_ATTACH_FILTER). `None` when the kernel refuses.
fn attach(fd: RawFd, program: &[libc::sock_filter]) -> Option<()> {
    let program =
        libc::sock_fprog { len: u16::try_from(program.len()).ok()?, filter: program.as_ptr().cast_mut() };
    let len = size_of::<libc::sock_fprog>() as libc::socklen_t;
    // SAFETY: the kernel copies the instructions, which live across the call.
    let code = unsafe {
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, (&raw const program).cast(), len)
    };
    (code == 0).then_some(())
}

/// Classic BPF: the whole frame if it is at most `room` bytes long, else nothing.
fn accept_up_to(room: u32) -> [libc::sock_filter; 4] {
    [load_length(), jump_if_greater(room, 0, 1), accept(0), accept(u32::MAX)]
}

/// Classic BPF: one byte of a frame that enters and is longer than `room`, else nothing. Frames
/// that leave, those of the port among them, are seen by packet sockets too.
fn accept_longer_than(room: u32) -> [libc::sock_filter; 6] {
    let packet_type = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
    [
        load_length(),
        jump_if_greater(room, 0, 3),
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, packet_type),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, 0, u32::from(libc::PACKET_OUTGOING)),
        accept(1),
        accept(0),
    ]
}

/// Loads the frame's length.
fn load_length() -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_LEN, 0, 0, 0)
}

/// Skips `yes` instructions if the length is greater than `room`, else `no`.
fn jump_if_greater(room: u32, yes: u8, no: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K, yes, no, room)
}

/// Returns from the filter and accepts this many bytes of the frame.
fn accept(bytes: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, 0, 0, bytes)
}

fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_what_the_kernel_sends() {
        let longest = Longest::new(2048, 1500);
        let fits = |len, ethertype: [u8; 2]| {
            let mut start = [0; 60];
            start[12..14].copy_from_slice(&ethertype);
            longest.fits(longest.untagged.load(Ordering::Relaxed), len, &start)
        };
        let (ipv4, customer, service) = ([0x08, 0x00], [0x81, 0x00], [0x88, 0xa8]);
        assert!(fits(1514, ipv4) && !fits(1515, ipv4));
        assert!(fits(1518, customer) && !fits(1519, customer));
        assert!(fits(1514, service) && !fits(1515, service));
        longest.set_mtu(9000);
        assert!(fits(2016, ipv4) && !fits(2017, ipv4), "the ring's room is a bound too");
        longest.set_mtu(u32::MAX);
        assert!(fits(2016, customer) && !fits(2017, customer));
    }

    #[test]
    fn the_ring_has_room_for_its_frame_less_the_headers() {
        assert_eq!((ring_room(2048), ring_room(16384), ring_room(10)), (1982, 16318, 0));
    }
}
