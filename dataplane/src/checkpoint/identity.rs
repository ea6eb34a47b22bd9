//! Whose file it is: the data plane's name, its ports and its tables.

use flowtracker_proto::table::Family;

use crate::checkpoint::format::{Description, SavedAttributes, SavedPort};
use crate::checkpoint::read::Refused;
use crate::lcore::saving::TableState;

/// What a file has to agree with.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The name of the data plane.
    pub(crate) dataplane: String,
    /// The ports, by DPDK port id.
    pub(crate) ports: Vec<SavedPort>,
    /// The tables that are tracked, as the flags give them.
    pub(crate) tables: Vec<(Family, TableState)>,
}

impl Identity {
    /// Checks that the file was written by this data plane, with these ports and tables.
    ///
    /// # Errors
    /// What is different.
    pub(crate) fn check(&self, file: &Description) -> Result<(), Refused> {
        let other = |what: &str, theirs: String, ours: String| {
            Err(Refused::Other(format!("it has {what} {theirs}; here {what} is {ours}")))
        };
        if file.dataplane != self.dataplane {
            return other("--id", quoted(&file.dataplane), quoted(&self.dataplane));
        }
        if file.ports != self.ports {
            let list = |ports: &[SavedPort]| {
                let each = ports.iter().map(|port| format!("port{} {}", port.id, quoted(&port.device)));
                each.collect::<Vec<_>>().join(", ")
            };
            return other("the list of ports", list(&file.ports), list(&self.ports));
        }
        let theirs: Vec<_> = file.tables.iter().map(|table| table.pipeline.as_str()).collect();
        let ours: Vec<_> = self.tables.iter().map(|(family, _)| family.pipeline()).collect();
        if theirs != ours {
            let list = |names: &[&str]| names.iter().map(|n| quoted(n)).collect::<Vec<_>>().join(", ");
            return other("the list of tables", list(&theirs), list(&ours));
        }
        Ok(())
    }

    /// Returns the state that a table goes on with, if the file is about this data plane: what it was
    /// at the end, unless the flags give it other attributes than they did then.
    pub(crate) fn state(&self, family: Family, file: &Description) -> Option<TableState> {
        let (_, flags) = self.tables.iter().find(|(one, _)| *one == family)?;
        let saved = file.tables.iter().find(|table| table.pipeline == family.pipeline())?;
        let given = SavedAttributes::new(&flags.profiles, flags.permissions);
        let kept = saved.at_start.as_ref().is_some_and(|then| *then == given);
        let attributes = saved.at_end.as_ref().filter(|_| kept).and_then(SavedAttributes::get);
        let (profiles, permissions) = attributes
            .filter(|(profiles, _)| profiles.values().len() == flags.profiles.values().len())
            .unwrap_or((flags.profiles, flags.permissions));
        Some(TableState { attached: !saved.detached, profiles, permissions })
    }
}

/// Returns the text in quotes, with everything escaped that a log line must not have.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}
