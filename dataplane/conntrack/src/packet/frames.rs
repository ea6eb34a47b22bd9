//! The frames of a burst, as the engine sees them.

use super::MAX_HEADER;

/// The frames of one burst.
pub trait Frames {
    /// Returns the number of frames.
    fn len(&self) -> usize;

    /// Returns true when there are no frames.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Iterates over the frames from the `from`-th on. Yields the start of a frame, as much of it
    /// as lies in one piece, and the length of the whole frame in bytes without the frame check
    /// sequence.
    fn starts(&self, from: usize) -> impl Iterator<Item = (&[u8], u32)>;

    /// Returns the start of a frame: the whole frame, or at least [`MAX_HEADER`] bytes of it. A
    /// frame that lies in several pieces is copied into `room`.
    fn header<'a>(&'a self, index: usize, room: &'a mut [u8; MAX_HEADER]) -> &'a [u8] {
        let _ = room;
        self.starts(index).next().map_or(&[], |(start, _)| start)
    }
}

impl<B: AsRef<[u8]>> Frames for [B] {
    fn len(&self) -> usize {
        <[B]>::len(self)
    }

    fn starts(&self, from: usize) -> impl Iterator<Item = (&[u8], u32)> {
        self[from..].iter().map(|frame| (frame.as_ref(), frame.as_ref().len() as u32))
    }
}
