//! Where frames go after tracking: out of the peer port, or nowhere.

use dpdk::{Burst, TxQueue};

use crate::start::cli::{ForwardMode, UntrackedMode};

/// What became of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The peer port took them.
    pub tx: u64,
    /// Freed because the peer port did not take them.
    pub tx_dropped: u64,
    /// Freed on purpose.
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

/// A bit for each frame of a burst.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameSet([u64; 4]);

impl FrameSet {
    /// Adds those frames from the `first` on whose bits are set; `first` is a multiple of 32, and above it there are no
    /// more bits than its word has room for.
    #[inline]
    pub fn insert_from(&mut self, first: usize, which: u64) {
        self.0[(first / 64) & 3] |= which << (first % 64);
    }

    /// True when the frame was added.
    #[inline]
    #[must_use]
    pub fn contains(&self, index: usize) -> bool {
        self.0[(index / 64) & 3] >> (index % 64) & 1 == 1
    }
}

impl Rules {
    /// Sends or frees every frame of the burst, which is empty afterwards, and counts what became of them.
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
