//! Link types: only Ethernet can enter a port.

/// The number of Ethernet.
const ETHERNET: u32 = 1;

/// The registry of link types (draft-ietf-opsawg-pcaplinktype): a number and a name per line.
const NAMES: &str = include_str!("link-types.txt");

/// What the frames of a file or an interface are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The number of the link type.
    pub(super) kind: u32,
    /// Length of the frame check sequence, in octets, where it is captured with the frames.
    pub(super) fcs: u32,
}

impl Link {
    /// Reads the last word of pcap's file header: 4 bits of the length of the frame check sequence
    /// in units of 16 bits, a reserved bit, a bit that is set when the length is valid, 10 reserved
    /// bits, and 16 bits of link type.
    pub(super) fn of_pcap(word: u32) -> Self {
        let valid = word & 1 << 26 != 0;
        Link { kind: word & 0xffff, fcs: if valid { (word >> 28) * 2 } else { 0 } }
    }

    /// Refuses what is not Ethernet.
    pub(super) fn check(self) -> Result<(), String> {
        if self.kind == ETHERNET {
            return Ok(());
        }
        let number = self.kind.to_string();
        let name = NAMES.lines().find_map(|line| line.strip_prefix(&number)?.strip_prefix(' '));
        let name = name.map_or(number.clone(), |name| format!("{name} ({number})"));
        Err(format!("its link type is {name}: only Ethernet frames can enter a port"))
    }
}
