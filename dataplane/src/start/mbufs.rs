//! How many mbufs a pool needs, and how long they are.

use std::fs::File;
use std::path::Path;

use crate::start::eal_args::Vdev;

/// The driver that cuts frames that are too long for it, instead of chaining mbufs or refusing
/// them.
const AF_PACKET: &str = "net_af_packet";

/// Mbufs that each lcore keeps in its cache of the pool.
pub const CACHE: u32 = 256;

/// Bytes of a frame that one mbuf holds, unless a device wants more; longer frames are chained.
const DATA_ROOM: u16 = 2048;

/// Bytes of the longest frame of a ring that one mbuf can hold: DPDK counts them in 16 bits, with
/// 128 of headroom.
const MAX_FRAMESZ: u32 = 65535 - 128;

/// The longest such frame that is a power of two, as a block of the ring has to be.
const MAX_SUGGESTED: u32 = 32768;

/// Bytes before a frame in a frame of net_af_packet's ring (tpacket_rcv of the kernel). Found by
/// experiment: longer frames are cut to `framesz` less this.
const BEFORE_FRAME: u32 = 66;

/// Bytes of an Ethernet header with a VLAN tag. The outer one of two tags does not lie in the ring:
/// the kernel keeps it aside, and the driver puts it back.
const LINK_HEADERS: u32 = 14 + 4;

/// What holds mbufs, for one pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Ports.
    pub ports: u32,
    /// Queues per port and direction.
    pub queues: u32,
    /// Receive and transmit descriptors of a queue pair.
    pub descriptors: u32,
    /// Lcores that may hold mbufs in their cache of the pool.
    pub lcores: u32,
    /// Frames per burst.
    pub burst: u32,
    /// Frames that net_pcap holds for `infinite_rx`.
    pub looped: u32,
}

impl Demand {
    /// Returns how many mbufs are enough: every queue full, every cache filled up to its limit (1.5
    /// times its size), and two bursts held by every lcore.
    #[must_use]
    pub fn mbufs(&self) -> u32 {
        /// Descriptors of the smallest queue pair: a device may round small rings up, and no common
        /// one beyond this.
        const FEWEST: u32 = 2 * 512;
        let descriptors = self.descriptors.max(FEWEST);
        let queued = self.ports.saturating_mul(self.queues).saturating_mul(descriptors);
        let in_hand = self.lcores * (CACHE * 3 / 2 + 2 * self.burst);
        queued.saturating_add(in_hand).saturating_add(self.looped)
    }
}

/// Counts the frames of the captures that net_pcap loops (`rx_pcap=FILE,infinite_rx=1`): it copies
/// each into an mbuf of its own.
#[must_use]
pub(crate) fn looped_frames(vdevs: &[Vdev]) -> u32 {
    let looping =
        vdevs.iter().filter(|vdev| vdev.driver() == "net_pcap" && vdev.param("infinite_rx") == Some("1"));
    looping.flat_map(|vdev| vdev.params("rx_pcap")).map(|file| count_frames(Path::new(file))).sum()
}

/// Returns the bytes of a frame of a net_af_packet's ring.
#[must_use]
pub(crate) fn framesz(vdev: &Vdev) -> u32 {
    /// The driver's own choice.
    const DEFAULT: u32 = 2048;
    vdev.number("framesz").map_or(DEFAULT, |n| u32::try_from(n).unwrap_or(u32::MAX))
}

/// Returns how many bytes of a frame one mbuf must hold for these devices. net_af_packet does not
/// chain mbufs, and wants one as long as a frame of its ring. Frames too long for any mbuf are
/// refused by [`check_mtu`].
#[must_use]
pub(crate) fn data_room(vdevs: &[Vdev]) -> u16 {
    let rings = vdevs.iter().filter(|vdev| vdev.driver() == AF_PACKET).map(framesz);
    rings.filter_map(|framesz| u16::try_from(framesz).ok()).fold(DATA_ROOM, u16::max)
}

/// A net_af_packet whose frames do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramesTooLong {
    /// Frames of its interface do not fit into frames of its ring. The kernel would cut them, and
    /// the driver would deliver what is left.
    #[error(
        "{device}: frames of MTU {mtu} do not fit framesz={framesz} and would be cut: {}",
        longer_ring(*.mtu)
    )]
    ForRing {
        /// The device.
        device: String,
        /// MTU of its interface.
        mtu: u32,
        /// Its `framesz`.
        framesz: u32,
        /// The largest MTU whose frames fit.
        largest: u32,
    },
    /// Frames of its ring do not fit into an mbuf. The driver would refuse the pool, and report a
    /// lack of memory.
    #[error("{device}: framesz={framesz} is more than an mbuf can hold; {MAX_SUGGESTED} at most")]
    ForMbuf {
        /// The device.
        device: String,
        /// Its `framesz`.
        framesz: u32,
    },
}

