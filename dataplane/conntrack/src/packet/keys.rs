//! What the parser found in a burst, frame by frame, for tests: a table shows only the sums.

use alloc::vec::Vec;

use super::frames::Frames;
use super::parser::{Parser, SLICE};
use crate::batch::Batch;
use crate::key::FlowKey;

impl Parser {
    /// Parses a burst that has entered `input_port` (DPDK port id + 1), and returns the key and the
    /// length in bytes of each frame; `None` for a frame that is counted by its outcome instead.
    pub fn keys<F: Frames + ?Sized>(&mut self, frames: &F, input_port: u8) -> Vec<Option<(FlowKey, u32)>> {
        let mut found = Vec::with_capacity(frames.len());
        let mut batch = Batch::new();
        for first in (0..frames.len()).step_by(SLICE) {
            batch.clear();
            let with_key = self.parse(frames, first, input_port, &mut batch);
            let all = 0..batch.len();
            let mut had = batch.keys(all.clone()).iter().copied().zip(batch.lens(all).iter().copied());
            for i in 0..(frames.len() - first).min(SLICE) {
                found.push(if with_key >> i & 1 == 1 { had.next() } else { None });
            }
            assert_eq!(had.next(), None, "a key of no frame");
        }
        found
    }
}
