//! How many mbufs a pool needs, and how long they are.

use std::path::Path;

use crate::replay::capture::Reader;
use crate::start::eal_args::{BadArgument, Vdev};
use crate::start::rings::{AF_PACKET, framesz};

/// Mbufs that each lcore keeps in its cache of the pool.
pub const CACHE: u32 = 256;

/// Bytes of a frame that one mbuf holds, unless a device wants more; longer frames are chained.
const DATA_ROOM: u16 = 2048;

/// The last DPDK release without net_memif's fast path, which corrupts chained frames. It is taken
/// when an mbuf holds as much as one of its buffers, which have 2048 bytes unless the client of the
/// link says otherwise.
const WITHOUT_FAST_PATH: (u32, u32) = (22, 11);

/// Bytes by which an mbuf is smaller than a buffer of net_memif, so that the fast path is not taken.
const LESS: u16 = 16;

/// [`DATA_ROOM`] beside net_memif. This is still enough for a frame of net_af_packet's own ring.
const DATA_ROOM_MEMIF: u16 = DATA_ROOM - LESS;

const MEMIF: &str = "net_memif";

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
    let memif = vdevs.iter().any(|vdev| vdev.driver() == MEMIF);
    if memif && release > WITHOUT_FAST_PATH && room == DATA_ROOM { DATA_ROOM_MEMIF } else { room }
}

/// Refuses buffers of net_memif that an mbuf of these devices holds whole, where that corrupts
/// frames of several buffers. The buffers that the client of the link at the far end chooses are
/// not known here.
pub(crate) fn check_memif(vdevs: &[Vdev]) -> Result<(), BadArgument> {
    check_memif_in(dpdk::RELEASE, vdevs)
}

fn check_memif_in(release: (u32, u32), vdevs: &[Vdev]) -> Result<(), BadArgument> {
    if release <= WITHOUT_FAST_PATH {
        return Ok(());
    }
    let (room, (year, month)) = (u64::from(room_in(release, vdevs)), release);
    for vdev in vdevs.iter().filter(|vdev| vdev.driver() == MEMIF) {
        let bsize = vdev.number("bsize").unwrap_or(u64::from(DATA_ROOM));
        if bsize <= room {
            let name = &vdev.name;
            return Err(BadArgument {
                found: format!(
                    "--vdev {name}: with bsize={bsize} and mbufs of {room} bytes, net_memif of DPDK \
                     {year}.{month:02} corrupts frames of several buffers"
                ),
                remedy: format!("bsize={} or more", room + u64::from(LESS)),
            });
        }
    }
    Ok(())
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
    fn a_later_net_memif_is_refused_buffers_that_an_mbuf_holds_whole() {
        let check = |release, line| check_memif_in(release, &vdevs(line)).map_err(|bad| bad.remedy);
        let small = "--vdev net_memif0,role=client,bsize=1024";
        assert_eq!(check((22, 11), small), Ok(()));
        assert_eq!(check((24, 11), small), Err("bsize=2048 or more".to_owned()));
        assert_eq!(check((24, 11), "--vdev net_memif0,bsize=2048"), Ok(()));
        assert_eq!(check((24, 11), "--vdev net_memif0"), Ok(()));
        let ring = "--vdev net_af_packet0,iface=lo,framesz=16384,blocksz=16384 --vdev net_memif0";
        assert_eq!(check((22, 11), ring), Ok(()));
        assert_eq!(check((24, 11), ring), Err("bsize=16400 or more".to_owned()));
        assert_eq!(check((24, 11), &format!("{ring},bsize=16400")), Ok(()));
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
