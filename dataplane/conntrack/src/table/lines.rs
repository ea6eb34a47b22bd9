//! Our table: one cache line for three flows.
//!
//! ```text
//! line, 64 bytes   slot 0: key 16 | slot 1: key 16 | slot 2: key 16 | stamp 3 × 4 | passed 2 | used 1 | free 1
//!                  (the 16 bits that a key leaves free hold the entry's mark)
//! ```
//!
//! A key lives in its *home* line, which its hash names, or, when that was full
//! at its insertion, in the line beside it, or in the first line with room along a probe
//! sequence of its own. Each full line that it passed counts it in `passed`, so a lookup goes on
//! only while `passed` is not zero, and a removal takes the counts back: no
//! tombstones, and no entry ever moves. That stability is worth more than the
//! higher load that moving entries would allow: a position names an entry for
//! its whole life (aging blocks, cold data, cursors of dumps need no repair), and
//! an insertion is bounded whatever the keys.
//!
//! The lines are sized for a load of 0.6: in a fresh table an entry stands for 0.15
//! lines beyond its home, in one that is long kept full for 0.46.
//! The probe sequence is keyed with the secret whatever the hash function is, so
//! keys that an attacker made collide at home part ways two lines later, and the table
//! refuses only when it holds as many entries as it may. (The chance that all of
//! the [`MAX_PROBES`] lines of a sequence are full is below 0.6^128, or 1e-28.)
//!
//! The scheme is that of F14 (Facebook's hash table, 2019) with slots wide
//! enough for whole keys, so that one line answers most lookups.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{BULK, Counted, FlowTable, Layout, Packets, Pos, TableFull, Touch};
use crate::arch::{Instructions, Narrow, Work, matching, prefetch, prefetch_near};
use crate::bits::{members, others};
use crate::entry::{Cold, Counts, Mark};
use crate::hash::Hasher;
use crate::key::{FlowKey, HI_KEY_BITS};
use crate::timeout::Tick;

pub(super) const SLOTS: usize = 3;
/// Lines that an insertion or a lookup visits at most.
const MAX_PROBES: u32 = 128;

/// A `passed` that has reached this stays: exactness is lost, so it may never
/// be counted down again. It costs lookups there one more line, nothing else.
const PASSED_STICKY: u16 = u16::MAX;

/// A key of a burst that was not found in the lines that it has been looked for in.
#[derive(Clone, Copy, Default)]
struct Wanderer {
    /// Once it has left the line beside its home.
    spread: u64,
    /// The line that is next.
    at: u32,
    /// Which one of the burst.
    key: u16,
    /// How far from home that is.
    step: u16,
}

/// Three flows.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Line {
    /// A key's words `lo` and `hi`, the upper 16 bits of `hi` being the mark.
    /// All zero when free: no key is zero, because no input port is.
    slots: [[u64; 2]; SLOTS],
    stamps: [Tick; SLOTS],
    /// Entries that found this line full and went on.
    passed: u16,
    /// Occupied slots, a bit each.
    used: u8,
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    pub(super) const EMPTY: Line =
        Line { slots: [[0; 2]; SLOTS], stamps: [Tick(0); SLOTS], passed: 0, used: 0 };

    /// Which slot holds the key. All are compared, so there is no branch to guess.
    #[inline(always)]
    fn find(&self, key: &FlowKey) -> Option<usize> {
        matching(&self.slots, key)
    }

    fn free_slot(&self) -> Option<usize> {
        let slot = (!self.used).trailing_zeros() as usize;
        (slot < SLOTS).then_some(slot)
    }
}

/// How to make a [`LineTable`] (`rte_hash_parameters`).
#[derive(Clone)]
pub struct TableConfig {
    /// Entries it may hold, 1 to 2^30.
    pub entries: u32,
    /// The hash function, with its initial value and its secret.
    pub hasher: Hasher,
}

/// Why a table cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableConfigError {
    /// A number of entries that no table can have (`EINVAL` of `rte_hash_create`).
    Entries(u32),
    /// There is not enough memory (`ENOMEM`).
    Memory {
        /// Bytes asked for.
        bytes: usize,
    },
}

impl fmt::Display for TableConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableConfigError::Entries(n) => {
                write!(f, "a table of {n} entries: 1 to {} are possible", LineTable::MAX_ENTRIES)
            }
            TableConfigError::Memory { bytes } => write!(f, "{bytes} bytes of memory cannot be had"),
        }
    }
}

