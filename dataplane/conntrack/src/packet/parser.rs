//! The parser of bursts: appends the keys of frames to the batch of their table and counts the
//! frames without one.

use super::families::{AnyKey, Families, Handling};
use super::frames::Frames;
use super::outcome::{Outcome, Outcomes};
use super::plain::{plain_key, plain_key_v6};
use super::protocols::Protocols;
use super::rules::{MAX_HEADER, parse_any};
use crate::arch::{Features, Instructions, Work};
use crate::batch::{Batch, CAPACITY};
use crate::bits::{below, members};
use crate::key::{FlowKey, FlowKeyV6, Key};

/// Maximum number of frames that are parsed at a time.
pub(crate) const SLICE: usize = 32;

// A set of the frames of a slice has 64 bits, and a batch has room for a slice.
const _: () = assert!(SLICE <= CAPACITY);

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

/// Where the keys of a family's frames go.
pub(crate) enum Target<'a, K> {
    /// They are appended to this batch, which must have room for [`SLICE`] of them.
    Batch(&'a mut Batch<K>),
    /// The program of the family's table is detached.
    Detached,
    /// The family is off.
    Off,
}

impl<'a, K: Key> Target<'a, K> {
    /// Returns the target of a family without a batch: detached if the family is tracked, else off.
    pub(crate) fn without(tracked: bool) -> Self {
        if tracked { Target::Detached } else { Target::Off }
    }

    fn handling(&self) -> Handling {
        match self {
            Target::Batch(_) => Handling::Tracked,
            Target::Detached => Handling::Detached,
            Target::Off => Handling::Off,
        }
    }

    fn batch(self) -> Option<&'a mut Batch<K>> {
        if let Target::Batch(batch) = self { Some(batch) } else { None }
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

    /// Counts the frames of a burst that is received while all programs are detached. No rule tells
    /// tracked frames from others then, so all of them count as tracked.
    pub(crate) fn pass<F: Frames + ?Sized>(&mut self, frames: &F, mut tracked: impl FnMut(usize, u64)) {
        self.outcomes[Outcome::Detached as usize] += frames.len() as u64;
        for first in (0..frames.len()).step_by(SLICE) {
            tracked(first, below((frames.len() - first).min(SLICE)));
        }
    }

    /// Parses up to [`SLICE`] frames of a burst, from the `first` on, and appends their keys to the
    /// targets.
    ///
    /// Bit i of the result says whether frame `first + i` is tracked: it has a key, or the program of
    /// its table is detached. The keys of a table have the order of the frames. Frames without a key
    /// are counted by their outcome.
    #[inline]
    pub(crate) fn parse<F: Frames + ?Sized>(
        &mut self,
        frames: &F,
        first: usize,
        input_port: u8,
        ipv4: Target<'_, FlowKey>,
        ipv6: Target<'_, FlowKeyV6>,
    ) -> u64 {
        let slice = Slice { frames, first, input_port, protocols: self.protocols };
        let count = (frames.len() - first).min(SLICE);
        let all = below(count);
        let Target::Batch(batch) = ipv4 else {
            return slice.parse_special(self.instructions, all, all, ipv4, ipv6, &mut self.outcomes);
        };
        let special = self.instructions.run(Plain { slice: &slice, places: Places::of(batch) });
        if special == 0 {
            batch.append(count);
            return all;
        }
        let ipv4 = Target::Batch(batch);
        slice.parse_special(self.instructions, all, special, ipv4, ipv6, &mut self.outcomes)
    }
}

/// Up to [`SLICE`] frames of a burst, from the `first` on.
struct Slice<'a, F: ?Sized> {
    frames: &'a F,
    first: usize,
    input_port: u8,
    protocols: Protocols,
}

/// The places of the keys and lengths of a slice in a batch.
struct Places<'a, K> {
    keys: &'a mut [K; SLICE],
    lens: &'a mut [u32; SLICE],
}

impl<'a, K: Key> Places<'a, K> {
    #[inline(always)]
    fn of(batch: &'a mut Batch<K>) -> Self {
        let (keys, lens) = batch.room();
        Places { keys, lens }
    }

    /// Moves the keys of these frames, a bit each, up to the first places, and returns their number.
    #[inline(always)]
    fn close_gaps(&mut self, frames: u64) -> usize {
        let mut count = frames.trailing_ones() as usize;
        for i in members(frames & !below(count)) {
            (self.keys[count], self.lens[count]) = (self.keys[i], self.lens[i]);
            count += 1;
        }
        count
    }
}

/// Parses the plain IPv4 frames of a slice, each to its own place. The result is the set of the
/// other frames.
struct Plain<'s, 'a, F: ?Sized> {
    slice: &'s Slice<'a, F>,
    places: Places<'s, FlowKey>,
}

