//! The settings and the steps of a trial, and the sink that they use.

use conntrack::arch::Features;
use conntrack::test_support::Random;
use conntrack::tracker::Budget;
use conntrack::{
    Attributes, Event, EventSink, Parser, Permissions, ProfileId, Profiles, Protocols, TrackerConfig,
};
use proptest::prelude::*;

use super::super::keys::TestKey;
use super::MS;

/// The number of flows in a trial.
pub(crate) const FLOWS: usize = 40;

/// The settings of a trial.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) agings: Vec<u64>,
    pub(crate) permissions: u16,
    pub(crate) bucket_shift: u32,
    pub(crate) accounting: bool,
    pub(crate) start_ms: u64,
    pub(crate) learn_profile: u8,
    pub(crate) native: bool,
}

impl Setup {
    /// Returns the parser that these settings describe.
    pub(super) fn parser(&self) -> Parser {
        let instructions = if self.native { Features::detect() } else { Features::PORTABLE };
        Parser::new(Protocols::Tcp, instructions)
    }

    /// Returns the tracker's configuration.
    pub(super) fn config(&self) -> TrackerConfig {
        TrackerConfig {
            profiles: Profiles::new(&self.agings).expect("distinct and in range"),
            learn_profile: ProfileId::new(u32::from(self.learn_profile)).expect("below 4"),
            permissions: Permissions::new(self.permissions).expect("14 bits"),
            accounting: self.accounting,
            bucket_shift: self.bucket_shift,
        }
    }
}

/// Generates any settings. The clock often starts shortly before the tick's wrap.
pub(crate) fn setup() -> impl Strategy<Value = Setup> {
    let start = prop_oneof![0..5_000u64, (1u64 << 32) - 300..1 << 32, (1u64 << 31) - 300..1 << 31];
    let permissions = prop_oneof![4 => Just(0x3dfc), 1 => table_permissions()];
    (agings(), permissions, 0..5u32, any::<bool>(), start, 0..4u8, any::<bool>()).prop_map(
        |(agings, permissions, bucket_shift, accounting, start_ms, learn_profile, native)| Setup {
            agings,
            permissions,
            bucket_shift,
            accounting,
            start_ms,
            learn_profile,
            native,
        },
    )
}

/// Generates the agings of four profiles: most of them end within the trial, some do not.
fn agings() -> impl Strategy<Value = Vec<u64>> {
    let values: Vec<u64> = (1..60).chain([5_000, 500_000]).collect();
    prop::sample::subsequence(values, 4).prop_shuffle()
}

/// Generates a table's permissions: all bits, or all but some.
fn table_permissions() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![0x3dfc, 0x3fff, 0x1dfc, 0x3dbc, 0x39fc, 0x35fc, 0x0000])
}

/// Which events the sink takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    /// Takes everything.
    Open,
    /// Takes this number of further events, then none.
    Room(u32),
    /// Takes about half of the events, without a pattern.
    Fickle(u64),
}

/// The attributes that a writer requests. An aging is named by the profile that has it when the
/// step is executed. If there is no such profile, it is an aging that no profile has.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) dynamic: Option<bool>,
    pub(crate) profile_id: Option<u32>,
    pub(crate) aging_of: Option<usize>,
    pub(crate) permissions: Option<u32>,
}

impl Wish {
    pub(super) fn attributes(&self, agings: &[u64]) -> Attributes {
        let aging = |id: usize| agings.get(id).copied().unwrap_or(77_777);
        Attributes {
            dynamic: self.dynamic,
            profile_id: self.profile_id,
            aging_ms: self.aging_of.map(aging),
            permissions: self.permissions,
        }
    }
}

fn wish() -> impl Strategy<Value = Wish> {
    let dynamic = prop_oneof![4 => Just(None), 5 => Just(Some(true)), 1 => Just(Some(false))];
    let named = prop_oneof![
        4 => Just((None, None)),
        3 => (0..4u32).prop_map(|id| (Some(id), None)),
        3 => (0..5usize).prop_map(|id| (None, Some(id))),
        1 => (prop::sample::select(vec![0, 4, 15, 16, u32::MAX]), prop::option::of(0..5usize))
            .prop_map(|(id, aging)| (Some(id), aging)),
    ];
    // The frequent masks are the full one, those without R, U, D or P, and the empty one. The rare
    // ones have more bits than the default table, a create bit of either half, or bits without a
    // meaning.
    let permissions = prop_oneof![
        6 => Just(None),
        6 => prop::sample::select(vec![0x1dbc, 0x0dbc, 0x15bc, 0x19bc, 0x1cbc, 0]).prop_map(Some),
        1 => prop::sample::select(vec![0x1fbf, 0x3dbc, 0x1dfc, 0x4000, u32::MAX]).prop_map(Some),
    ];
    (dynamic, named, permissions).prop_map(|(dynamic, (profile_id, aging_of), permissions)| Wish {
        dynamic,
        profile_id,
        aging_of,
        permissions,
    })
}

/// Which entries a flush removes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    All,
    /// The entries with an odd source port.
    Odd,
    /// The entries without a timer.
    Static,
    None,
}

