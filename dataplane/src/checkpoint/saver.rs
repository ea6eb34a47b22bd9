//! Writes the file: every interval from what the lcores send, and once they have stopped from the
//! tables themselves.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use conntrack::tracker::{Cursor, Step};
use conntrack::{ActorId, Entry, FlowKey, FlowKeyV6, FlowTable, Tracker};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1;
use tracing::{info, warn};

use crate::checkpoint::format::{ClockStep, Description, SavedAttributes, SavedTable};
use crate::checkpoint::identity::Identity;
use crate::checkpoint::write::{Writer, beside, replace};
use crate::export::{ClockSteps, Names};
use crate::lcore::clock::Clock;
use crate::lcore::family::TableKey;
use crate::lcore::saving::{Part, SaveHandle, TableState};

/// How long the thread sleeps while it waits for lcores.
const NAP: Duration = Duration::from_millis(1);
/// How long it sleeps while it waits for the next interval.
const REST: Duration = Duration::from_millis(50);

/// The file that is written.
type Out = Writer<BufWriter<File>>;

/// The shards' ends of a table, by lcore.
type Shards<K> = Vec<SaveHandle<K>>;

/// Writes the file of one data plane.
pub(crate) struct Saver {
    /// The file.
    pub(crate) path: PathBuf,
    /// The time from one file to the next.
    pub(crate) every: Duration,
    /// What the file says about the data plane.
    pub(crate) identity: Identity,
    /// The lcores' ends.
    pub(crate) ipv4: Shards<FlowKey>,
    /// The same for IPv6.
    pub(crate) ipv6: Shards<FlowKeyV6>,
    /// The control programs that entries name.
    pub(crate) names: Names,
    /// The differences that creation times have.
    pub(crate) steps: ClockSteps,
    /// The lcores' clock.
    pub(crate) clock: Clock,
    /// The file that is there was refused, and is kept under another name.
    pub(crate) refused: bool,
}

/// What a file needs besides the entries, as it is found among them.
#[derive(Default)]
struct Found {
    states: Vec<(Family, TableState)>,
    authors: BTreeMap<u16, v1::Actor>,
}

impl Found {
    /// Writes an entry. Its authors are looked up at once, while it keeps their numbers from being
    /// given to others.
    fn entry<K: TableKey>(
        &mut self,
        out: &mut Out,
        names: &Names,
        entry: &Entry<K>,
        at_ns: u64,
    ) -> io::Result<()> {
        for ActorId(number) in [entry.creator, entry.updater] {
            if number >= ActorId::FIRST_CONTROL && !self.authors.contains_key(&number) {
                self.authors.extend(names.get(number).map(|actor| (number, actor)));
            }
        }
        out.entry(entry, at_ns)
    }

    /// Takes in the state of a table of one shard. A table of which one shard is detached is detached.
    fn state(&mut self, family: Family, state: TableState) {
        match self.states.iter_mut().find(|(one, _)| *one == family) {
            Some((_, known)) => known.attached &= state.attached,
            None => self.states.push((family, state)),
        }
    }
}

impl Saver {
    /// Writes a file every interval until `finish` is set.
    pub(crate) fn run(&mut self, finish: &AtomicBool) {
        let mut next = Instant::now() + self.every;
        let mut complained = false;
        while !finish.load(Ordering::Acquire) {
            if Instant::now() < next {
                std::thread::sleep(REST);
                continue;
            }
            match self.save_live(finish) {
                Ok(_) => complained = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return,
                Err(error) if complained => tracing::debug!("checkpoint: {error}"),
                Err(error) => {
                    warn!("no checkpoint in {}: {error}", self.path.display());
                    complained = true;
                }
            }
            next = Instant::now() + self.every;
        }
    }

    /// Writes a file from what the lcores send. Ends early when `finish` is set, because nobody
    /// answers then.
    fn save_live(&mut self, finish: &AtomicBool) -> io::Result<u64> {
        self.save(|saver, out, found| {
            saver.ask::<FlowKey>(&saver.ipv4, finish, out, found)?;
            saver.ask::<FlowKeyV6>(&saver.ipv6, finish, out, found)
        })
    }