impl core::error::Error for TableConfigError {}

/// Memory for `count` items, or the error that says how much was missing.
pub(crate) fn filled<T: Clone>(item: T, count: usize) -> Result<Box<[T]>, TableConfigError> {
    let mut items = Vec::new();
    let bytes = count.saturating_mul(size_of::<T>());
    items.try_reserve_exact(count).map_err(|_| TableConfigError::Memory { bytes })?;
    items.resize(count, item);
    Ok(items.into_boxed_slice())
}

/// Maps 32 random bits evenly onto so many lines, without a division.
#[inline(always)]
fn scale(lines: usize, random: u32) -> usize {
    ((u64::from(random) * lines as u64) >> 32) as usize
}

/// The line next to a home line, which is in the same page and so costs no page walk. Lines come in twos.
#[inline(always)]
fn beside(home: usize) -> usize {
    home ^ 1
}

/// The `step`-th line (from 2) of so many after the home line, for a key with this spread.
#[inline]
fn further(lines: usize, spread: u64, step: u32) -> usize {
    // The finalizer of splitmix64 over a counter that starts at the secret spread.
    let mut x = spread.wrapping_add(u64::from(step).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    scale(lines, (x >> 32) as u32)
}

/// The table of the product. Memory is taken at creation and never grows.
pub struct LineTable<L = Counted> {
    memory: L,
    len: u32,
    capacity: u32,
    hasher: Hasher,
    /// Those of a [`FlowTable::touch_burst`]. Kept, because on the stack they would have to be cleared each time.
    wanderers: Box<[Wanderer; BULK]>,
    /// How many of them wait for [`FlowTable::touch_rest`].
    wandering: usize,
    /// Most packets are being refused, because the table is full: there is nothing to count.
    refusing: bool,
}

impl LineTable {
    /// Most entries a table can have.
    pub const MAX_ENTRIES: u32 = 1 << 30;

    /// Takes the memory for a table that counts.
    ///
    /// # Errors
    /// As [`LineTable::laid_out`].
    pub fn new(config: TableConfig) -> Result<Self, TableConfigError> {
        Self::laid_out(config)
    }
}

/// The arguments of [`FlowTable::touch_burst`].
struct AtHome<'a, L, V> {
    table: &'a mut LineTable<L>,
    packets: Packets<'a>,
    from: usize,
    touch: Touch,
    next: &'a [u32],
    vacancy: V,
}

impl<L: Layout, V: FnMut(Pos)> Work for AtHome<'_, L, V> {
    type Result = u64;

    #[inline(always)]
    fn run(self, instructions: impl Instructions) -> u64 {
        let AtHome { table, packets, from, touch, next, vacancy } = self;
        match (touch.counting, table.refusing) {
            (false, _) => {
                table.touch_at_home::<false, false>(instructions, packets, from, touch, next, vacancy)
            }
            (true, false) => {
                table.touch_at_home::<true, false>(instructions, packets, from, touch, next, vacancy)
            }
            (true, true) => {
                table.touch_at_home::<true, true>(instructions, packets, from, touch, next, vacancy)
            }
        }
    }
}

impl<L: Layout> LineTable<L> {
    /// Takes the memory for a table: a line of 64 bytes for every 1.8 entries, and what is beside it.
    ///
    /// # Errors
    /// When the number of entries is 0 or above [`LineTable::MAX_ENTRIES`], or the memory cannot be had.
    pub fn laid_out(config: TableConfig) -> Result<Self, TableConfigError> {
        let TableConfig { entries, hasher } = config;
        if entries == 0 || entries > LineTable::MAX_ENTRIES {
            return Err(TableConfigError::Entries(entries));
        }
        // entries / (3 × 0.6), and a few more so that a tiny table has somewhere to go.
        let lines = ((u64::from(entries) * 5).div_ceil(9) as usize + 7).next_multiple_of(2);
        let wanderers = Box::new([Wanderer::default(); BULK]);
        Ok(LineTable {
            memory: L::take(lines)?,
            len: 0,
            capacity: entries,
            hasher,
            wanderers,
            wandering: 0,
            refusing: false,
        })
    }

    /// The memory that every lookup touches, in bytes.
    #[must_use]
    pub fn hot_bytes(&self) -> usize {
        self.line_count() * size_of::<Line>()
    }

