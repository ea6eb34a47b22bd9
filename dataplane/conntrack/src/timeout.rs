//! Time as the engine sees it: ticks, readings of the clock, and timer profiles.

use core::fmt;

/// A millisecond on the data plane's clock, modulo 2^32 (49.7 days).
///
/// Ticks wrap, so they have no order, only differences. The longest aging (10 days) is less than
/// half the circle, so a difference is never ambiguous.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct Tick(pub u32);

impl Tick {
    /// Returns the milliseconds from `earlier` to `self`; negative when `earlier` is later.
    #[inline]
    #[must_use]
    pub fn since(self, earlier: Tick) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// Returns the tick `ms` milliseconds after this one.
    #[inline]
    #[must_use]
    pub fn plus(self, ms: u32) -> Tick {
        Tick(self.0.wrapping_add(ms))
    }

    /// Returns true when this tick is at or after `deadline`.
    #[inline]
    #[must_use]
    pub fn reached(self, deadline: Tick) -> bool {
        self.since(deadline) >= 0
    }
}

/// One reading of the clock, taken once per burst.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Nanoseconds since the clock's start.
    pub ns: u64,
    /// The last tick that has begun, which deadlines are compared with.
    pub tick: Tick,
    /// The next tick, or the present one at its first instant, which entries are stamped with.
    /// Stamps are rounded up and deadlines compared with a tick that is rounded down, so a deletion
    /// is never early, whatever the fractions.
    pub stamp: Tick,
}

impl Now {
    /// Returns a reading of `ns` nanoseconds since the clock's start.
    #[inline]
    #[must_use]
    pub fn from_ns(ns: u64) -> Self {
        let tick = ns / 1_000_000;
        let stamp = tick + u64::from(!ns.is_multiple_of(1_000_000));
        Now { ns, tick: Tick(tick as u32), stamp: Tick(stamp as u32) }
    }

    /// Returns the milliseconds from the clock's start to the stamp.
    #[inline]
    #[must_use]
    pub fn stamp_ms(&self) -> u64 {
        self.ns.div_ceil(1_000_000)
    }

    /// Returns a reading of `ms` milliseconds since the clock's start.
    #[must_use]
    pub fn from_ms(ms: u64) -> Self {
        Self::from_ns(ms * 1_000_000)
    }
}

/// The number of a timer profile, 0 to 15.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProfileId(u8);

impl ProfileId {
    /// Maximum number of profiles of a table.
    pub const COUNT: usize = 16;

    /// Returns the profile with this number, or `None` above 15.
    #[must_use]
    pub fn new(id: u32) -> Option<Self> {
        (id < Self::COUNT as u32).then_some(ProfileId(id as u8))
    }

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

/// Why a list of timer profiles is not acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProfileError {
    /// There are no profiles, or more than 16.
    Count(usize),
    /// An aging is outside of 1 to 864000000 ms (10 days).
    Range {
        /// The profile at fault.
        id: usize,
        /// Its aging, in milliseconds.
        aging_ms: u64,
    },
    /// Two profiles have one aging value.
    Duplicate {
        /// The profile at fault.
        id: usize,
        /// The profile that has the value already.
        other: usize,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ProfileError::Count(n) => write!(f, "{n} timer profiles: 1 to 16 are possible"),
            ProfileError::Range { id, aging_ms } => {
                write!(f, "aging {aging_ms} of profile {id} is outside 1 to {} ms", Profiles::MAX_AGING_MS)
            }
            ProfileError::Duplicate { id, other } => {
                write!(f, "aging of profile {id} was already specified by profile {other}")
            }
        }
    }
}

impl core::error::Error for ProfileError {}

/// The timer profiles of a table: their aging values, in milliseconds.
///
/// By default there are four, as in P4TC: profile n ages after (n + 1) × 30 s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profiles {
    aging_ms: [u32; ProfileId::COUNT],
    count: u8,
}

impl Profiles {
    /// The longest aging, in milliseconds: 10 days.
    pub const MAX_AGING_MS: u64 = 864_000_000;

    /// Returns profiles with these agings: 1 to 16 distinct values of 1 to 864000000 ms.
    ///
    /// # Errors
    /// Names the first profile that is out of range or a duplicate.
    pub fn new(values: &[u64]) -> Result<Self, ProfileError> {
        if values.is_empty() || values.len() > ProfileId::COUNT {
            return Err(ProfileError::Count(values.len()));
        }
        let mut aging_ms = [0; ProfileId::COUNT];
        for (id, &value) in values.iter().enumerate() {
            if !(1..=Self::MAX_AGING_MS).contains(&value) {
                return Err(ProfileError::Range { id, aging_ms: value });
            }
            if let Some(other) = values[..id].iter().position(|&v| v == value) {
                return Err(ProfileError::Duplicate { id, other });
            }
            aging_ms[id] = value as u32;
        }
        Ok(Profiles { aging_ms, count: values.len() as u8 })
    }

    /// Returns the aging of a profile, in milliseconds, or `None` when there is no such profile.
    #[must_use]
    pub fn aging_ms(&self, id: ProfileId) -> Option<u32> {
        self.values().get(usize::from(id.get())).copied()
    }

    /// Returns the aging values in milliseconds, by the number of the profile.
    #[must_use]
    pub fn values(&self) -> &[u32] {
        &self.aging_ms[..usize::from(self.count)]
    }
}

impl Default for Profiles {
    fn default() -> Self {
        let mut aging_ms = [0; ProfileId::COUNT];
        aging_ms[..4].copy_from_slice(&[30_000, 60_000, 90_000, 120_000]);
        Profiles { aging_ms, count: 4 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_never_before_the_instant_and_a_tick_never_after() {
        for ns in [0, 1, 999_999, 1_000_000, 1_000_001, 29_999_999_999, u64::from(u32::MAX) * 1_000_000] {
            let now = Now::from_ns(ns);
            assert!(u64::from(now.tick.0) * 1_000_000 <= ns);
            assert!(u64::from(now.stamp.0) * 1_000_000 >= ns);
            assert_eq!(now.stamp, Tick(now.stamp_ms() as u32));
        }
    }

    #[test]
    fn ticks_compare_across_the_wrap() {
        let late = Tick(u32::MAX - 5);
        assert_eq!(late.plus(10).since(late), 10);
        assert!(late.plus(10).reached(late));
        assert!(!late.reached(late.plus(10)));
    }

    #[test]
    fn profiles_refuse_by_name() {
        assert_eq!(Profiles::new(&[30_000, 60_000, 90_000, 120_000]), Ok(Profiles::default()));
        assert_eq!(Profiles::new(&[]), Err(ProfileError::Count(0)));
        assert_eq!(Profiles::new(&[1; 17]), Err(ProfileError::Count(17)));
        assert_eq!(Profiles::new(&[5, 0]), Err(ProfileError::Range { id: 1, aging_ms: 0 }));
        assert_eq!(Profiles::new(&[864_000_001]), Err(ProfileError::Range { id: 0, aging_ms: 864_000_001 }));
        assert_eq!(Profiles::new(&[7, 8, 7]), Err(ProfileError::Duplicate { id: 2, other: 0 }));
    }
}
