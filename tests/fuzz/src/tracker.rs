//! The tracker next to the naive model of the engine's own tests.
//!
//! Input: the settings, then steps, each a byte that chooses it and what it needs. The steps are
//! those that the property tests generate (`dataplane/conntrack/tests/laws/model/ops.rs`), so this
//! file only says which bytes stand for which.

use conntrack::arch::Features;
use conntrack::table::{Counted, Layout, TableConfig, Uncounted};
use conntrack::tracker::Budget;
use conntrack::{HashKind, Hasher, LineTable};

use crate::input::Input;
use crate::laws::model::ops::{Change, FLOWS, Moment, Mood, Op, Setup, Which, Wish};
use crate::laws::model::{check, check_punctual};

/// Nanoseconds per millisecond.
const MS: u64 = 1_000_000;
/// Steps of a trial, at most.
const STEPS: usize = 300;
/// Agings that a profile may have, in milliseconds: 1 to 59, and two that outlast a trial.
const AGINGS: u64 = 61;
/// Numbers of flows, and of frames that are not tracked (`Trial::frame`).
const FRAMES: usize = FLOWS + 8;
/// Table permissions: all bits, or all but some.
const OF_TABLE: [u16; 7] = [0x3dfc, 0x3fff, 0x1dfc, 0x3dbc, 0x39fc, 0x35fc, 0x0000];
/// Permissions that a writer asks for; the last ones are faulty for most tables.
const OF_ENTRY: [u32; 11] =
    [0x1dbc, 0x0dbc, 0x15bc, 0x19bc, 0x1cbc, 0, 0x1fbf, 0x3dbc, 0x1dfc, 0x4000, u32::MAX];

/// Runs a trial: the engine and the model take the same steps, and the whole state is compared
/// after each.
///
/// # Panics
/// When they differ.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let setup = setup(&mut input);
    let entries = 1 + input.below(48) as u32;
    let kind = input.choose(&[HashKind::Keyed, HashKind::Crc, HashKind::Jhash]);
    let punctual = input.below(4) == 3;
    // The data plane makes the same choice of a layout.
    match (setup.accounting, punctual) {
        (true, false) => check(table::<Counted>(entries, kind), &setup, &steps(input)),
        (false, false) => check(table::<Uncounted>(entries, kind), &setup, &steps(input)),
        (true, true) => check_punctual(table::<Counted>(entries, kind), &setup, &moments(input)),
        (false, true) => check_punctual(table::<Uncounted>(entries, kind), &setup, &moments(input)),
    }
}

fn table<L: Layout>(entries: u32, kind: HashKind) -> LineTable<L> {
    let hasher = Hasher::new(kind, [42; 32], Features::detect());
    LineTable::laid_out(TableConfig { entries, hasher }).expect("a valid size")
}

/// Makes settings. The clock may start shortly before a half or the whole of the tick's range.
fn setup(input: &mut Input<'_>) -> Setup {
    let choices = input.byte();
    let start = [0, 0, (1 << 31) - 300, (1 << 32) - 300][usize::from(choices & 3)];
    Setup {
        agings: agings(input),
        permissions: input.choose(&OF_TABLE),
        bucket_shift: input.below(5) as u32,
        accounting: choices & 4 == 0,
        start_ms: start + input.number::<2>() % 5_000,
        learn_profile: input.below(4) as u8,
        native: choices & 8 == 0,
    }
}

/// Makes the agings of four profiles, which differ.
fn agings(input: &mut Input<'_>) -> Vec<u64> {
    let mut agings = Vec::new();
    while agings.len() < 4 {
        let mut place = input.below(AGINGS as usize) as u64;
        let value = |place| [1 + place, 5_000, 500_000][(place as usize).saturating_sub(58).min(2)];
        while agings.contains(&value(place)) {
            place = (place + 1) % AGINGS;
        }
        agings.push(value(place));
    }
    agings
}

fn steps(mut input: Input<'_>) -> Vec<Op> {
    let mut steps = Vec::new();
    while !input.is_empty() && steps.len() < STEPS {
        steps.push(step(&mut input));
    }
    steps
}

fn step(input: &mut Input<'_>) -> Op {
    match input.below(24) {
        0..=2 => burst(input, 12, 8),
        3 => burst(input, 150, FRAMES),
        4 | 5 => Op::Wait(input.number::<3>() % (20 * MS)),
        6 => Op::Wait(input.below(40) as u64 * MS),
        7 | 8 => Op::Advance(Budget {
            blocks: input.below(4) as u32,
            pending: input.below(4) as u32,
            resync: input.below(40) as u32,
        }),
        9 => Op::Advance(Budget::default()),
        10 => Op::Mood(match input.below(3) {
            0 => Mood::Open,
            1 => Mood::Room(input.below(6) as u32),
            _ => Mood::Fickle(input.number::<2>()),
        }),
        11..=14 => write(input),
        15 => Op::Flush(
            input.choose(&[Which::All, Which::Odd, Which::Static, Which::None]),
            input.below(60) as u32,
        ),
        16 => Op::Enumerate(input.below(60) as u32),
        17 => Op::Resync,
        18 => Op::Hold(change(input)),
        19 => Op::Change(change(input)),
        20 => Op::Release,
        21 => Op::Detach,
        22 => Op::Purge(input.below(60) as u32),
        _ => Op::Attach,
    }
}

/// Makes a burst of up to `longest` frames out of `frames`: a short one names each of its frames,
/// a long one goes through them in steps.
fn burst(input: &mut Input<'_>, longest: usize, frames: usize) -> Op {
    let count = input.below(longest);
    if longest < 16 {
        return Op::Burst((0..count).map(|_| input.below(frames) as u8).collect());
    }
    let (first, stride) = (input.below(frames), input.below(frames));
    Op::Burst((0..count).map(|i| ((first + i * stride + i / frames) % frames) as u8).collect())
}

fn write(input: &mut Input<'_>) -> Op {
    let flow = input.below(FLOWS) as u8;
    match input.below(5) {
        0 | 1 => Op::Create(flow, wish(input)),
        2 | 3 => Op::Update(flow, wish(input)),
        _ => Op::Remove(flow),
    }
}

fn wish(input: &mut Input<'_>) -> Wish {
    let choices = input.byte();
    Wish {
        dynamic: [None, Some(true), Some(true), Some(false)][usize::from(choices & 3)],
        profile_id: (choices & 4 != 0).then(|| input.choose(&[0, 1, 2, 3, 4, 15, 16, u32::MAX])),
        aging_of: (choices & 8 != 0).then(|| input.below(5)),
        permissions: (choices & 16 != 0).then(|| input.choose(&OF_ENTRY)),
    }
}

fn change(input: &mut Input<'_>) -> Change {
    let choices = input.byte();
    Change {
        agings: (choices & 1 != 0).then(|| agings(input)),
        permissions: (choices & 2 != 0).then(|| input.choose(&OF_TABLE)),
    }
}

/// Makes the moments of a trial in which `advance` is called every millisecond: bursts, writes and
/// new agings at most, because only then no deletion may be late.
fn moments(mut input: Input<'_>) -> Vec<Moment> {
    let mut moments = Vec::new();
    while !input.is_empty() && moments.len() < STEPS {
        let idle = input.below(8);
        moments.extend(vec![Vec::new(); idle]);
        let after = input.number::<3>() % MS;
        let op = match input.below(8) {
            0..=3 => burst(&mut input, 6, FLOWS),
            4..=6 => write(&mut input),
            _ => Op::Change(Change { agings: Some(agings(&mut input)), permissions: None }),
        };
        moments.push(vec![(after, op)]);
    }
    moments
}