    /// All the memory that it has taken, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    /// How many lines it has: `n` of them divide the 2^32 hashes evenly and in order, so a key with hash `h` is at home in
    /// line `h × n / 2^32`.
    #[must_use]
    pub fn lines(&self) -> u32 {
        self.line_count() as u32
    }

    /// How many lines the entry at a position is away from home: as many as a lookup visits after the home line. `None`
    /// when the position is free.
    #[must_use]
    pub fn beyond_home(&self, pos: Pos) -> Option<u32> {
        let key = self.key_at(pos)?;
        let (at, _) = Self::at(pos);
        let home = self.home(self.hasher.hash(&key));
        if at == home {
            return Some(0);
        }
        self.after_home(home, &key).position(|line| line == at).map(|between| between as u32 + 1)
    }

    #[inline(always)]
    fn line_count(&self) -> usize {
        self.memory.units().len()
    }

    #[inline(always)]
    fn line(&self, at: usize) -> &Line {
        L::line(&self.memory.units()[at])
    }

    #[inline(always)]
    fn line_mut(&mut self, at: usize) -> &mut Line {
        L::parts(&mut self.memory.units_mut()[at]).0
    }

    #[inline(always)]
    fn home(&self, hash: u32) -> usize {
        scale(self.line_count(), hash)
    }

    /// The lines after its home line in which a key is looked for, or put, in this order: with that one [`MAX_PROBES`].
    #[inline]
    fn after_home<'a>(&'a self, home: usize, key: &'a FlowKey) -> impl Iterator<Item = usize> + 'a {
        let lines = self.line_count();
        let spread = core::cell::OnceCell::new();
        core::iter::once(beside(home)).chain(
            (2..MAX_PROBES)
                .map(move |step| further(lines, *spread.get_or_init(|| self.hasher.spread(key)), step)),
        )
    }

    #[inline]
    fn pos(line: usize, slot: usize) -> Pos {
        Pos((line * SLOTS + slot) as u32)
    }

    #[inline]
    fn at(pos: Pos) -> (usize, usize) {
        (pos.0 as usize / SLOTS, pos.0 as usize % SLOTS)
    }

    /// Asks the cache for a line in which a key may be, and for its counters, if there will be something to count.
    #[inline(always)]
    fn ask_for(unit: &L::Unit, counting: bool, refusing: bool) {
        if counting && refusing {
            // Why not for the second level: see there.
            prefetch_near(L::line(unit));
            return;
        }
        prefetch(L::line(unit));
        if let (true, Some(counts)) = (counting, L::counts(unit)) {
            prefetch(counts);
        }
    }

    /// Asks for what is next of a key that is not in its home line: the line beside it, if it may be there, and what an entry
    /// needs that is put here, if it may be new.
    #[inline]
    fn not_at_home(
        &mut self,
        home: usize,
        key: u16,
        counting: bool,
        mostly_new: bool,
        vacancy: &mut impl FnMut(Pos),
    ) {
        let unit = &self.memory.units()[home];
        let line = L::line(unit);
        // Known flows that are not at home, one in ten at capacity, would have it fetched for nothing, which is two page walks.
        // And so would all in a full table.
        if (line.passed == 0 || mostly_new) && self.len != self.capacity {
            if let Some(counts) = L::counts(unit) {
                prefetch(counts);
            }
            // When all are taken, it goes to the line beside this, whose cold data are beside this one's.
            let pos = Self::pos(home, line.free_slot().unwrap_or(0));
            prefetch(self.cold(pos));
            vacancy(pos);
        }
        if line.passed != 0 {
            let next = beside(home);
            Self::ask_for(&self.memory.units()[next], counting, self.refusing);
            self.wanderers[self.wandering] = Wanderer { spread: 0, at: next as u32, key, step: 1 };
            self.wandering += 1;
        }
    }

