//! The parser of bursts: appends the keys of frames to a batch and counts the frames without one.

use super::frames::Frames;
use super::outcome::{Outcome, Outcomes};
use super::plain::plain_key;
use super::protocols::Protocols;
use super::rules::{MAX_HEADER, parse};
use crate::arch::{Features, Instructions, Work};
use crate::batch::Batch;
use crate::bits::{below, members};
use crate::key::FlowKey;

/// Maximum number of frames that are parsed at a time.
pub(crate) const SLICE: usize = 32;

// A set of the frames of a slice has 64 bits, and a batch has room for a slice.
const _: () = assert!(SLICE <= Batch::CAPACITY);

/// Reads the keys of frames. It keeps nothing of a frame.
#[derive(Clone, Debug)]
pub struct Parser {
    protocols: Protocols,
    instructions: Features,
    /// Frames that have no key, by the reason.
    outcomes: Outcomes,
}

impl Default for Parser {
    /// A parser of TCP that uses all instructions that this CPU has.
    fn default() -> Self {
        Parser::new(Protocols::Tcp, Features::detect())
    }
}

impl Parser {
    /// Returns a parser that finds keys in frames of these protocols, with these instructions.
    #[must_use]
    pub fn new(protocols: Protocols, instructions: Features) -> Self {
        Parser { protocols, instructions, outcomes: Outcomes::default() }
    }

    /// Returns the numbers of frames that were not handed to a table, by their outcomes.
    #[must_use]
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }

    /// Counts frames that end here.
    #[inline]
    pub(crate) fn count(&mut self, outcome: Outcome, frames: usize) {
        self.outcomes[outcome as usize] += frames as u64;
    }

    /// Parses up to [`SLICE`] frames of a burst, from the `first` on, and appends the keys to the
    /// batch, which must have room for [`SLICE`] of them.
    ///
    /// Bit i of the result says whether frame `first + i` has a key. The keys have the order of the
    /// frames. Frames without a key are counted by their outcome.
    #[inline]
    pub(crate) fn parse<F: Frames + ?Sized>(
        &mut self,
        frames: &F,
        first: usize,
        input_port: u8,
        batch: &mut Batch,
    ) -> u64 {
        let (keys, lens) = batch.room();
        let slice = Slice { frames, first, input_port, protocols: self.protocols, keys, lens };
        let with_key = slice.parse(self.instructions, &mut self.outcomes);
        batch.append(with_key.count_ones() as usize);
        with_key
    }
}

/// Up to [`SLICE`] frames of a burst, from the `first` on, and the places of their keys.
struct Slice<'a, F: ?Sized> {
    frames: &'a F,
    first: usize,
    input_port: u8,
    protocols: Protocols,
    keys: &'a mut [FlowKey; SLICE],
    lens: &'a mut [u32; SLICE],
}

impl<F: Frames + ?Sized> Slice<'_, F> {
    /// Fills the first places with the keys and lengths of the frames that have a key. Returns the
    /// set of these frames.
    fn parse(mut self, instructions: Features, outcomes: &mut Outcomes) -> u64 {
        let all = below((self.frames.len() - self.first).min(SLICE));
        let special = instructions.run(Plain(&mut self));
        if special == 0 { all } else { self.parse_special(all, special, outcomes) }
    }

    /// Parses the frames that are not plain. Every plain frame has its key at the frame's own
    /// place; as frames without a key leave gaps, the keys behind a gap move up, a run at a time.
    #[cold]
    fn parse_special(self, all: u64, special: u64, outcomes: &mut Outcomes) -> u64 {
        let Slice { frames, first, input_port, protocols, keys, lens } = self;
        let mut with_key = all;
        // The frames before `done` have been dealt with; they have `count` keys.
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
                    outcomes[outcome as usize] += 1;
                    with_key &= !(1 << i);
                }
            }
        }
        let end = all.count_ones() as usize;
        keys.copy_within(done..end, count);
        lens.copy_within(done..end, count);
        with_key
    }
}

/// Parses the plain frames of a slice, each to its own place. The result is the set of the frames
/// that are not plain.
struct Plain<'s, 'a, F: ?Sized>(&'s mut Slice<'a, F>);

impl<F: Frames + ?Sized> Work for Plain<'_, '_, F> {
    type Result = u64;

    #[inline(always)]
    fn run(self, instructions: impl Instructions) -> u64 {
        let Slice { frames, first, input_port, protocols, keys, lens } = self.0;
        let places = keys.iter_mut().zip(lens.iter_mut());
        let mut special = 0;
        // This loop does nothing else and calls nothing, so that all of it stays in registers.
        for (i, ((start, bytes), (key, len))) in frames.starts(*first).zip(places).enumerate() {
            *len = bytes;
            let plain = start
                .first_chunk()
                .is_some_and(|start| plain_key(instructions, start, *input_port, *protocols, key));
            if !plain {
                special |= 1 << i;
            }
        }
        special
    }
}
