//! Aging classes: the aging values of entries, by the number in their [`Mark`].
//!
//! When a profile gets another value, existing entries keep theirs, as in P4TC. So an entry names a
//! class, not a profile. A class is free again when no entry and no profile names it.
//!
//! [`Mark`]: crate::entry::Mark

use alloc::boxed::Box;

use crate::timeout::{ProfileId, Profiles};

/// There is no free class. Some entries with old values have to go first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoClass;

/// The class of static entries.
pub(crate) const STATIC: u8 = 0;

/// Number of classes: a [`Mark`](crate::entry::Mark) holds one of 256.
const CLASSES: usize = 256;

/// The aging classes of a table, and the profiles that name some of them.
pub(crate) struct Classes {
    /// The aging of each class, in milliseconds; 0 for [`STATIC`].
    aging_ms: Box<[u32; CLASSES]>,
    /// Number of entries in each class.
    entries: Box<[u32; CLASSES]>,
    profiles: Profiles,
    /// The class of each profile.
    of_profile: [u8; ProfileId::COUNT],
}

impl Classes {
    /// Returns the classes of a table without entries.
    pub(crate) fn new(profiles: Profiles) -> Self {
        let mut aging_ms = Box::new([0; CLASSES]);
        let mut of_profile = [STATIC; ProfileId::COUNT];
        for (id, &value) in profiles.values().iter().enumerate() {
            aging_ms[id + 1] = value;
            of_profile[id] = id as u8 + 1;
        }
        Classes { aging_ms, entries: Box::new([0; CLASSES]), profiles, of_profile }
    }

    /// Returns the profiles as they are now.
    pub(crate) fn profiles(&self) -> &Profiles {
        &self.profiles
    }

    /// Returns the aging of a class, in milliseconds; 0 when its entries are static.
    #[inline]
    pub(crate) fn aging_ms(&self, class: u8) -> u32 {
        self.aging_ms[usize::from(class)]
    }

    /// Returns the class of entries that get the aging of a profile now.
    #[inline]
    pub(crate) fn of_profile(&self, id: ProfileId) -> u8 {
        self.of_profile[usize::from(id.get())]
    }

    /// Returns true when no entry is static.
    #[inline]
    pub(crate) fn none_static(&self) -> bool {
        self.entries[usize::from(STATIC)] == 0
    }

    /// Adds an entry to a class.
    #[inline]
    pub(crate) fn join(&mut self, class: u8) {
        self.entries[usize::from(class)] += 1;
    }

    /// Removes an entry from a class.
    #[inline]
    pub(crate) fn leave(&mut self, class: u8) {
        self.entries[usize::from(class)] -= 1;
    }

    /// Returns the classes that the profiles would have with these values.
    fn plan(&self, profiles: &Profiles) -> Result<[u8; ProfileId::COUNT], NoClass> {
        let mut plan = [STATIC; ProfileId::COUNT];
        for (id, &value) in profiles.values().iter().enumerate() {
            let known = (1..CLASSES).find(|&class| {
                self.aging_ms[class] == value && (self.entries[class] > 0 || self.named(class as u8))
            });
            let fresh = || {
                (1..CLASSES).find(|&class| {
                    let class8 = class as u8;
                    self.entries[class] == 0 && !self.named(class8) && !plan.contains(&class8)
                })
            };
            plan[id] = known.or_else(fresh).ok_or(NoClass)? as u8;
        }
        Ok(plan)
    }

    /// Returns the class of entries with this aging, in milliseconds; 0 stands for [`STATIC`]. A class
    /// that is free gets the value, and keeps it once an entry has joined it.
    ///
    /// # Errors
    /// When there is no free class.
    pub(crate) fn of_aging(&mut self, aging_ms: u32) -> Result<u8, NoClass> {
        if aging_ms == 0 {
            return Ok(STATIC);
        }
        let taken = |class: usize| self.entries[class] > 0 || self.named(class as u8);
        let known = (1..CLASSES).find(|&class| self.aging_ms[class] == aging_ms && taken(class));
        let class = known.or_else(|| (1..CLASSES).find(|&class| !taken(class))).ok_or(NoClass)?;
        self.aging_ms[class] = aging_ms;
        Ok(class as u8)
    }