impl Which {
    /// Returns true if the flush removes the entry of this key. `dynamic` says whether it has a
    /// timer.
    pub(super) fn has<K: TestKey>(self, key: &K, dynamic: bool) -> bool {
        match self {
            Which::All => true,
            Which::Odd => key.src_port() % 2 == 1,
            Which::Static => !dynamic,
            Which::None => false,
        }
    }
}

/// A change of the table. An absent attribute keeps its value.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) agings: Option<Vec<u64>>,
    pub(crate) permissions: Option<u16>,
}

fn change() -> impl Strategy<Value = Change> {
    (prop::option::of(agings()), prop::option::of(table_permissions()))
        .prop_map(|(agings, permissions)| Change { agings, permissions })
}

/// One step of a trial.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// A burst. A number below [`FLOWS`] stands for a frame of that flow, the others stand for
    /// frames that are not tracked.
    Burst(Vec<u8>),
    /// Lets this number of nanoseconds pass.
    Wait(u64),
    /// A call of `advance`.
    Advance(Budget),
    Mood(Mood),
    /// The control plane creates, updates or removes a flow's entry.
    Create(u8, Wish),
    Update(u8, Wish),
    Remove(u8),
    /// A slice of a flush that spans the other steps. The first field says which entries it
    /// removes.
    Flush(Which, u32),
    /// A slice of an enumeration that spans the other steps.
    Enumerate(u32),
    Resync,
    Hold(Change),
    Change(Change),
    Release,
    Detach,
    /// A slice of a purge, if one is going on.
    Purge(u32),
    /// Attaches the program, after the rest of a purge.
    Attach,
}

/// Generates any steps.
pub(crate) fn ops(longest: usize) -> impl Strategy<Value = Vec<Op>> {
    let few = prop::collection::vec(0..8u8, 0..12);
    let many = prop::collection::vec(0..FLOWS as u8 + 8, 0..150);
    let budget =
        (0..4u32, 0..4u32, 0..40u32).prop_map(|(blocks, pending, resync)| Budget { blocks, pending, resync });
    let mood = prop_oneof![
        2 => Just(Mood::Open),
        3 => (0..6u32).prop_map(Mood::Room),
        2 => any::<u64>().prop_map(Mood::Fickle),
    ];
    let which = prop::sample::select(vec![
        Which::All,
        Which::All,
        Which::Odd,
        Which::Odd,
        Which::Static,
        Which::None,
    ]);
    let op = prop_oneof![
        8 => few.prop_map(Op::Burst),
        4 => many.prop_map(Op::Burst),
        8 => (0..20 * MS).prop_map(Op::Wait),
        4 => (0..40u64).prop_map(|ms| Op::Wait(ms * MS)),
        10 => budget.prop_map(Op::Advance),
        4 => Just(Op::Advance(Budget::default())),
        4 => mood.prop_map(Op::Mood),
        16 => write(),
        6 => (which, 0..60u32).prop_map(|(which, positions)| Op::Flush(which, positions)),
        4 => (0..60u32).prop_map(Op::Enumerate),
        2 => Just(Op::Resync),
        2 => change().prop_map(Op::Hold),
        4 => change().prop_map(Op::Change),
        2 => Just(Op::Release),
        1 => Just(Op::Detach),
        2 => (0..60u32).prop_map(Op::Purge),
        2 => Just(Op::Attach),
    ];
    prop::collection::vec(op, 0..longest)
}

fn write() -> impl Strategy<Value = Op> {
    // There are few flows, so most updates find an entry.
    let flow = || prop_oneof![2 => 0..8u8, 1 => 0..FLOWS as u8];
    prop_oneof![
        3 => (flow(), wish()).prop_map(|(flow, wish)| Op::Create(flow, wish)),
        3 => (flow(), wish()).prop_map(|(flow, wish)| Op::Update(flow, wish)),
        2 => flow().prop_map(Op::Remove),
    ]
}

/// The steps within one millisecond, each with its offset in nanoseconds, for `punctual_ms`. Most
/// moments have no step.
pub(crate) type Moment = Vec<(u64, Op)>;

/// Generates any moments.
pub(crate) fn moments(longest: usize) -> impl Strategy<Value = Vec<Moment>> {
    let burst = prop::collection::vec(0..FLOWS as u8, 1..6).prop_map(Op::Burst);
    let profiles = agings().prop_map(|agings| Op::Change(Change { agings: Some(agings), permissions: None }));
    let op = prop_oneof![8 => burst, 4 => write(), 1 => profiles];
    let moment = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec((0..MS, op), 1..3)];
    prop::collection::vec(moment, 0..longest)
}

pub(super) struct Sink<K> {
    pub(super) mood: Mood,
    pub(super) taken: Vec<Event<K>>,
    pub(super) refused: u64,
}

impl<K: Copy> EventSink<K> for Sink<K> {
    fn offer(&mut self, event: &Event<K>) -> bool {
        let takes = match &mut self.mood {
            Mood::Open => true,
            Mood::Room(left) => {
                let takes = *left > 0;
                *left = left.saturating_sub(1);
                takes
            }
            Mood::Fickle(state) => {
                let mut random = Random(*state);
                let takes = random.bits() & 1 == 1;
                *state = random.0;
                takes
            }
        };
        if takes {
            self.taken.push(*event);
        } else {
            self.refused += 1;
        }
        takes
    }
}
