//! The model of an entry, and of what a control program may change in it.

use conntrack::attributes::{AttributeError, Attributes, Field};
use conntrack::entry::ActorId;
use conntrack::{Entry, Permissions};

use super::MS;

/// All permission bits, and the two that create.
const BITS: u32 = 0x3fff;
const CREATE_BITS: u32 = 1 << 13 | 1 << 6;

/// The attributes that a writer may choose, and the writers that chose them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Settings {
    /// The aging in milliseconds, or `None` for a static entry.
    pub(super) aging_ms: Option<u64>,
    pub(super) profile: u8,
    pub(super) permissions: u16,
    pub(super) creator: ActorId,
    pub(super) updater: ActorId,
}

impl Settings {
    pub(super) fn of<K>(entry: &Entry<K>) -> Self {
        assert_eq!(entry.dynamic(), entry.aging_ms != 0);
        Settings {
            aging_ms: entry.dynamic().then_some(u64::from(entry.aging_ms)),
            profile: entry.profile.get(),
            permissions: entry.permissions.bits(),
            creator: entry.creator,
            updater: entry.updater,
        }
    }

    pub(super) fn allow(&self, bit: u16) -> bool {
        self.permissions & bit != 0
    }
}

/// One entry from its creation to its end.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) id: u64,
    pub(super) created_ns: u64,
    /// The time of the last packet or update.
    pub(super) last_ns: u64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) settings: Settings,
    /// True once its CREATED, or its entry in a resync, has been taken.
    pub(super) announced: bool,
    /// True if the engine has found it past its deadline and has not reported it yet.
    pub(super) dying: bool,
}

impl Life {
    pub(super) fn created_ms(&self) -> u64 {
        self.created_ns.div_ceil(MS)
    }

    /// Returns true if it has been idle for its own aging. A static entry is never overdue.
    pub(super) fn overdue(&self, ns: u64) -> bool {
        self.settings.aging_ms.is_some_and(|aging_ms| ns - self.last_ns >= aging_ms * MS)
    }
}

/// The table's attributes.
#[derive(Clone, Debug)]
pub(super) struct Attrs {
    /// The agings in milliseconds, by profile.
    pub(super) agings: Vec<u64>,
    pub(super) permissions: u16,
}

impl Attrs {
    /// Returns the permissions of an entry whose writer named none.
    pub(super) fn of_entry(&self) -> u16 {
        self.permissions & !(CREATE_BITS as u16)
    }

    /// Returns the profile that the attributes name by its number or by its value, if any.
    fn named(&self, asked: &Attributes) -> Option<usize> {
        let by_value = |ms| self.agings.iter().position(|aging| *aging == ms);
        asked.profile_id.map(|id| id as usize).or(asked.aging_ms.and_then(by_value))
    }

    /// Returns everything that is wrong with the attributes, whatever entry they are for.
    fn faults(&self, asked: &Attributes) -> Vec<AttributeError> {
        let mut faults = Vec::new();
        let mut check = |wrong: bool, fault| faults.extend(wrong.then_some(fault));
        check(asked.profile_id.is_some() && asked.aging_ms.is_some(), AttributeError::BothGiven);
        if let Some(id) = asked.profile_id {
            check(id > 15, AttributeError::ProfileRange(id));
            check(id <= 15 && id as usize >= self.agings.len(), AttributeError::ProfileUnknown(id));
        }
        if let Some(ms) = asked.aging_ms {
            check(!self.agings.contains(&ms), AttributeError::AgingUnknown(ms));
        }
        if let Some(bits) = asked.permissions {
            let table = Permissions::new(self.permissions).expect("14 bits");
            let beyond = bits & !u32::from(self.permissions) != 0;
            let known = bits & !BITS == 0;
            check(!known, AttributeError::PermissionBits(bits));
            check(known && bits & CREATE_BITS != 0, AttributeError::PermissionsCreateBit(bits));
            check(known && beyond, AttributeError::PermissionsBeyondTable { asked: bits, table });
        }
        faults
    }

    /// Returns the fields that name a timer.
    fn timer_fields(asked: &Attributes) -> impl Iterator<Item = Field> {
        let profile = asked.profile_id.map(|_| Field::ProfileId);
        profile.into_iter().chain(asked.aging_ms.map(|_| Field::AgingMs))
    }

    /// Returns what is wrong with the attributes for a new entry.
    pub(super) fn faults_of_new(&self, asked: &Attributes) -> Vec<AttributeError> {
        let mut faults = self.faults(asked);
        if asked.dynamic != Some(true) {
            faults.extend(Self::timer_fields(asked).map(AttributeError::NotAlongside));
        }
        faults
    }

    /// Returns what is wrong with the attributes for an entry that exists.
    pub(super) fn faults_of_known(&self, asked: &Attributes, old: &Settings) -> Vec<AttributeError> {
        let mut faults = self.faults(asked);
        match (old.aging_ms, asked.dynamic) {
            (Some(_), Some(false)) => faults.push(AttributeError::DynamicEntry),
            (Some(_), _) | (None, Some(true)) => {}
            (None, _) => faults.extend(Self::timer_fields(asked).map(AttributeError::StaticEntry)),
        }
        faults
    }

    /// Returns a new entry's settings, given attributes without a fault.
    pub(super) fn create(&self, asked: &Attributes, creator: ActorId) -> Settings {
        let profile = self.named(asked).unwrap_or(0);
        let dynamic = asked.dynamic == Some(true);
        Settings {
            aging_ms: dynamic.then(|| self.agings[profile]),
            profile: profile as u8,
            permissions: asked.permissions.map_or(self.of_entry(), |bits| bits as u16),
            creator,
            updater: ActorId::NONE,
        }
    }

    /// Returns the settings of an existing entry after an update. Attributes that are not named
    /// stay; `dynamic` alone selects the first profile.
    pub(super) fn update(&self, asked: &Attributes, old: &Settings, updater: ActorId) -> Settings {
        let spelled_out = (asked.dynamic == Some(true)).then_some(0);
        let (aging_ms, profile) = match self.named(asked).or(spelled_out) {
            Some(profile) => (Some(self.agings[profile]), profile as u8),
            None => (old.aging_ms, old.profile),
        };
        let permissions = asked.permissions.map_or(old.permissions, |bits| bits as u16);
        Settings { aging_ms, profile, permissions, updater, ..*old }
    }
}
