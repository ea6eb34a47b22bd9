//! The attributes that a control program may give an entry, and the rules for them.
//!
//! The rules are those of P4TC (`p4tc_tbl_entry.c`, create and update), except that nothing is
//! ignored: what cannot be done is refused.

use core::fmt;

use crate::permission::Permissions;
use crate::timeout::{ProfileId, Profiles};

/// The attributes of a write. The rules decide about those that are absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Attributes {
    /// Whether the idle timer applies.
    pub dynamic: Option<bool>,
    /// The timer profile.
    pub profile_id: Option<u32>,
    /// The aging in milliseconds, which has to be that of a profile.
    pub aging_ms: Option<u64>,
    /// The permission bits.
    pub permissions: Option<u32>,
}

/// A field of [`Attributes`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// [`Attributes::dynamic`].
    Dynamic,
    /// [`Attributes::profile_id`].
    ProfileId,
    /// [`Attributes::aging_ms`].
    AgingMs,
    /// [`Attributes::permissions`].
    Permissions,
}

/// Why attributes are not acceptable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttributeError {
    /// A profile or an aging was given for an entry that is to be created static.
    NotAlongside(Field),
    /// Both a profile and an aging were given.
    BothGiven,
    /// No profile can have this number.
    ProfileRange(u32),
    /// The table has no such profile.
    ProfileUnknown(u32),
    /// No profile has this aging.
    AgingUnknown(u64),
    /// Some of the bits have no meaning.
    PermissionBits(u32),
    /// Some of the bits are not among the table's.
    PermissionsBeyondTable {
        /// The bits that were given.
        asked: u32,
        /// The bits of the table.
        table: Permissions,
    },
    /// A create bit was given, but nothing can be created in an entry.
    PermissionsCreateBit(u32),
    /// A profile or an aging was given for an entry that is static and stays so.
    StaticEntry(Field),
    /// A dynamic entry cannot be made static.
    DynamicEntry,
}

impl AttributeError {
    /// Returns the field at fault.
    #[must_use]
    pub fn field(&self) -> Field {
        match self {
            Self::NotAlongside(field) | Self::StaticEntry(field) => *field,
            Self::ProfileRange(_) | Self::ProfileUnknown(_) => Field::ProfileId,
            Self::BothGiven | Self::AgingUnknown(_) => Field::AgingMs,
            Self::PermissionBits(_) | Self::PermissionsBeyondTable { .. } | Self::PermissionsCreateBit(_) => {
                Field::Permissions
            }
            Self::DynamicEntry => Field::Dynamic,
        }
    }
}

impl fmt::Display for AttributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAlongside(_) => f.write_str("may only be set alongside dynamic"),
            Self::BothGiven => f.write_str("either aging or a profile may be given, not both"),
            Self::ProfileRange(id) => write!(f, "{id} is not in 0 to {}", ProfileId::COUNT - 1),
            Self::ProfileUnknown(id) => write!(f, "there is no timer profile {id}"),
            Self::AgingUnknown(ms) => write!(f, "{ms} doesn't match any timer profile"),
            Self::PermissionBits(bits) => {
                write!(f, "{bits:#x} has bits outside of {:#x}", Permissions::MASK)
            }
            Self::PermissionsBeyondTable { asked, table } => {
                write!(f, "{asked:#x} is not a subset of the table's {:#x}", table.bits())
            }
            Self::PermissionsCreateBit(bits) => {
                write!(f, "{bits:#x} has a create bit, which an entry cannot have")
            }
            Self::StaticEntry(_) => f.write_str("the entry is static; set dynamic as well"),
            Self::DynamicEntry => f.write_str("a dynamic entry cannot be made static"),
        }
    }
}

impl core::error::Error for AttributeError {}

/// Everything that is wrong with the attributes of a write; at least one rule is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Violations {
    asked: Attributes,
    table: Permissions,
    /// The rules that are broken, a bit each, in the order of [`Violations::rules`].
    broken: u16,
}

impl Violations {
    /// Number of rules.
    const RULES: usize = 12;

    fn none(asked: &Attributes, table: Permissions) -> Self {
        Violations { asked: *asked, table, broken: 0 }
    }

    /// Returns every rule as the error that breaking it is, in the order of their importance.
    fn rules(&self) -> [AttributeError; Self::RULES] {
        let Attributes { profile_id, aging_ms, permissions, .. } = self.asked;
        let (id, ms) = (profile_id.unwrap_or_default(), aging_ms.unwrap_or_default());
        let (asked, table) = (permissions.unwrap_or_default(), self.table);
        [
            AttributeError::BothGiven,
            AttributeError::ProfileRange(id),
            AttributeError::ProfileUnknown(id),
            AttributeError::AgingUnknown(ms),
            AttributeError::PermissionBits(asked),
            AttributeError::PermissionsCreateBit(asked),
            AttributeError::PermissionsBeyondTable { asked, table },
            AttributeError::NotAlongside(Field::ProfileId),
            AttributeError::NotAlongside(Field::AgingMs),
            AttributeError::DynamicEntry,
            AttributeError::StaticEntry(Field::ProfileId),
            AttributeError::StaticEntry(Field::AgingMs),
        ]
    }