    /// [`FlowTable::touch_burst`], with these instructions, and compiled for whether it counts and refuses: asking that for each
    /// packet took 0.6 of the 1.0 ns that counting at once saves with 1000 flows.
    #[inline(always)]
    fn touch_at_home<const COUNTS: bool, const REFUSING: bool>(
        &mut self,
        instructions: impl Instructions,
        packets: Packets<'_>,
        from: usize,
        touch: Touch,
        next: &[u32],
        mut vacancy: impl FnMut(Pos),
    ) -> u64 {
        let count = packets.keys.len();
        assert!(count <= BULK);
        let Packets { keys, hashes, lens } =
            Packets::first(count, packets.keys, packets.hashes, packets.lens);
        let units = self.memory.units_mut();
        let mut touched = 0u64;
        let mut next = next.iter();
        for i in from..count {
            // One at a time: what is asked for in a row holds the CPU up as soon as it has no room for more on their way.
            if let Some(&hash) = next.next() {
                Self::ask_for(&units[scale(units.len(), hash)], COUNTS, REFUSING);
            }
            let (line, counts) = L::parts(&mut units[scale(units.len(), hashes[i])]);
            if let Some(slot) = instructions.settled(&line.slots, &keys[i]) {
                // Of three; the compiler does not see that.
                let slot = slot.min(SLOTS - 1);
                line.stamps[slot] = touch.stamp;
                if let (true, Some(counts)) = (COUNTS, counts) {
                    counts[slot].count(lens[i]);
                }
                touched |= 1 << i;
            }
        }
        // In a loop of their own: a call in the one above costs the hits a tenth, because nothing stays in registers over it.
        let missing = others(touched, from..count);
        let mostly_new = 2 * missing.count_ones() as usize > count - from;
        for i in members(missing) {
            self.not_at_home(self.home(hashes[i]), i as u16, COUNTS, mostly_new, &mut vacancy);
        }
        self.prefetch_burst(next.as_slice(), COUNTS);
        self.refusing = self.len == self.capacity && mostly_new;
        touched
    }

    /// Follows those that were not at home along their probe sequences, all together a step at a time, so that the lines of
    /// some are on their way while others are compared.
    #[inline(never)]
    fn follow(&mut self, packets: Packets<'_>, steps: u32, touch: Touch) -> u64 {
        let Packets { keys, lens, .. } = packets;
        let mut touched = 0;
        let mut steps = steps;
        while self.wandering != 0 && steps != 0 {
            steps -= 1;
            let mut left = 0;
            for w in 0..self.wandering {
                let Wanderer { spread, at, key, step } = self.wanderers[w];
                let index = usize::from(key);
                let (line, counts) = L::parts(&mut self.memory.units_mut()[at as usize]);
                if let Some(slot) = Narrow.settled(&line.slots, &keys[index]) {
                    let slot = slot.min(SLOTS - 1);
                    line.stamps[slot] = touch.stamp;
                    if let (true, Some(counts)) = (touch.counting, counts) {
                        counts[slot].count(lens[index]);
                    }
                    touched |= 1 << index;
                } else if line.passed != 0 && u32::from(step) + 1 < MAX_PROBES {
                    let step = step + 1;
                    let spread = if step == 2 { self.hasher.spread(&keys[index]) } else { spread };
                    let next = further(self.line_count(), spread, step.into());
                    Self::ask_for(&self.memory.units()[next], touch.counting, self.refusing);
                    self.wanderers[left] = Wanderer { spread, at: next as u32, key, step };
                    left += 1;
                }
            }
            self.wandering = left;
        }
        touched
    }

    /// Changes how many have passed the lines between a key's home and the line that it is in.
    fn pass(&mut self, home: usize, key: &FlowKey, upto: usize, change: impl Fn(u16) -> u16) {
        let mut spread = 0;
        let mut at = home;
        for step in 1..MAX_PROBES {
            let passed = &mut self.line_mut(at).passed;
            *passed = change(*passed);
            if step == 2 {
                spread = self.hasher.spread(key);
            }
            at = if step == 1 { beside(home) } else { further(self.line_count(), spread, step) };
            if at == upto {
                return;
            }
        }
    }

    /// Looks along the probe sequence, the home line having been passed.
    #[cold]
    fn lookup_further(&self, key: &FlowKey, home: usize) -> Option<Pos> {
        for at in self.after_home(home, key) {
            let line = self.line(at);
            if let Some(slot) = line.find(key) {
                return Some(Self::pos(at, slot));
            }
            if line.passed == 0 {
                return None;
            }
        }
        None
    }
}

impl<L: Layout> FlowTable for LineTable<L> {
    fn capacity(&self) -> u32 {
        self.capacity
    }

    fn positions(&self) -> u32 {
        (self.line_count() * SLOTS) as u32
    }

    fn len(&self) -> u32 {
        self.len
    }