    /// Reads one table of every shard in turn.
    fn ask<K: TableKey>(
        &self,
        shards: &[SaveHandle<K>],
        finish: &AtomicBool,
        out: &mut Out,
        found: &mut Found,
    ) -> io::Result<()> {
        for shard in shards {
            shard.ask();
            // After an error the rest of the answer is read as well, so that the next one is apart.
            let mut written = Ok(());
            loop {
                match shard.part() {
                    Some(Part::Entry { at_ns, entry }) if written.is_ok() => {
                        written = found.entry(out, &self.names, &entry, at_ns);
                    }
                    Some(Part::Entry { .. }) => {}
                    Some(Part::End(state)) => {
                        found.state(K::FAMILY, state);
                        written?;
                        break;
                    }
                    None if finish.load(Ordering::Acquire) => return Err(io::ErrorKind::Interrupted.into()),
                    None => std::thread::sleep(NAP),
                }
            }
        }
        Ok(())
    }

    /// Writes the last file, from the tables of lcores that have stopped.
    pub(crate) fn save_stopped<T: FlowTable<Key = FlowKey>, U: FlowTable<Key = FlowKeyV6>>(
        &mut self,
        ipv4: &[&Tracker<T>],
        ipv6: &[&Tracker<U>],
    ) {
        let begun = Instant::now();
        let saved = self.save(|saver, out, found| {
            read(ipv4, saver, out, found)?;
            read(ipv6, saver, out, found)
        });
        let path = self.path.display();
        match saved {
            Ok(entries) => info!("{entries} entries are in {path}, written in {:.0?}", begun.elapsed()),
            Err(error) => warn!("no checkpoint in {path}: {error}"),
        }
    }

    fn save(&mut self, fill: impl FnOnce(&Self, &mut Out, &mut Found) -> io::Result<()>) -> io::Result<u64> {
        let aside = self.refused.then(|| refused_name(&self.path));
        let entries = replace(&self.path, aside.as_deref(), |out| {
            let mut found = Found::default();
            fill(self, out, &mut found)?;
            Ok(self.describe(found))
        })?;
        self.refused = false;
        Ok(entries)
    }

    fn describe(&self, found: Found) -> Description {
        let tables = self.identity.tables.iter().map(|(family, flags)| {
            let end = found.states.iter().find(|(one, _)| one == family).map_or(*flags, |(_, state)| *state);
            SavedTable {
                pipeline: family.pipeline().to_owned(),
                at_start: Some(SavedAttributes::new(&flags.profiles, flags.permissions)),
                at_end: Some(SavedAttributes::new(&end.profiles, end.permissions)),
                detached: !end.attached,
            }
        });
        let authors = found.authors.into_iter();
        let now = self.clock.any_reading();
        Description {
            at_ns: now.ns,
            unix_ns: now.unix_ns,
            dataplane: self.identity.dataplane.clone(),
            ports: self.identity.ports.clone(),
            tables: tables.collect(),
            steps: self.steps.all().into_iter().map(|(from_ns, ms)| ClockStep { from_ns, ms }).collect(),
            authors: authors
                .map(|(number, actor)| v1::Author { number: number.into(), actor: Some(actor) })
                .collect(),
        }
    }
}

/// Returns the name under which a file that was refused is kept.
pub(super) fn refused_name(path: &Path) -> PathBuf {
    beside(path, ".refused")
}

/// Writes the entries of a table of lcores that have stopped.
fn read<K: TableKey, T: FlowTable<Key = K>>(
    shards: &[&Tracker<T>],
    saver: &Saver,
    out: &mut Out,
    found: &mut Found,
) -> io::Result<()> {
    let at_ns = saver.clock.now().ns;
    for tracker in shards {
        let mut cursor = Cursor::default();
        while let Step::Entry(entry) = tracker.step(&mut cursor, &mut { u32::MAX }) {
            found.entry(out, &saver.names, &entry, at_ns)?;
        }
        found.state(K::FAMILY, TableState::of(tracker));
    }
    Ok(())
}
