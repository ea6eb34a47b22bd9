//! Where frames go after tracking: out of the peer port, or nowhere.

use dpdk::{Burst, CAPACITY, TxQueue};

use crate::start::options::{ForwardMode, UntrackedMode};

/// What became of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// Frames that the peer port took.
    pub tx: u64,
    /// Frames freed because the peer port did not take them.
    pub tx_dropped: u64,
    /// Frames freed on purpose.
    pub filtered: u64,
}

/// The rules for all bursts.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What happens to frames after tracking.
    pub forward: ForwardMode,
    /// Fate of frames that are not tracked.
    pub untracked: UntrackedMode,
}

/// Words of a [`FrameSet`]: one bit for each frame that a burst can hold.
const WORDS: usize = CAPACITY / 64;

const _: () = assert!(WORDS * 64 == CAPACITY, "every frame of a burst has a bit");
const _: () = assert!(WORDS.is_power_of_two(), "an index is masked instead of checked");

/// A set of frames of one burst.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameSet([u64; WORDS]);

impl FrameSet {
    /// Adds frames: bit `i` of `which` stands for frame `first + i`. All of them lie in the 64
    /// frames, counted from a multiple of 64, that `first` lies in.
    #[inline]
    pub fn insert_from(&mut self, first: usize, which: u64) {
        debug_assert!(first < CAPACITY && which.leading_zeros() as usize >= first % 64);
        self.0[(first / 64) & (WORDS - 1)] |= which << (first % 64);
    }

    /// Returns `true` when the frame was added.
    #[inline]
    #[must_use]
    pub fn contains(&self, index: usize) -> bool {
        self.0[(index / 64) & (WORDS - 1)] >> (index % 64) & 1 == 1
    }
}

impl Rules {
    /// Sends or frees every frame of the burst, counts what became of them, and leaves the burst
    /// empty.
    #[inline]
    pub fn apply(
        self,
        burst: &mut Burst<'_>,
        tracked: &FrameSet,
        peer: &mut TxQueue<'_>,
        forwarded: &mut Forwarded,
    ) {
        let received = burst.len();
        match (self.forward, self.untracked) {
            (ForwardMode::Drop, _) => burst.retain(|_| false),
            (ForwardMode::Pair, UntrackedMode::Drop) => burst.retain(|index| tracked.contains(index)),
            (ForwardMode::Pair, UntrackedMode::Forward) => {}
        }
        forwarded.filtered += (received - burst.len()) as u64;
        let sent = peer.send(burst);
        forwarded.tx += sent.sent as u64;
        forwarded.tx_dropped += sent.dropped as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_frame_of_a_burst_has_a_bit_of_its_own() {
        for frame in 0..CAPACITY {
            let mut set = FrameSet::default();
            set.insert_from(frame - frame % 32, 1 << (frame % 32));
            let found: Vec<usize> = (0..CAPACITY).filter(|index| set.contains(*index)).collect();
            assert_eq!(found, [frame]);
        }
    }
}
