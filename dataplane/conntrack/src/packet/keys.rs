//! What the parser found in a burst, frame by frame, for tests: a table shows only the sums.

use alloc::vec::Vec;

use super::families::AnyKey;
use super::frames::Frames;
use super::parser::{Parser, SLICE, Target};
use crate::batch::Batch;
use crate::key::{FlowKey, Key};

impl Parser {
    /// Parses a burst that has entered `input_port` (DPDK port id + 1), where only IPv4 is tracked,
    /// and returns the key and the length in bytes of each frame; `None` for a frame that is counted
    /// by its outcome instead.
    pub fn keys<F: Frames + ?Sized>(&mut self, frames: &F, input_port: u8) -> Vec<Option<(FlowKey, u32)>> {
        let mut found = Vec::with_capacity(frames.len());
        let mut batch = Batch::new();
        for first in (0..frames.len()).step_by(SLICE) {
            batch.clear();
            let with_key = self.parse(frames, first, input_port, Target::Batch(&mut batch), Target::Off);
            let mut had = drained(&batch);
            for i in 0..(frames.len() - first).min(SLICE) {
                found.push(if with_key >> i & 1 == 1 { had.next() } else { None });
            }
            assert_eq!(had.next(), None, "a key of no frame");
        }
        found
    }

    /// Does what [`Parser::keys`] does, where both families are tracked. `is_ipv6` says which family
    /// a frame with a key has, because the parser keeps the keys apart.
    pub fn keys_of_both<F: Frames + ?Sized>(
        &mut self,
        frames: &F,
        input_port: u8,
        is_ipv6: impl Fn(usize) -> bool,
    ) -> Vec<Option<(AnyKey, u32)>> {
        let mut found = Vec::with_capacity(frames.len());
        let (mut ipv4, mut ipv6) = (Batch::new(), Batch::new());
        for first in (0..frames.len()).step_by(SLICE) {
            ipv4.clear();
            ipv6.clear();
            let (v4, v6) = (Target::Batch(&mut ipv4), Target::Batch(&mut ipv6));
            let with_key = self.parse(frames, first, input_port, v4, v6);
            let mut v4 = drained(&ipv4).map(|(key, len)| (AnyKey::Ipv4(key), len));
            let mut v6 = drained(&ipv6).map(|(key, len)| (AnyKey::Ipv6(key), len));
            for i in 0..(frames.len() - first).min(SLICE) {
                let tracked = with_key >> i & 1 == 1;
                found.push(match (tracked, is_ipv6(first + i)) {
                    (false, _) => None,
                    (true, false) => v4.next(),
                    (true, true) => v6.next(),
                });
            }
            assert_eq!((v4.next(), v6.next()), (None, None), "a key of no frame");
        }
        found
    }
}

fn drained<K: Key>(batch: &Batch<K>) -> impl Iterator<Item = (K, u32)> {
    let all = 0..batch.len();
    batch.keys(all.clone()).iter().copied().zip(batch.lens(all).iter().copied())
}
