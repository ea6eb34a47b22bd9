//! Received frames in the form in which the engine reads them.

use conntrack::Frames;
use conntrack::packet::MAX_HEADER;
use dpdk::Burst;

/// A burst as the engine sees it.
pub(crate) struct BurstFrames<'a>(pub(crate) &'a Burst<'a>);

impl Frames for BurstFrames<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn starts(&self, from: usize) -> impl Iterator<Item = (&[u8], u32)> {
        self.0.frames(from)
    }

    /// Returns the headers of a frame, copied into `room` when they lie in more than one segment.
    fn header<'a>(&'a self, index: usize, room: &'a mut [u8; MAX_HEADER]) -> &'a [u8] {
        let start = self.0.frame(index);
        if start.len() >= MAX_HEADER.min(self.0.frame_len(index) as usize) {
            return start;
        }
        let copied = self.0.read(index, 0, room);
        &room[..copied]
    }
}