    /// Returns true when one of the present profiles has this class.
    fn named(&self, class: u8) -> bool {
        self.of_profile[..self.profiles.values().len()].contains(&class)
    }

    /// Checks whether [`Classes::set_profiles`] would succeed. Entries that come and go in between
    /// do not change the answer from yes to no.
    pub(crate) fn can_take(&self, profiles: &Profiles) -> Result<(), NoClass> {
        self.plan(profiles).map(|_| ())
    }

    /// Gives the profiles other values. Entries keep their classes.
    ///
    /// # Errors
    /// When there is no free class. Nothing was changed.
    pub(crate) fn set_profiles(&mut self, profiles: Profiles) -> Result<(), NoClass> {
        let plan = self.plan(&profiles)?;
        for (&class, &value) in plan.iter().zip(profiles.values()) {
            self.aging_ms[usize::from(class)] = value;
        }
        (self.of_profile, self.profiles) = (plan, profiles);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(values: &[u64]) -> Profiles {
        Profiles::new(values).expect("valid")
    }

    fn id(id: u32) -> ProfileId {
        ProfileId::new(id).expect("below 16")
    }

    #[test]
    fn entries_keep_the_aging_that_their_profile_had() {
        let mut classes = Classes::new(profiles(&[10, 20]));
        let old = classes.of_profile(id(0));
        classes.join(old);
        classes.set_profiles(profiles(&[30, 20])).expect("room");
        assert_eq!(classes.aging_ms(old), 10);
        assert_eq!(classes.aging_ms(classes.of_profile(id(0))), 30);
        assert_eq!(classes.aging_ms(classes.of_profile(id(1))), 20);
        // An old value that is still in use is found again, by whichever profile.
        classes.set_profiles(profiles(&[30, 10])).expect("room");
        assert_eq!(classes.of_profile(id(1)), old);
    }

    #[test]
    fn classes_are_used_again_when_nobody_has_them() {
        let mut classes = Classes::new(profiles(&[1]));
        for value in 2..2000 {
            let class = classes.of_profile(id(0));
            classes.join(class);
            classes.set_profiles(profiles(&[value])).expect("those without entries are free");
            assert_eq!(classes.aging_ms(classes.of_profile(id(0))), value as u32);
            classes.leave(class);
        }
        // Now they stay.
        let mut values = 2000..;
        let refused = values.by_ref().find(|value| {
            classes.join(classes.of_profile(id(0)));
            classes.set_profiles(profiles(&[*value])).is_err()
        });
        // 255 classes, one of them the profile's from the beginning.
        assert_eq!(refused, Some(2000 + 254));
        assert_eq!(classes.can_take(&profiles(&[5_000_000])), Err(NoClass));
        assert_eq!(classes.can_take(&profiles(&[2000])), Ok(()), "a value in use needs no class");
        classes.leave(1);
        assert_eq!(classes.entries[1], 0);
        classes.set_profiles(profiles(&[5_000_000])).expect("one has become free");
    }

    #[test]
    fn an_aging_that_no_profile_has_gets_a_class() {
        let mut classes = Classes::new(profiles(&[10, 20]));
        assert_eq!(classes.of_aging(0), Ok(STATIC));
        assert_eq!(classes.of_aging(20), Ok(classes.of_profile(id(1))));
        let old = classes.of_aging(15).expect("room");
        classes.join(old);
        assert_eq!((classes.aging_ms(old), classes.of_aging(15)), (15, Ok(old)));
        let mut fresh = 0;
        while let Ok(class) = classes.of_aging(100 + fresh) {
            classes.join(class);
            fresh += 1;
        }
        assert_eq!(fresh, 255 - 3, "all but those of the profiles and of the old value");
        assert_eq!(classes.of_aging(15), Ok(old));
    }

    #[test]
    fn profiles_may_swap_their_values() {
        let mut classes = Classes::new(profiles(&[10, 20]));
        classes.set_profiles(profiles(&[20, 10])).expect("room");
        assert_eq!(classes.aging_ms(classes.of_profile(id(0))), 20);
        assert_eq!(classes.aging_ms(classes.of_profile(id(1))), 10);
    }
}