impl<F: Frames + ?Sized> Work for Plain<'_, '_, F> {
    type Result = u64;

    #[inline(always)]
    fn run(self, instructions: impl Instructions) -> u64 {
        let Slice { frames, first, input_port, protocols } = *self.slice;
        let places = self.places.keys.iter_mut().zip(self.places.lens.iter_mut());
        let mut special = 0;
        // This loop does nothing else and calls nothing, so that all of it stays in registers.
        for (i, ((start, bytes), (key, len))) in frames.starts(first).zip(places).enumerate() {
            *len = bytes;
            let plain = start
                .first_chunk()
                .is_some_and(|start| plain_key(instructions, start, input_port, protocols, key));
            if !plain {
                special |= 1 << i;
            }
        }
        special
    }
}

impl<F: Frames + ?Sized> Slice<'_, F> {
    /// Parses the frames that are not plain IPv4 frames, and appends the keys of all.
    #[inline(never)]
    fn parse_special(
        &self,
        instructions: Features,
        all: u64,
        special: u64,
        ipv4: Target<'_, FlowKey>,
        ipv6: Target<'_, FlowKeyV6>,
        outcomes: &mut Outcomes,
    ) -> u64 {
        let families = Families { ipv4: ipv4.handling(), ipv6: ipv6.handling() };
        let (mut ipv4, mut ipv6) = (ipv4.batch(), ipv6.batch());
        let work = Special {
            slice: self,
            all,
            special,
            ipv4: ipv4.as_mut().map(|batch| Places::of(batch)),
            ipv6: ipv6.as_mut().map(|batch| Places::of(batch)),
            families,
            outcomes,
        };
        let sorted = instructions.run(work);
        ipv4.into_iter().for_each(|batch| batch.append(sorted.ipv4));
        ipv6.into_iter().for_each(|batch| batch.append(sorted.ipv6));
        sorted.tracked
    }
}

/// Parses the frames of a slice that are not plain IPv4 frames.
struct Special<'s, 'a, F: ?Sized> {
    slice: &'s Slice<'a, F>,
    all: u64,
    special: u64,
    ipv4: Option<Places<'s, FlowKey>>,
    ipv6: Option<Places<'s, FlowKeyV6>>,
    families: Families,
    outcomes: &'s mut Outcomes,
}

/// The frames of a slice.
struct Sorted {
    /// The frames that are tracked, a bit each.
    tracked: u64,
    /// Number of IPv4 frames with a key.
    ipv4: usize,
    /// Number of IPv6 frames with a key.
    ipv6: usize,
}

impl<F: Frames + ?Sized> Work for Special<'_, '_, F> {
    type Result = Sorted;

    /// Every IPv4 frame has its key at the frame's own place, until the gaps that the other frames
    /// leave are closed. IPv6 keys go to the next place.
    #[inline(always)]
    fn run(mut self, instructions: impl Instructions) -> Sorted {
        let Slice { frames, first, input_port, protocols } = *self.slice;
        let mut room = [0; MAX_HEADER];
        let mut sorted = Sorted { tracked: self.all, ipv4: 0, ipv6: 0 };
        let mut with_ipv4_key = self.all;
        for i in members(self.special) {
            let Some((start, len)) = frames.starts(first + i).next() else { break };
            if let Some(places) = &mut self.ipv6 {
                let (key, its_len) = (&mut places.keys[sorted.ipv6], &mut places.lens[sorted.ipv6]);
                if start
                    .first_chunk()
                    .is_some_and(|start| plain_key_v6(instructions, start, input_port, protocols, key))
                {
                    *its_len = len;
                    sorted.ipv6 += 1;
                    with_ipv4_key &= !(1 << i);
                    continue;
                }
            }
            let header = frames.header(first + i, &mut room);
            match parse_any(header, input_port, protocols, self.families) {
                Ok(AnyKey::Ipv4(key)) => {
                    put(&mut self.ipv4, i, key, len);
                    continue;
                }
                Ok(AnyKey::Ipv6(key)) => {
                    put(&mut self.ipv6, sorted.ipv6, key, len);
                    sorted.ipv6 += 1;
                }
                Err(outcome) => {
                    self.outcomes[outcome as usize] += 1;
                    if outcome != Outcome::Detached {
                        sorted.tracked &= !(1 << i);
                    }
                }
            }
            with_ipv4_key &= !(1 << i);
        }
        if let Some(places) = &mut self.ipv4 {
            sorted.ipv4 = places.close_gaps(with_ipv4_key);
        }
        sorted
    }
}

/// Puts a key into a place of its family, which is tracked.
fn put<K: Key>(places: &mut Option<Places<'_, K>>, at: usize, key: K, len: u32) {
    if let Some(places) = places {
        (places.keys[at], places.lens[at]) = (key, len);
    }
}