    fn hash(&self, key: &FlowKey) -> u32 {
        self.hasher.hash(key)
    }

    #[inline]
    fn hash_burst(&self, keys: &[FlowKey], out: &mut [u32]) {
        self.hasher.hash_burst(keys, out);
    }

    #[inline]
    fn prefetch_burst(&self, hashes: &[u32], counting: bool) {
        for &hash in hashes {
            Self::ask_for(&self.memory.units()[self.home(hash)], counting, self.refusing);
        }
    }

    #[inline]
    fn lookup_with_hash(&self, key: &FlowKey, hash: u32) -> Option<Pos> {
        let home = self.home(hash);
        let line = self.line(home);
        match line.find(key) {
            Some(slot) => Some(Self::pos(home, slot)),
            None if line.passed == 0 => None,
            None => self.lookup_further(key, home),
        }
    }

    #[inline(never)]
    fn touch_burst(
        &mut self,
        packets: Packets<'_>,
        from: usize,
        touch: Touch,
        next: &[u32],
        vacancy: impl FnMut(Pos),
    ) -> u64 {
        let features = self.hasher.features();
        features.run(AtHome { table: self, packets, from, touch, next, vacancy })
    }

    #[inline]
    fn touch_rest(&mut self, packets: Packets<'_>, steps: u32, touch: Touch) -> u64 {
        if self.wandering == 0 { 0 } else { self.follow(packets, steps, touch) }
    }

    fn add_with_hash(&mut self, key: &FlowKey, hash: u32) -> Result<Pos, TableFull> {
        if let Some(pos) = self.lookup_with_hash(key, hash) {
            return Ok(pos);
        }
        if self.len == self.capacity {
            return Err(TableFull);
        }
        let home = self.home(hash);
        let mut at = home;
        let mut slot = self.line(home).free_slot();
        if slot.is_none() {
            let mut after = self.after_home(home, key);
            while slot.is_none() {
                at = after.next().ok_or(TableFull)?;
                slot = self.line(at).free_slot();
            }
            drop(after);
            // There is room: only now count the entry in the lines that it passed.
            self.pass(home, key, at, |passed| passed.saturating_add(1));
        }
        let slot = slot.unwrap_or_default();
        let line = self.line_mut(at);
        line.slots[slot] = [key.lo, key.hi];
        line.used |= 1 << slot;
        self.len += 1;
        Ok(Self::pos(at, slot))
    }

    fn remove_at(&mut self, pos: Pos) {
        let (at, slot) = Self::at(pos);
        let Some(key) = self.key_at(pos) else { return };
        let home = self.home(self.hasher.hash(&key));
        if home != at {
            self.pass(home, &key, at, |passed| if passed == PASSED_STICKY { passed } else { passed - 1 });
        }
        let line = self.line_mut(at);
        line.slots[slot] = [0; 2];
        line.used &= !(1 << slot);
        self.len -= 1;
    }

    #[inline]
    fn key_at(&self, pos: Pos) -> Option<FlowKey> {
        let (at, slot) = Self::at(pos);
        if at >= self.line_count() {
            return None;
        }
        let [lo, hi] = self.line(at).slots[slot];
        (hi != 0).then_some(FlowKey { lo, hi: hi & HI_KEY_BITS })
    }

    #[inline]
    fn stamp(&self, pos: Pos) -> Tick {
        let (at, slot) = Self::at(pos);
        self.line(at).stamps[slot]
    }

    #[inline]
    fn set_stamp(&mut self, pos: Pos, stamp: Tick) {
        let (at, slot) = Self::at(pos);
        self.line_mut(at).stamps[slot] = stamp;
    }

    #[inline]
    fn mark(&self, pos: Pos) -> Mark {
        let (at, slot) = Self::at(pos);
        Mark((self.line(at).slots[slot][1] >> 48) as u16)
    }

    #[inline]
    fn set_mark(&mut self, pos: Pos, mark: Mark) {
        let (at, slot) = Self::at(pos);
        let hi = &mut self.line_mut(at).slots[slot][1];
        *hi = *hi & HI_KEY_BITS | u64::from(mark.0) << 48;
    }

    #[inline]
    fn prefetch_at(&self, pos: Pos) {
        let (at, _) = Self::at(pos);
        if at < self.line_count() {
            prefetch_near(self.line(at));
        }
    }

