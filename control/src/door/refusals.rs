//! Counts of what was refused, by reason.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

/// Defines [`Reason`] and the name that each has in metrics and in the log.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why something was refused. `control/docs/failures.md` explains each to operators.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns its name in metrics and in the log.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// A link did not introduce itself in time.
    NoHello = "no_hello",
    /// A list was asked for while all places were taken by lists that do not stall.
    TooManyLists = "too_many_lists",
}

/// How often each reason applied, since the service started.
#[derive(Debug)]
pub struct Refusals([AtomicU64; Reason::ALL.len()]);

impl Default for Refusals {
    fn default() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Refusals {
    /// Counts one more refusal.
    pub fn count(&self, reason: Reason) {
        self.0[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how often `reason` applied.
    #[must_use]
    pub fn of(&self, reason: Reason) -> u64 {
        self.0[reason as usize].load(Ordering::Relaxed)
    }

    /// Returns the names of all reasons, each with its count.
    #[must_use]
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        Reason::ALL.iter().map(|reason| (reason.name(), self.of(*reason))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_count_and_a_name_of_its_own() {
        let refusals = Refusals::default();
        for (times, reason) in (1..).zip(Reason::ALL) {
            (0..times).for_each(|_| refusals.count(*reason));
        }
        assert!(Reason::ALL.iter().zip(1..).all(|(reason, times)| refusals.of(*reason) == times));
        let mut names: Vec<_> = refusals.counts().into_iter().map(|(name, _)| name).collect();
        assert!(names.iter().all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
    }

    /// The page for operators has a row for each reason.
    #[test]
    fn each_reason_is_explained() {
        let page = include_str!("../../docs/failures.md");
        for reason in Reason::ALL {
            assert!(page.contains(&format!("`{}`", reason.name())), "{}", reason.name());
        }
    }
}
