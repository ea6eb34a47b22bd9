//! What a start takes over from the run before: the file of `--checkpoint`.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use conntrack::{FlowKey, FlowKeyV6, FlowTable};
use dpdk::Port;
use flowtracker_proto::table::Family;
use flowtracker_proto::v1;
use tracing::{info, warn};

use crate::checkpoint::format::SavedPort;
use crate::checkpoint::identity::Identity;
use crate::checkpoint::read::Checkpoint;
use crate::checkpoint::restore::{self, Restored};
use crate::checkpoint::saver::Saver;
use crate::export::{Desk, WallClock};
use crate::lcore::clock::{Clock, Reading};
use crate::lcore::family::families;
use crate::lcore::saving::{SaveHandle, TableState};
use crate::lcore::worker::Worker;
use crate::start::config::Config;

/// The file of `--checkpoint`, and what it says.
pub(super) struct Resume {
    path: PathBuf,
    every: Duration,
    identity: Identity,
    /// The file of the run before, if there is one and it is not refused.
    file: Option<Checkpoint<File>>,
    refused: bool,
}

impl Resume {
    /// Reads the file, if the options name one. A file that is refused is told, and the start goes on
    /// without it.
    pub(super) fn open(config: &Config, ports: &[Port<'_>]) -> Option<Self> {
        let path = config.options.checkpoint.clone()?;
        let state = |family| {
            let tracker = config.tracker(family);
            TableState { attached: true, profiles: tracker.profiles, permissions: tracker.permissions }
        };
        let port =
            |port: &Port<'_>| SavedPort { id: port.id().0.into(), device: port.device_name().to_owned() };
        let identity = Identity {
            dataplane: config.id().to_owned(),
            ports: ports.iter().map(port).collect(),
            tables: families(config.options.families).map(|family| (family, state(family))).collect(),
        };
        let opened = restore::open(&path, &identity);
        match &opened {
            Err(reason) => warn!("{} is not restored: {reason}; the tables are empty", path.display()),
            Ok(None) => info!("{} does not exist yet; the tables are empty", path.display()),
            Ok(Some(_)) => {}
        }
        let refused = opened.is_err();
        let every = Duration::from_secs(config.options.checkpoint_every);
        Some(Resume { path, every, identity, file: opened.ok().flatten(), refused })
    }

    /// Returns the last reading of the clock of the run before.
    pub(super) fn last_reading(&self) -> Option<Reading> {
        let file = &self.file.as_ref()?.description;
        Some(Reading { ns: file.at_ns, unix_ns: file.unix_ns })
    }

    /// Returns the Unix time of the instants of `clock`, which goes on from that of the run before.
    pub(super) fn wall(&self, clock: Clock) -> WallClock {
        let steps = self.file.iter().flat_map(|file| &file.description.steps);
        WallClock::continued(clock, &steps.map(|step| (step.from_ns, step.ms)).collect::<Vec<_>>())
    }

    /// Returns the state that a table goes on with.
    pub(super) fn state(&self, family: Family) -> Option<TableState> {
        self.identity.state(family, &self.file.as_ref()?.description)
    }

    /// Puts the entries back into the tables, which are empty.
    pub(super) fn restore<T: FlowTable<Key = FlowKey>, U: FlowTable<Key = FlowKeyV6>>(
        &mut self,
        workers: &mut [Worker<'_, T, U>],
        owners: &BTreeMap<u16, Option<usize>>,
        clock: Clock,
    ) {
        let states = Family::ALL.map(|family| self.state(family));
        let Some(file) = &mut self.file else { return };
        let (now, mut all) = (clock.now(), Restored::default());
        for (family, state) in Family::ALL.into_iter().zip(states) {
            let Some(state) = state else { continue };
            let shards = workers.iter_mut().map(|worker| &mut worker.shard);
            let restored = match family {
                Family::Ipv4 => {
                    let mut shards: Vec<_> = shards.map(|shard| &mut shard.ipv4).collect();
                    restore::restore::<FlowKey, _>(file, &mut shards, owners, state, now)
                }
                Family::Ipv6 => {
                    let mut shards: Vec<_> = shards.map(|shard| &mut shard.ipv6).collect();
                    restore::restore::<FlowKeyV6, _>(file, &mut shards, owners, state, now)
                }
            };
            match restored {
                Ok(restored) => all += restored,
                Err(error) => warn!("{} is restored in part: {error}", self.path.display()),
            }
        }
        let Restored { entries, no_shard, no_room } = all;
        info!(
            "{entries} entries of {} are restored; left out: {no_shard} whose port several lcores share, \
             {no_room} without room",
            self.path.display()
        );
    }

    /// Tells the desk the authors whom entries name.
    pub(super) fn tell_authors(&self, desk: &mut Desk) {
        let authors = self.file.iter().flat_map(|file| &file.description.authors);
        desk.restore_authors(
            authors.filter_map(|v1::Author { number, actor }| {
                Some((u16::try_from(*number).ok()?, actor.clone()?))
            }),
        );
    }

    /// Returns what writes the file from now on.
    pub(super) fn saver(
        self,
        (ipv4, ipv6): (Vec<SaveHandle<FlowKey>>, Vec<SaveHandle<FlowKeyV6>>),
        desk: &Desk,
        wall: &WallClock,
        clock: Clock,
    ) -> Saver {
        Saver {
            path: self.path,
            every: self.every,
            identity: self.identity,
            ipv4,
            ipv6,
            names: desk.names(),
            steps: wall.steps(),
            clock,
            refused: self.refused,
        }
    }
}
