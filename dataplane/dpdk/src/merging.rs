//! Receive offloads of a kernel interface that merge frames: GRO, LRO, and GRO in the card.
//!
//! The kernel merges received TCP segments before a packet socket sees them. The frame that results
//! has no checksum of its own and may be longer than the MTU, so it cannot be sent on as it is.
//! `ethtool -K` does what this file does, by the same requests (linux/ethtool.h).

use std::fmt;

use crate::kernel::Interface;

/// The kernel's name of each offload (net/ethtool/common.c), and the word for it in `ethtool -K`.
const FEATURES: [(&str, &str); 3] = [("rx-gro", "gro"), ("rx-lro", "lro"), ("rx-gro-hw", "rx-gro-hw")];

/// Bytes of a feature's name (ETH_GSTRING_LEN).
const NAME: usize = 32;

/// The most features that are looked at: the kernel has fewer than 100.
const MOST: usize = 256;

// Commands of SIOCETHTOOL, and the set of strings that names the features.
const GET_SET_INFO: u32 = 0x37;
const GET_STRINGS: u32 = 0x1b;
const GET_FEATURES: u32 = 0x3a;
const SET_FEATURES: u32 = 0x3b;
const SET_OF_FEATURES: u32 = 4;

/// A set of these offloads. `Display` writes the words of `ethtool -K`: `gro, lro`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merging([bool; FEATURES.len()]);

impl Merging {
    /// GRO, which the kernel does for every interface.
    pub const GRO: Self = Self([true, false, false]);

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Returns the words of `ethtool -K`.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        FEATURES.iter().zip(self.0).filter(|(_, on)| *on).map(|((_, word), _)| *word)
    }

    /// Returns the offloads of either set.
    pub(crate) fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] || other.0[i]))
    }

    /// Returns those that are not in the other set.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] && !other.0[i]))
    }
}

impl fmt::Display for Merging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().collect::<Vec<_>>().join(", "))
    }
}

/// The bits of the offloads in an interface's features.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches {
    interface: Interface,
    /// Where the kernel keeps each of [`FEATURES`].
    bits: [Option<usize>; FEATURES.len()],
    /// Features that it has.
    count: usize,
}

impl Switches {
    /// Looks up the offloads; `None` when the interface has gone.
    pub(crate) fn of(interface: Interface) -> Option<Self> {
        let names = names(interface)?;
        let bits = FEATURES.map(|(name, _)| names.iter().position(|known| known == name));
        Some(Self { interface, bits, count: names.len() })
    }

    /// Returns the offloads that are on; `None` when the interface has gone.
    pub(crate) fn on(&self) -> Option<Merging> {
        /// Words of struct ethtool_get_features_block, and the one of what is active.
        const BLOCK: usize = 4;
        const ACTIVE: usize = 2;
        let blocks = self.count.div_ceil(32);
        let mut request = vec![0; 2 + BLOCK * blocks];
        request[..2].copy_from_slice(&[GET_FEATURES, u32::try_from(blocks).ok()?]);
        // SAFETY: struct ethtool_gfeatures with room for as many blocks as it says.
        if !unsafe { self.interface.ethtool(request.as_mut_ptr().cast()) } {
            return None;
        }
        let active = |bit: usize| request[2 + bit / 32 * BLOCK + ACTIVE] >> (bit % 32) & 1 == 1;
        Some(Merging(self.bits.map(|bit| bit.is_some_and(active))))
    }

    /// Switches offloads on or off. Returns those that are on afterwards; `None` when the interface
    /// has gone. Needs CAP_NET_ADMIN; without it, nothing changes.
    pub(crate) fn set(&self, which: Merging, on: bool) -> Option<Merging> {
        /// Words of struct ethtool_set_features_block: what is meant, and what it becomes.
        const BLOCK: usize = 2;
        let blocks = self.count.div_ceil(32);
        let mut request = vec![0; 2 + BLOCK * blocks];
        request[..2].copy_from_slice(&[SET_FEATURES, u32::try_from(blocks).ok()?]);
        for bit in self.bits.iter().zip(which.0).filter_map(|(bit, meant)| bit.filter(|_| meant)) {
            let block = 2 + bit / 32 * BLOCK;
            request[block] |= 1 << (bit % 32);
            request[block + 1] |= u32::from(on) << (bit % 32);
        }
        // SAFETY: struct ethtool_sfeatures with as many blocks as it says. What the kernel refused
        // is seen below.
        unsafe { self.interface.ethtool(request.as_mut_ptr().cast()) };
        self.on()
    }
}

/// Returns the names of the features that the kernel knows, in the order of their bits.
fn names(interface: Interface) -> Option<Vec<String>> {
    // struct ethtool_sset_info: the command, a reserved word, the mask of sets in two words, and
    // the size of the set.
    let mut info = [0u32; 5];
    info[0] = GET_SET_INFO;
    info[2..4].copy_from_slice(&words(1 << SET_OF_FEATURES));
    // SAFETY: room for the size of the one set that is asked for.
    if !unsafe { interface.ethtool(info.as_mut_ptr().cast()) } {
        return None;
    }
    let count = (info[4] as usize).min(MOST);
    // struct ethtool_gstrings: the command, the set, its size, and the strings.
    let mut strings = vec![0u32; 3 + MOST * NAME / 4];
    strings[..3].copy_from_slice(&[GET_STRINGS, SET_OF_FEATURES, info[4]]);
    // SAFETY: the kernel writes as many strings as the set has; that is fewer than there is room
    // for, or the request is not made.
    if info[4] as usize > MOST || !unsafe { interface.ethtool(strings.as_mut_ptr().cast()) } {
        return None;
    }
    let bytes: Vec<u8> = strings[3..].iter().flat_map(|word| word.to_ne_bytes()).collect();
    let name = |bytes: &[u8]| {
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(NAME);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    };
    Some(bytes.chunks_exact(NAME).take(count).map(name).collect())
}

/// Returns the two words of a 64-bit number in memory.
fn words(number: u64) -> [u32; 2] {
    let bytes = number.to_ne_bytes();
    [0, 4].map(|at| u32::from_ne_bytes(std::array::from_fn(|i| bytes[at + i])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_names_its_features() {
        // SAFETY: the name is zero-terminated.
        let lo = Interface::new(unsafe { libc::if_nametoindex(c"lo".as_ptr()) }).expect("loopback");
        let switches = Switches::of(lo).expect("it has features");
        assert!(switches.bits[0].is_some(), "every interface knows rx-gro");
        let on = switches.on().expect("it is there");
        assert_eq!(switches.set(Merging::default(), false), Some(on), "nothing was meant");
        let gone = Interface::new(u32::MAX).expect("not 0");
        assert!(Switches::of(gone).is_none());
    }

    #[test]
    fn sets_are_written_as_ethtool_takes_them() {
        let (gro, both) = (Merging::GRO, Merging([true, false, true]));
        assert_eq!((gro.to_string(), both.to_string()), ("gro".to_owned(), "gro, rx-gro-hw".to_owned()));
        assert_eq!(both.without(gro).to_string(), "rx-gro-hw");
        assert_eq!(gro.or(both), both);
        assert!(gro.without(both).is_empty());
    }
}
