//! How many mbufs a pool needs.

use std::fs::File;
use std::path::Path;

/// Mbufs that each lcore keeps in its cache of the pool.
pub const CACHE: u32 = 256;

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