    #[inline]
    fn cold(&self, pos: Pos) -> &Cold {
        &self.memory.cold()[pos.0 as usize]
    }

    #[inline]
    fn cold_mut(&mut self, pos: Pos) -> &mut Cold {
        &mut self.memory.cold_mut()[pos.0 as usize]
    }

    #[inline]
    fn counts(&self, pos: Pos) -> Counts {
        let (at, slot) = Self::at(pos);
        L::counts(&self.memory.units()[at]).map_or(Counts::ZERO, |counts| counts[slot])
    }

    #[inline]
    fn counts_mut(&mut self, pos: Pos) -> Option<&mut Counts> {
        let (at, slot) = Self::at(pos);
        let (_, counts) = L::parts(&mut self.memory.units_mut()[at]);
        counts.map(|counts| &mut counts[slot])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Features;
    use crate::hash::HashKind;
    use crate::key::TCP;
    use core::net::Ipv4Addr;
    use std::vec::Vec;

    fn lines(table: &LineTable) -> impl Iterator<Item = &Line> {
        (0..table.line_count()).map(|at| table.line(at))
    }

    /// What an entry counted in the lines that it passed is taken back when it
    /// goes, so that lookups do not get longer with the table's age: a full table
    /// whose entries come and go is after 80 generations what it was after a few.
    #[test]
    fn removals_take_their_counts_back() {
        const ENTRIES: u32 = 600;
        for kind in [HashKind::Keyed, HashKind::Crc, HashKind::Jhash] {
            let hasher = Hasher::new(kind, [1; 32], Features::detect());
            let mut table = LineTable::new(TableConfig { entries: ENTRIES, hasher }).expect("a valid size");
            let mut present: Vec<FlowKey> = Vec::new();
            let mut passed = [0u64; 5];
            for turn in 0..50_000u32 {
                let key = FlowKey::new(1, Ipv4Addr::from(turn), Ipv4Addr::new(10, 0, 0, 2), TCP, 1, 2);
                if present.len() == ENTRIES as usize {
                    // Now one of the old ones, now one of the young ones.
                    let gone = present.swap_remove(turn.wrapping_mul(0x9e37_79b9) as usize % present.len());
                    assert!(table.delete(&gone).is_some());
                }
                table.add(&key).expect("there is room");
                present.push(key);
                passed[turn as usize / 10_000] +=
                    lines(&table).map(|line| u64::from(line.passed)).sum::<u64>();
            }
            assert!(0 < passed[1] && passed[4] < passed[1] * 5 / 4, "{kind:?}: {passed:?}");
            for key in present {
                assert!(table.delete(&key).is_some());
            }
            assert!(lines(&table).all(|line| line.passed == 0 && line.used == 0));
        }
    }

    /// The figures that the documentation gives: hot bytes per entry, and how
    /// many further lines an entry at full capacity stands for, when the table
    /// is fresh and when it has long been kept full by flows that come and go.
    #[test]
    fn the_documented_figures_hold() {
        const ENTRIES: u32 = 50_000;
        let hasher = Hasher::new(HashKind::Keyed, [1; 32], Features::detect());
        let mut table = LineTable::new(TableConfig { entries: ENTRIES, hasher }).expect("a valid size");
        assert!(table.hot_bytes() as f64 / f64::from(ENTRIES) < 36.0);
        let key = |n: u32| FlowKey::new(1, Ipv4Addr::from(n), Ipv4Addr::new(10, 0, 0, 2), TCP, 1, 2);
        let further = |table: &LineTable| {
            lines(table).map(|line| f64::from(line.passed)).sum::<f64>() / f64::from(ENTRIES)
        };
        for n in 0..ENTRIES {
            table.add(&key(n)).expect("there is room");
        }
        let fresh = further(&table);
        // First in, first out: ten times the table's content.
        for n in ENTRIES..ENTRIES * 11 {
            assert!(table.delete(&key(n - ENTRIES)).is_some());
            table.add(&key(n)).expect("there is room");
        }
        let worn = further(&table);
        // What the entries say of themselves adds up to what the lines have counted.
        let away: u32 = (0..table.positions()).filter_map(|pos| table.beyond_home(Pos(pos))).sum();
        assert_eq!(f64::from(away) / f64::from(ENTRIES), worn);
        assert!((0.13..0.16).contains(&fresh) && (0.42..0.50).contains(&worn), "{fresh} fresh, {worn} worn");
    }
}
