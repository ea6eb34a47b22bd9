//! How many mbufs a pool needs, and how long they are.

use std::fs::File;
use std::path::Path;

/// Mbufs that each lcore keeps in its cache of the pool.
pub const CACHE: u32 = 256;

/// Bytes of a frame that one mbuf holds, unless a device wants more; longer frames are chained.
const DATA_ROOM: u16 = 2048;

/// What net_af_packet's ring frames hold beside the Ethernet frame: the kernel's header and address
/// (TPACKET2_HDRLEN, rounded up to 16) and room in front for the device's own header.
const TPACKET_OVERHEAD: u32 = 96;

/// Ethernet header and two VLAN tags.
const LINK_HEADERS: u32 = 14 + 2 * 4;

/// What holds mbufs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Ports.
    pub ports: u32,
    /// Queues per port and direction.
    pub queues: u32,
    /// Receive and transmit descriptors of a queue pair.
    pub descriptors: u32,
    /// Lcores that may keep some in their cache.
    pub lcores: u32,
    /// Frames per burst.
    pub burst: u32,
    /// Frames that net_pcap holds for `infinite_rx`.
    pub looped: u32,
}

impl Demand {
    /// Enough for every queue to be full, every cache filled up to its limit
    /// (1.5 times its size) and two bursts in every lcore's hands.
    #[must_use]
    pub fn mbufs(&self) -> u32 {
        self.ports * self.queues * self.descriptors
            + self.lcores * (CACHE * 3 / 2 + 2 * self.burst)
            + self.looped
    }
}

/// Frames in the captures that EAL arguments tell net_pcap to loop
/// (`rx_pcap=FILE,infinite_rx=1`): the driver copies each into an mbuf of its own.
#[must_use]
pub fn looped_frames(eal: &[String]) -> u32 {
    eal.iter()
        .filter(|arg| arg.contains("net_pcap") && arg.contains("infinite_rx=1"))
        .flat_map(|arg| arg.split(','))
        .filter_map(|pair| pair.strip_prefix("rx_pcap="))
        .map(|file| count_frames(Path::new(file)))
        .sum()
}

/// The value of a key in the device arguments of `device`, as EAL has them: `--vdev=DEVICE,key=value,…`.
fn device_argument<'a>(eal: &'a [String], device: &str, key: &str) -> Option<&'a str> {
    eal.iter()
        .map(|arg| arg.strip_prefix("--vdev=").unwrap_or(arg))
        .filter_map(|arg| arg.split_once(','))
        .filter(|(name, _)| *name == device)
        .flat_map(|(_, pairs)| pairs.split(','))
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| (name == key).then_some(value))
}

/// Bytes of a frame that one mbuf must hold for these devices: net_af_packet chains none, and wants an mbuf as
/// long as a frame of its ring (`framesz`).
#[must_use]
pub fn data_room<'a>(eal: &[String], devices: impl IntoIterator<Item = &'a str>) -> u16 {
    let rings =
        devices.into_iter().filter_map(|device| device_argument(eal, device, "framesz")?.parse().ok());
    rings.fold(DATA_ROOM, u16::max)
}

/// A net_af_packet whose ring frames are too short for its interface. The kernel would cut frames, and the driver
/// hand on what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FramesTooLong {
    /// The device.
    pub device: String,
    /// MTU of its interface.
    pub mtu: u32,
    /// What its `framesz` is.
    pub framesz: u32,
}

impl std::fmt::Display for FramesTooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let FramesTooLong { device, mtu, framesz } = self;
        let enough = (mtu + LINK_HEADERS + TPACKET_OVERHEAD).next_power_of_two();
        write!(
            f,
            "{device}: frames of MTU {mtu} do not fit framesz={framesz} and would be cut: append \
             `,framesz={enough},blocksz={enough}` to its --vdev, or lower the interface's MTU"
        )
    }
}

/// Checks that the ring frames of a net_af_packet hold what its interface may bring.
///
/// # Errors
/// When they do not.
pub fn check_frame_size(eal: &[String], device: &str, mtu: u32) -> Result<(), FramesTooLong> {
    /// The driver's own choice.
    const DEFAULT: u32 = 2048;
    let framesz = device_argument(eal, device, "framesz").and_then(|n| n.parse().ok()).unwrap_or(DEFAULT);
    if mtu + LINK_HEADERS + TPACKET_OVERHEAD <= framesz {
        return Ok(());
    }
    Err(FramesTooLong { device: device.to_owned(), mtu, framesz })
}

/// Frames in a capture; 0 when it cannot be read, which the driver will report better.
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

    #[test]
    fn every_descriptor_and_cache_can_be_full_at_once() {
        let demand = Demand { ports: 2, queues: 1, descriptors: 2048, lcores: 2, burst: 32, looped: 7 };
        assert_eq!(demand.mbufs(), 2 * 2048 + 2 * (384 + 64) + 7);
    }

    #[test]
    fn frames_of_the_interface_must_fit_the_ring() {
        let eal = |arg: &str| vec!["-l".to_owned(), "0".to_owned(), arg.to_owned()];
        let plain = eal("--vdev=net_af_packet0,iface=eth0");
        let jumbo = eal("net_af_packet0,iface=eth0,framesz=16384,blocksz=16384");
        assert_eq!(check_frame_size(&plain, "net_af_packet0", 1500), Ok(()));
        let error = check_frame_size(&plain, "net_af_packet0", 9000).expect_err("too long").to_string();
        assert!(error.contains("net_af_packet0") && error.contains("framesz=16384"), "{error}");
        assert_eq!(check_frame_size(&jumbo, "net_af_packet0", 9000), Ok(()));
        assert!(check_frame_size(&jumbo, "net_af_packet1", 9000).is_err(), "that is another device's");
        assert_eq!(data_room(&plain, ["net_af_packet0"]), 2048);
        assert_eq!(data_room(&jumbo, ["net_af_packet0", "net_af_packet1"]), 16384);
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
        assert_eq!(looped_frames(&["--vdev".to_owned(), arg(",infinite_rx=1")]), 2);
        assert_eq!(looped_frames(&[format!("--vdev={}", arg(",infinite_rx=1"))]), 2);
        assert_eq!(looped_frames(&[arg("")]), 0);
        assert_eq!(looped_frames(&["net_pcap0,rx_pcap=/nonexistent,infinite_rx=1".to_owned()]), 0);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
