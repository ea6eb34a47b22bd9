//! Captures by the octet, for tests.

/// A pcap file, a record at a time, or a pcapng file, a block at a time.
#[derive(Clone)]
pub(super) struct Build {
    pub(super) big: bool,
    pub(super) octets: Vec<u8>,
}

/// The end of options.
pub(super) const END: &[u8] = &[0; 4];

impl Build {
    fn of(big: bool) -> Self {
        Build { big, octets: Vec::new() }
    }

    pub(super) fn half(&self, half: u16) -> [u8; 2] {
        if self.big { half.to_be_bytes() } else { half.to_le_bytes() }
    }

    pub(super) fn words(&self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|w| if self.big { w.to_be_bytes() } else { w.to_le_bytes() }).collect()
    }

    /// A pcap header with this magic number, version and last word.
    pub(super) fn pcap(big: bool, magic: u32, version: (u16, u16), link: u32) -> Self {
        let mut file = Build::of(big);
        file.octets = file.words(&[magic]);
        file.octets.extend([file.half(version.0), file.half(version.1)].concat());
        file.octets.extend(file.words(&[0, 0, 65_535, link]));
        file
    }

    /// A record of pcap, with any two lengths.
    pub(super) fn record(mut self, lengths: [u32; 2], octets: &[u8]) -> Self {
        self.octets.extend(self.words(&[7, 8, lengths[0], lengths[1]]));
        self.octets.extend_from_slice(octets);
        self
    }

    /// A section of pcapng 1.0 with this body behind the length of the section.
    pub(super) fn section(big: bool, options: &[u8]) -> Self {
        Build::of(big).version((1, 0), options)
    }

    /// Adds a section of this version.
    pub(super) fn version(self, version: (u16, u16), options: &[u8]) -> Self {
        let mut body = self.words(&[0x1a2b_3c4d]);
        body.extend([self.half(version.0), self.half(version.1)].concat());
        body.extend([0xff; 8]);
        body.extend_from_slice(options);
        self.block(0x0a0d_0d0a, &body)
    }

    pub(super) fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).expect("short");
        let mut option = [&self.half(code)[..], &self.half(length), value].concat();
        option.resize(option.len().next_multiple_of(4), 0);
        option
    }

    /// Adds an interface.
    pub(super) fn interface(self, link: u16, options: &[u8]) -> Self {
        self.snapping(link, 65_535, options)
    }

    pub(super) fn snapping(self, link: u16, snap_length: u32, options: &[u8]) -> Self {
        let body = [&self.half(link)[..], &[0; 2], &self.words(&[snap_length]), options].concat();
        self.block(1, &body)
    }

    /// Adds an enhanced packet block of interface 0, at 1 s in microseconds.
    pub(super) fn packet(self, captured: &[u8], length: u32, options: &[u8]) -> Self {
        let count = u32::try_from(captured.len()).expect("short");
        let mut body = self.words(&[0, 0, 1_000_000, count, length]);
        body.extend_from_slice(captured);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend_from_slice(options);
        self.block(6, &body)
    }

    /// Adds any block.
    pub(super) fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let length = u32::try_from(body.len() + 12).expect("short");
        self.octets.extend(self.words(&[kind, length]));
        self.octets.extend_from_slice(body);
        self.octets.extend(self.words(&[length]));
        self
    }
}
