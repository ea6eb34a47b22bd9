//! P4TC's permission bits.

use core::fmt;

/// The 14 permission bits of a table or an entry: seven for the control plane (bits 13 to 7) and
/// seven for the data path (bits 6 to 0), each in the order create, read, update, delete, execute,
/// publish, subscribe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permissions(u16);

impl Permissions {
    pub(crate) const NONE: Permissions = Permissions(0);
    /// All bits that have a meaning.
    pub const MASK: u16 = 0x3fff;
    /// The control plane may create entries.
    pub const CONTROL_CREATE: u16 = 1 << 13;
    /// The control plane may read the entry.
    pub const CONTROL_READ: u16 = 1 << 12;
    /// The control plane may update the entry.
    pub const CONTROL_UPDATE: u16 = 1 << 11;
    /// The control plane may delete the entry.
    pub const CONTROL_DELETE: u16 = 1 << 10;
    /// Events and reads of the entry are published.
    pub const CONTROL_PUBLISH: u16 = 1 << 8;
    /// The data path may create entries: add-on-miss.
    pub const DATA_CREATE: u16 = 1 << 6;

    /// Returns permissions of these bits, or `None` when a bit without a meaning is set.
    #[must_use]
    pub fn new(bits: u16) -> Option<Self> {
        (bits & !Self::MASK == 0).then_some(Permissions(bits))
    }

    /// Returns the bits.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Returns true when every bit of `bits` is set.
    #[must_use]
    pub fn allows(self, bits: u16) -> bool {
        self.0 & bits == bits
    }

    /// Returns the permissions that an entry of a table with these gets: the same without both
    /// create bits.
    #[must_use]
    pub fn of_entry(self) -> Self {
        Permissions(self.0 & !(Self::CONTROL_CREATE | Self::DATA_CREATE))
    }
}

/// Writes fourteen letters `CRUDXPSCRUDXPS`, most significant bit first, `-` where clear.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, letter) in "CRUDXPSCRUDXPS".chars().enumerate() {
            let set = self.0 >> (13 - i) & 1 == 1;
            fmt::Write::write_char(f, if set { letter } else { '-' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn masks_read_as_p4tc_prints_them() {
        for (mask, table, entry) in [
            (0x3da4, "CRUD-PS-R--X--", "-RUD-PS-R--X--"),
            (0x3de6, "CRUD-PSCR--XP-", "-RUD-PS-R--XP-"),
            (0x3dfc, "CRUD-PSCRUDX--", "-RUD-PS-RUDX--"),
        ] {
            let permissions = Permissions::new(mask).expect("a valid mask");
            assert_eq!(permissions.to_string(), table);
            assert_eq!(permissions.of_entry().to_string(), entry);
        }
        assert_eq!(Permissions::new(0x4000), None);
    }
}
