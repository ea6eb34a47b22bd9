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

/// Attributes that are consistent and fit the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Checked {
    pub(crate) dynamic: Option<bool>,
    /// The profile that was named, by its number or by its value.
    pub(crate) profile: Option<ProfileId>,
    /// The field by which the profile was named.
    named_by: Field,
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

impl Attributes {
    /// Applies the rules that creations and updates share.
    ///
    /// # Errors
    /// The first rule that the attributes break.
    pub(crate) fn check(&self, profiles: &Profiles, table: Permissions) -> Result<Checked, AttributeError> {
        let (profile, named_by) = match (self.profile_id, self.aging_ms) {
            (Some(_), Some(_)) => return Err(AttributeError::BothGiven),
            (Some(number), None) => {
                let id = ProfileId::new(number).ok_or(AttributeError::ProfileRange(number))?;
                profiles.aging_ms(id).ok_or(AttributeError::ProfileUnknown(number))?;
                (Some(id), Field::ProfileId)
            }
            (None, Some(ms)) => {
                let id = profiles.values().iter().position(|value| u64::from(*value) == ms);
                let id = id.and_then(|id| ProfileId::new(id as u32));
                (Some(id.ok_or(AttributeError::AgingUnknown(ms))?), Field::AgingMs)
            }
            (None, None) => (None, Field::ProfileId),
        };
        let permissions = self.permissions.map(|asked| {
            let bits = u16::try_from(asked).ok().and_then(Permissions::new);
            let bits = bits.ok_or(AttributeError::PermissionBits(asked))?;
            if bits != bits.of_entry() {
                return Err(AttributeError::PermissionsCreateBit(asked));
            }
            if !table.allows(bits.bits()) {
                return Err(AttributeError::PermissionsBeyondTable { asked, table });
            }
            Ok(bits)
        });
        Ok(Checked { dynamic: self.dynamic, profile, named_by, permissions: permissions.transpose()? })
    }
}

impl Checked {
    /// Returns the timer of an entry that is created: none, unless it is to be dynamic.
    pub(crate) fn timer_of_new(&self) -> Result<Timer, AttributeError> {
        match (self.dynamic, self.profile) {
            (Some(true), profile) => Ok(Timer::Of(profile.unwrap_or_default())),
            (_, Some(_)) => Err(AttributeError::NotAlongside(self.named_by)),
            (_, None) => Ok(Timer::Static),
        }
    }

    /// Returns the timer of an entry that is updated and was or was not dynamic before.
    pub(crate) fn timer_of_known(&self, was_dynamic: bool) -> Result<Timer, AttributeError> {
        match (self.dynamic.unwrap_or(was_dynamic), self.profile) {
            (false, _) if was_dynamic => Err(AttributeError::DynamicEntry),
            (false, Some(_)) => Err(AttributeError::StaticEntry(self.named_by)),
            (false, None) => Ok(Timer::Static),
            (true, Some(profile)) => Ok(Timer::Of(profile)),
            // "dynamic" and nothing more means the first profile, as in P4TC.
            (true, None) if self.dynamic.is_some() => Ok(Timer::Of(ProfileId::default())),
            (true, None) => Ok(Timer::Kept),
        }
    }
}

#[cfg(test)]
mod tests;
