//! How many mbufs a pool needs, and how long they are.

use std::path::Path;

use crate::replay::capture::Reader;
use crate::start::eal_args::Vdev;
use crate::start::rings::{AF_PACKET, framesz};

/// Mbufs that each lcore keeps in its cache of the pool.
pub const CACHE: u32 = 256;

/// Bytes of a frame that one mbuf holds, unless a device wants more; longer frames are chained.
const DATA_ROOM: u16 = 2048;

/// The same where net_memif has a fast path that corrupts chained frames (after DPDK 22.11). It
/// takes that path when an mbuf holds as much as one of its buffers, which have 2048 bytes unless
/// the client of the link says otherwise. This is still enough for a frame of net_af_packet's ring.
const DATA_ROOM_MEMIF: u16 = DATA_ROOM - 16;

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

/// Returns how many bytes of a frame one mbuf must hold for these devices. net_af_packet does not
/// chain mbufs, and wants one as long as a frame of its ring. Frames too long for any mbuf are
/// refused by [`rings::check_mtu`](crate::start::rings::check_mtu).
#[must_use]
pub(crate) fn data_room(vdevs: &[Vdev]) -> u16 {
    room_in(dpdk::RELEASE, vdevs)
}

fn room_in(release: (u32, u32), vdevs: &[Vdev]) -> u16 {
    let rings = vdevs.iter().filter(|vdev| vdev.driver() == AF_PACKET).map(framesz);
    let room = rings.filter_map(|framesz| u16::try_from(framesz).ok()).fold(DATA_ROOM, u16::max);
    let memif = vdevs.iter().any(|vdev| vdev.driver() == "net_memif");
    if memif && release > (22, 11) && room == DATA_ROOM { DATA_ROOM_MEMIF } else { room }
}

/// Counts the frames of a capture. Returns 0 when it cannot be read, which the driver will report
/// better.
fn count_frames(path: &Path) -> u32 {
    let Ok(mut reader) = Reader::open(path) else { return 0 };
    let mut frames = 0;
    while let Ok(Some(_)) = reader.next_packet() {
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
    fn a_later_net_memif_gets_mbufs_that_are_smaller_than_its_buffers() {
        let memif = vdevs("--vdev net_memif0,role=client --vdev net_null0");
        let mixed = vdevs("--vdev net_memif0 --vdev net_af_packet0,iface=lo");
        let room = |release, vdevs| room_in(release, vdevs);
        assert_eq!((room((22, 11), &memif), room((22, 11), &mixed)), (2048, 2048));
        assert_eq!((room((24, 11), &memif), room((24, 11), &mixed)), (2032, 2032));
        assert_eq!(room((24, 11), &vdevs("--vdev net_null0")), 2048);
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