    fn add(&mut self, error: AttributeError) {
        let nth = self.rules().iter().position(|rule| *rule == error);
        self.broken |= nth.map_or(0, |nth| 1 << nth);
    }

    /// Adds `error` for each of the fields that name a timer.
    fn add_timer(&mut self, error: fn(Field) -> AttributeError) {
        if self.asked.profile_id.is_some() {
            self.add(error(Field::ProfileId));
        }
        if self.asked.aging_ms.is_some() {
            self.add(error(Field::AgingMs));
        }
    }

    /// Returns the violations of two shards, which were asked the same, together.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        Violations { broken: self.broken | other.broken, ..self }
    }

    /// Returns the errors, the most important one first.
    pub fn iter(&self) -> impl Iterator<Item = AttributeError> {
        let broken = self.broken;
        self.rules()
            .into_iter()
            .enumerate()
            .filter(move |(nth, _)| broken >> nth & 1 == 1)
            .map(|(_, rule)| rule)
    }
}

/// Attributes that are consistent and fit the table and the entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Checked {
    pub(crate) timer: Timer,
    pub(crate) permissions: Option<Permissions>,
}

/// What a write does to the timer of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Timer {
    /// The entry has no timer.
    Static,
    /// The timer keeps its aging.
    Kept,
    /// The timer gets the aging that this profile has now.
    Of(ProfileId),
}

/// The entry that a write is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// It is to be created.
    New,
    /// It exists, and is dynamic or not.
    Known {
        /// Whether its idle timer applies.
        dynamic: bool,
    },
    /// There is none, which is refused unless the attributes are wrong for any entry.
    Unknown,
}

impl Attributes {
    /// Checks the attributes of a write.
    ///
    /// # Errors
    /// All rules that the attributes break.
    pub(crate) fn check(
        &self,
        profiles: &Profiles,
        table: Permissions,
        target: Target,
    ) -> Result<Checked, Violations> {
        let mut violations = Violations::none(self, table);
        let profile = self.named_profile(profiles, &mut violations);
        let permissions = self.entry_permissions(table, &mut violations);
        let dynamic = match target {
            Target::New => self.dynamic.unwrap_or(false),
            Target::Known { dynamic } => self.dynamic.unwrap_or(dynamic),
            Target::Unknown => true,
        };
        match target {
            Target::New if !dynamic => violations.add_timer(AttributeError::NotAlongside),
            Target::Known { dynamic: true } if !dynamic => violations.add(AttributeError::DynamicEntry),
            Target::Known { dynamic: false } if !dynamic => violations.add_timer(AttributeError::StaticEntry),
            _ => {}
        }
        if violations.broken != 0 {
            return Err(violations);
        }
        let timer = match profile {
            _ if !dynamic => Timer::Static,
            Some(profile) => Timer::Of(profile),
            // "dynamic" and nothing more means the first profile, as in P4TC.
            None if self.dynamic.is_some() => Timer::Of(ProfileId::default()),
            None => Timer::Kept,
        };
        Ok(Checked { timer, permissions })
    }

    /// Returns the profile that is named, by its number or by its value.
    fn named_profile(&self, profiles: &Profiles, violations: &mut Violations) -> Option<ProfileId> {
        if self.profile_id.is_some() && self.aging_ms.is_some() {
            violations.add(AttributeError::BothGiven);
        }
        let by_value = self.aging_ms.and_then(|ms| {
            let id = profiles.values().iter().position(|value| u64::from(*value) == ms);
            let id = id.and_then(|id| ProfileId::new(id as u32));
            if id.is_none() {
                violations.add(AttributeError::AgingUnknown(ms));
            }
            id
        });
        let by_number = self.profile_id.and_then(|number| {
            let id = ProfileId::new(number);
            match id {
                None => violations.add(AttributeError::ProfileRange(number)),
                Some(id) if profiles.aging_ms(id).is_none() => {
                    violations.add(AttributeError::ProfileUnknown(number));
                }
                Some(_) => {}
            }
            id
        });
        by_number.or(by_value)
    }

    fn entry_permissions(&self, table: Permissions, violations: &mut Violations) -> Option<Permissions> {
        let asked = self.permissions?;
        let Some(bits) = u16::try_from(asked).ok().and_then(Permissions::new) else {
            violations.add(AttributeError::PermissionBits(asked));
            return None;
        };
        if bits != bits.of_entry() {
            violations.add(AttributeError::PermissionsCreateBit(asked));
        }
        if !table.allows(bits.bits()) {
            violations.add(AttributeError::PermissionsBeyondTable { asked, table });
        }
        Some(bits)
    }
}

#[cfg(test)]
mod tests;