/// Says which ring has room for frames of this MTU.
fn longer_ring(mtu: u32) -> String {
    let needed = mtu.saturating_add(LINK_HEADERS + BEFORE_FRAME);
    if needed > MAX_SUGGESTED {
        let largest = MAX_SUGGESTED - LINK_HEADERS - BEFORE_FRAME;
        return format!(
            "lower the interface's MTU; {largest} is the most, with `,framesz={MAX_SUGGESTED},blocksz={MAX_SUGGESTED}` \
             in its --vdev"
        );
    }
    let enough = needed.next_power_of_two();
    format!("append `,framesz={enough},blocksz={enough}` to its --vdev, or lower the interface's MTU")
}

/// Checks that a device that cuts long frames has room for those of its interface.
///
/// # Errors
/// When it has not.
pub(crate) fn check_mtu(vdev: &Vdev, mtu: u32) -> Result<(), FramesTooLong> {
    if vdev.driver() != AF_PACKET {
        return Ok(());
    }
    let framesz = framesz(vdev);
    if framesz > MAX_FRAMESZ {
        return Err(FramesTooLong::ForMbuf { device: vdev.name.clone(), framesz });
    }
    let largest = framesz.saturating_sub(LINK_HEADERS + BEFORE_FRAME);
    if mtu <= largest {
        return Ok(());
    }
    Err(FramesTooLong::ForRing { device: vdev.name.clone(), mtu, framesz, largest })
}

/// Counts the frames of a capture. Returns 0 when it cannot be read, which the driver will report
/// better.
fn count_frames(path: &Path) -> u32 {
    let Ok(file) = File::open(path) else { return 0 };
    let Ok(mut reader) = pcap_file::pcap::PcapReader::new(std::io::BufReader::new(file)) else { return 0 };
    let mut frames = 0;
    while let Some(Ok(_)) = reader.next_raw_packet() {
        frames += 1;
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::eal_args::EalArgs;

    #[test]
    fn every_descriptor_and_cache_can_be_full_at_once() {
        let demand = Demand { ports: 2, queues: 1, descriptors: 2048, lcores: 2, burst: 32, looped: 7 };
        assert_eq!(demand.mbufs(), 2 * 2048 + 2 * (384 + 64) + 7);
        let absurd = Demand { queues: 65535, descriptors: 2 * 65535, ..demand };
        assert_eq!(absurd.mbufs(), u32::MAX);
    }

    fn vdevs(line: &str) -> Vec<Vdev> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        EalArgs::parse(&args).expect(line).vdevs
    }

    #[test]
    fn frames_of_the_interface_must_fit_the_ring() {
        let plain = vdevs("--vdev=net_af_packet0,iface=eth0");
        let jumbo = vdevs("-l 0 --vdev eth_af_packet0,iface=eth0,framesz=16384,blocksz=16384");
        assert_eq!(check_mtu(&plain[0], 1500), Ok(()));
        let error = check_mtu(&plain[0], 9000).expect_err("too long").to_string();
        assert!(error.contains("net_af_packet0") && error.contains("framesz=16384"), "{error}");
        assert_eq!(check_mtu(&jumbo[0], 9000), Ok(()));
        assert_eq!(check_mtu(&vdevs("--vdev net_pcap0,iface=eth0")[0], 9000), Ok(()), "it makes chains");
        assert_eq!((data_room(&plain), data_room(&jumbo)), (2048, 16384));
    }

    #[test]
    fn no_frame_is_longer_than_an_mbuf() {
        let error = |line: &str, mtu| check_mtu(&vdevs(line)[0], mtu).expect_err(line).to_string();
        // The loopback device's MTU.
        let lo = error("--vdev=net_af_packet0,iface=lo", 65536);
        assert!(lo.contains("32684 is the most, with `,framesz=32768,blocksz=32768`"), "{lo}");
        for framesz in ["65408", "65536", "131072", "5000000000"] {
            let line = format!("--vdev=net_af_packet0,iface=eth0,framesz={framesz},blocksz={framesz}");
            assert!(error(&line, 1500).contains("is more than an mbuf can hold; 32768 at most"), "{framesz}");
        }
        let longest = vdevs("--vdev=net_af_packet0,iface=eth0,framesz=32768,blocksz=32768");
        assert_eq!(check_mtu(&longest[0], 32684), Ok(()));
        assert!(check_mtu(&longest[0], 32685).is_err());
    }

    #[test]
    fn only_looped_captures_are_counted() {
        let dir = std::env::temp_dir().join(format!("ft-mbufs-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("two.pcap");
        // Classic header, then two records of four bytes.
        let mut bytes =
            vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
        for _ in 0..2 {
            bytes.extend([0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]);
        }
        std::fs::write(&file, bytes).unwrap();
        let arg = |tail: &str| format!("net_pcap0,rx_pcap={}{tail}", file.display());
        let looped = |line: &str| looped_frames(&vdevs(line));
        assert_eq!(looped(&format!("--vdev {}", arg(",infinite_rx=1"))), 2);
        assert_eq!(looped(&format!("--vdev={}", arg(",infinite_rx=1"))), 2);
        assert_eq!(looped(&format!("--vdev={}", arg(""))), 0);
        assert_eq!(looped("--vdev net_pcap0,rx_pcap=/nonexistent,infinite_rx=1"), 0);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
