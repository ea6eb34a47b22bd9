//! From the frames of a burst to keys.

use super::{MAX_HEADER, Protocols, parse};
use crate::arch::{Features, Instructions, Work};
use crate::bits::{below, members};
use crate::key::FlowKey;
use crate::stats::Counters;

/// Frames that are parsed at a time.
pub(crate) const SLICE: usize = 32;

/// Frames of one burst, as the engine sees them.
pub trait Frames {
    /// How many.
    fn len(&self) -> usize;
    /// True when there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The start of each frame from the `from`-th on, as much of it as lies in one piece, and the length of all of it in bytes,
    /// without the frame check sequence.
    fn starts(&self, from: usize) -> impl Iterator<Item = (&[u8], u32)>;
    /// The start of a frame: all of it, or at least [`MAX_HEADER`] bytes, put together in `room` if need be.
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

/// Up to [`SLICE`] frames of a burst, from the `first` on, to be parsed.
pub(crate) struct Slice<'a, F: ?Sized> {
    pub(crate) frames: &'a F,
    pub(crate) first: usize,
    pub(crate) input_port: u8,
    pub(crate) protocols: Protocols,
    /// Where the keys go,
    pub(crate) keys: &'a mut [FlowKey; SLICE],
    /// and the lengths of the frames that have one.
    pub(crate) lens: &'a mut [u32; SLICE],
    /// Where frames without one are counted.
    pub(crate) counters: &'a mut Counters,
}

impl<F: Frames + ?Sized> Slice<'_, F> {
    /// Says which frames have a key: as many bits as there are keys, in the same order.
    pub(crate) fn parse(mut self, features: Features) -> u64 {
        let all = below((self.frames.len() - self.first).min(SLICE));
        let special = features.run(Plain(&mut self));
        if special == 0 { all } else { self.parse_special(all, special) }
    }

    /// Those that are not of the plain kind, or not in one piece. The keys between them move up as some turn out to have none:
    /// as they are for so many frames, a run at a time.
    #[cold]
    fn parse_special(self, all: u64, special: u64) -> u64 {
        let Slice { frames, first, input_port, protocols, keys, lens, counters } = self;
        let mut found = all;
        // Frames up to here have been dealt with; they have so many keys.
        let (mut done, mut count) = (0, 0);
        for i in members(special) {
            keys.copy_within(done..i, count);
            lens.copy_within(done..i, count);
            count += i - done;
            done = i + 1;
            match parse(frames.header(first + i, &mut [0; MAX_HEADER]), input_port, protocols) {
                Ok(key) => {
                    (keys[count], lens[count]) = (key, lens[i]);
                    count += 1;
                }
                Err(outcome) => {
                    counters.count(outcome);
                    found &= !(1 << i);
                }
            }
        }
        let end = all.count_ones() as usize;
        keys.copy_within(done..end, count);
        lens.copy_within(done..end, count);
        found
    }
}

/// Parses the frames of the plain kind, each at its place, and says which are not.
struct Plain<'s, 'a, F: ?Sized>(&'s mut Slice<'a, F>);

impl<F: Frames + ?Sized> Work for Plain<'_, '_, F> {
    type Result = u64;

    #[inline(always)]
    fn run(self, instructions: impl Instructions) -> u64 {
        let Slice { frames, first, input_port, protocols, keys, lens, .. } = self.0;
        let places = keys.iter_mut().zip(lens.iter_mut());
        let mut special = 0;
        // Nothing else is done here, and nothing called, so that all of it stays in registers.
        for (i, ((start, bytes), (key, len))) in frames.starts(*first).zip(places).enumerate() {
            *len = bytes;
            let start = start.first_chunk();
            if !start.is_some_and(|start| instructions.plain_key(start, *input_port, *protocols, key)) {
                special |= 1 << i;
            }
        }
        special
    }
}
