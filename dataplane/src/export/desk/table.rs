//! The attributes of the table that all shards have in common, and how an update changes them.

use conntrack::tracker::TableChange;
use conntrack::{AttributeError, Permissions, ProfileId, Profiles};
use flowtracker_proto::table::Family;
use flowtracker_proto::{show, v1};

use crate::export::refusal::{self, Refused, all};

/// Attributes that the shards have in common.
#[derive(Debug)]
pub struct Table {
    /// The timer profiles.
    pub profiles: Profiles,
    /// The table's permissions.
    pub permissions: Permissions,
    /// Profile of entries that the data path learns.
    pub learn_profile: ProfileId,
}

impl Table {
    /// Returns the attributes as they will be after `update`.
    pub(super) fn updated(&self, update: &v1::UpdateTableCommand) -> Result<TableChange, Refused> {
        if update.profiles.is_empty() && update.permissions.is_none() {
            return Err(refusal::nothing_to_do());
        }
        let mut faults = Vec::new();
        let values = self.values(&update.profiles, &mut faults);
        let permissions = self.permissions(update).map_err(|refused| faults.push(refused));
        match (all(faults), Profiles::new(&values), permissions) {
            (None, Ok(profiles), Ok(permissions)) => Ok(TableChange { profiles, permissions }),
            (Some(refused), ..) => Err(refused),
            // Not reached: what `Profiles` refuses is among the faults.
            (None, ..) => Err(refusal::nothing_to_do()),
        }
    }

    /// Takes over a change that every shard has made.
    pub(super) fn apply(&mut self, change: TableChange) {
        (self.profiles, self.permissions) = (change.profiles, change.permissions);
    }

    /// Returns the agings after these changes, and adds what is wrong with them to `faults`.
    fn values(&self, changes: &[v1::TimerProfile], faults: &mut Vec<Refused>) -> Vec<u64> {
        let mut values: Vec<u64> = self.profiles.values().iter().map(|ms| u64::from(*ms)).collect();
        // By profile: which of the changes is about it.
        let mut changed_by = vec![None; values.len()];
        for (nth, change) in changes.iter().enumerate() {
            let field = format!("profiles[{nth}].profile_id");
            let id = change.profile_id;
            match values.get_mut(id as usize) {
                _ if ProfileId::new(id).is_none() => {
                    faults.push(refusal::attribute(field, AttributeError::ProfileRange(id)));
                }
                None => faults.push(refusal::attribute(field, AttributeError::ProfileUnknown(id))),
                Some(_) if changed_by[id as usize].is_some() => {
                    faults.push(refusal::profile_twice(field, id));
                }
                Some(value) => {
                    *value = change.aging_ms;
                    changed_by[id as usize] = Some(nth);
                }
            }
        }
        let change_of = |id: usize| changed_by.get(id).copied().flatten();
        let field = |id| format!("profiles[{}].aging_ms", change_of(id).unwrap_or_default());
        for (id, &value) in values.iter().enumerate() {
            if !(1..=Profiles::MAX_AGING_MS).contains(&value) {
                faults.push(refusal::aging_range(field(id), value));
            } else if let Some(other) = values[..id].iter().position(|&v| v == value) {
                // Of the two, a profile that the update changes is at fault.
                let (id, other) = if change_of(id).is_some() { (id, other) } else { (other, id) };
                faults.push(refusal::aging_duplicate(field(id), value, other));
            }
        }
        values
    }

    fn permissions(&self, update: &v1::UpdateTableCommand) -> Result<Permissions, Refused> {
        let Some(asked) = update.permissions else { return Ok(self.permissions) };
        u16::try_from(asked)
            .ok()
            .and_then(Permissions::new)
            .ok_or_else(|| refusal::attribute("permissions", AttributeError::PermissionBits(asked)))
    }

    /// Describes the table as the API shows it.
    pub(super) fn describe(
        &self,
        family: Family,
        dataplane: &str,
        attached: bool,
        mut shards: Vec<v1::Shard>,
    ) -> v1::Table {
        let table = family.table();
        shards.sort_by_key(|shard| shard.lcore);
        let permissions = u32::from(self.permissions.bits());
        let profiles = self.profiles.values().iter().zip(0..);
        v1::Table {
            dataplane: dataplane.to_owned(),
            pipeline: table.pipeline.to_owned(),
            name: table.name.to_owned(),
            key_bits: table.key_bits(),
            max_entries: shards.iter().map(|s| s.capacity).sum(),
            entries: shards.iter().map(|s| s.entries).sum(),
            permissions,
            permissions_text: show::permissions_text(permissions),
            profiles: profiles
                .map(|(ms, id)| v1::TimerProfile { profile_id: id, aging_ms: (*ms).into() })
                .collect(),
            learn_profile_id: self.learn_profile.get().into(),
            shards,
            detached: !attached,
        }
    }
}
