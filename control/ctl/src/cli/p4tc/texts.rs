//! Texts of P4TC that more than one file uses.

/// A timer without `dynamic`, given by its aging time.
pub(super) const AGING_ALONGSIDE: &str = "Aging may only be set alongside dynamic";
/// A timer without `dynamic`, given by its profile.
pub(super) const PROFILE_ALONGSIDE: &str = "Profile may only be set alongside dynamic";
/// Two ways to give a timer.
pub(super) const AGING_OR_PROFILE: &str = "Must specify either aging or profile ID";
/// A write that names nothing.
pub(super) const NO_ENTRY_GIVEN: &str = "Must specify entry for create or update";
/// A filter where entries are named or written.
pub(super) const FILTER_MISPLACED: &str = "Filter may only be specified for dump and flush";
/// No entry has the key.
pub(super) const NO_ENTRY: &str = "Unable to find entry";
/// A command without a path.
pub(super) const NO_PATH: &str = "No path given";
