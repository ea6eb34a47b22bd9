//! The twins of [`plain_key`] against each other and against the rules.

use proptest::prelude::*;

use super::{PLAIN, plain_key};
use crate::arch::{Features, Instructions, Work};
use crate::key::FlowKey;
use crate::packet::{Protocols, parse};

struct Parse<'a>(&'a [u8; PLAIN], Protocols);

impl Work for Parse<'_> {
    type Result = Option<FlowKey>;

    #[inline(always)]
    fn run(self, instructions: impl Instructions) -> Option<FlowKey> {
        let mut key = FlowKey::default();
        plain_key(instructions, self.0, 0xfe, self.1, &mut key).then_some(key)
    }
}

proptest! {
    /// The start of a plain frame, with other contents where they do not matter, and one bit or
    /// none changed.
    #[test]
    fn parsing_twins_agree(
        mut start: [u8; PLAIN],
        length in prop_oneof![0u16..70, any::<u16>()],
        udp: bool,
        flip in prop_oneof![Just(None), (0..PLAIN * 8).prop_map(Some)],
    ) {
        (start[12], start[13], start[14]) = (8, 0, 0x45);
        [start[16], start[17]] = length.to_be_bytes();
        (start[20], start[21]) = (start[20] & 0xe0, 0);
        start[23] = if udp { 17 } else { 6 };
        if let Some(bit) = flip {
            start[bit / 8] ^= 1 << (bit % 8);
        }
        for protocols in [Protocols::Tcp, Protocols::TcpUdp] {
            let parsed = Features::PORTABLE.run(Parse(&start, protocols));
            for features in Features::all_present() {
                prop_assert_eq!(features.run(Parse(&start, protocols)), parsed, "{}", features);
            }
            let expected = parse(&start, 0xfe, protocols);
            prop_assert!(parsed.is_none_or(|key| expected == Ok(key)));
            prop_assert!(parsed.is_some() || expected.is_err() || length < 32 || flip.is_some());
        }
    }
}
