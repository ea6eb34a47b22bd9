//! The rings of net_af_packet: which frames fit, and which ring is made when the arguments do not
//! say.

use crate::start::eal_args::Vdev;

/// The driver that cuts frames that are too long for it, instead of chaining mbufs or refusing
/// them.
pub(super) const AF_PACKET: &str = "net_af_packet";

/// Bytes of the longest frame of a ring that one mbuf can hold: DPDK counts them in 16 bits, with
/// 128 of headroom.
const MAX_FRAMESZ: u32 = 65535 - 128;

/// The longest such frame that is a power of two, as a block of the ring has to be.
const MAX_SUGGESTED: u32 = 32768;

/// Bytes of an Ethernet header with a VLAN tag. The outer one of two tags does not lie in the ring:
/// the kernel keeps it aside, and the driver puts it back.
const LINK_HEADERS: u32 = 14 + 4;

/// net_af_packet's default for `blocksz`: a page.
pub(crate) const BLOCKSZ: u64 = 4096;

/// Returns the bytes of a frame of a net_af_packet's ring.
#[must_use]
pub(crate) fn framesz(vdev: &Vdev) -> u32 {
    /// The driver's own choice.
    const DEFAULT: u32 = 2048;
    vdev.number("framesz").map_or(DEFAULT, |n| u32::try_from(n).unwrap_or(u32::MAX))
}

/// Chooses a ring for a net_af_packet whose arguments name none, if frames of its interface do not
/// fit the driver's own. Adds it to the device's parameters and returns the arguments to append.
/// `mtu_of` returns the MTU of an interface.
///
/// Frames that are longer than the MTU, because the kernel has merged them, are no reason for a
/// larger ring: their checksums are not filled in, and the peer port could not send them.
pub(crate) fn fit(vdev: &mut Vdev, mtu_of: impl Fn(&str) -> Option<u32>) -> Option<String> {
    let is_open = vdev.driver() == AF_PACKET && vdev.param("framesz").or(vdev.param("blocksz")).is_none();
    let mtu = vdev.param("iface").filter(|_| is_open).and_then(mtu_of)?;
    if check_mtu(vdev, mtu).is_ok() {
        return None;
    }
    let framesz = enough_for(mtu).filter(|framesz| *framesz <= MAX_SUGGESTED)?.to_string();
    let ring = ["framesz", "blocksz"].map(|key| (key.to_owned(), framesz.clone()));
    let text = ring.each_ref().map(|(key, value)| format!("{key}={value}")).join(",");
    vdev.params.extend(ring);
    Some(text)
}

/// Appends arguments to those of a device in EAL's command line.
pub(crate) fn append(eal: &mut [String], device: &str, arguments: &str) {
    for argument in eal {
        let value = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => value,
            _ => argument.as_str(),
        };
        if value.strip_prefix(device).is_some_and(|rest| rest.starts_with(',')) {
            argument.push(',');
            argument.push_str(arguments);
        }
    }
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

/// Returns the largest MTU whose frames fit.
fn largest_mtu(framesz: u32) -> u32 {
    dpdk::ring_room(framesz).saturating_sub(LINK_HEADERS)
}

/// Returns the smallest frame of a ring that frames of this MTU fit, as a power of two.
fn enough_for(mtu: u32) -> Option<u32> {
    (1..32).map(|bit| 1 << bit).find(|framesz| largest_mtu(*framesz) >= mtu)
}

/// Says which ring has room for frames of this MTU.
fn longer_ring(mtu: u32) -> String {
    let Some(enough) = enough_for(mtu).filter(|enough| *enough <= MAX_SUGGESTED) else {
        let largest = largest_mtu(MAX_SUGGESTED);
        return format!(
            "lower the interface's MTU; {largest} is the most, with `,framesz={MAX_SUGGESTED},blocksz={MAX_SUGGESTED}` \
             in its --vdev"
        );
    };
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
    let largest = largest_mtu(framesz);
    if mtu <= largest {
        return Ok(());
    }
    Err(FramesTooLong::ForRing { device: vdev.name.clone(), mtu, framesz, largest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::eal_args::EalArgs;
    use crate::start::mbufs::data_room;

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

    /// The line with the ring that fits an interface of this MTU.
    fn fitted(line: &str, mtu: u32) -> String {
        let mut args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        for mut vdev in vdevs(line) {
            let ring = fit(&mut vdev, |interface| (interface == "eth0").then_some(mtu));
            if let Some(ring) = ring {
                assert_eq!(check_mtu(&vdev, mtu), Ok(()), "{ring}");
                append(&mut args, &vdev.name, &ring);
            }
        }
        args.join(" ")
    }

    #[test]
    fn a_ring_that_nobody_chose_holds_the_mtu() {
        let line = "-l 0 --vdev=net_af_packet0,iface=eth0 --vdev net_af_packet1,iface=eth1";
        assert_eq!(fitted(line, 1964), line);
        for (mtu, framesz) in [(1965, 4096), (4012, 4096), (4013, 8192), (9000, 16384), (32684, 32768)] {
            let ring = format!("framesz={framesz},blocksz={framesz}");
            let expected = line.replace("eth0", &format!("eth0,{ring}"));
            assert_eq!(fitted(line, mtu), expected);
        }
        assert_eq!(fitted(line, 32685), line, "no mbuf holds it");
        for chosen in ["framesz=2048", "blocksz=65536"] {
            let line = format!("--vdev net_af_packet0,iface=eth0,{chosen}");
            assert_eq!(fitted(&line, 9000), line, "what the user chose stays");
        }
        let other = "--vdev net_af_packet10,iface=eth0 --vdev net_af_packet1,iface=eth2";
        assert_eq!(fitted(other, 9000), other.replace("eth0", "eth0,framesz=16384,blocksz=16384"));
        let pcap = "--vdev net_pcap0,iface=eth0";
        assert_eq!(fitted(pcap, 9000), pcap);
    }
}
