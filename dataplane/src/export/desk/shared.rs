//! What the desks of both tables have in common: the ports, the authors, and the answers that wait.

use std::collections::{BTreeMap, VecDeque};

use conntrack::{ActorId, FlowKey, FlowKeyV6};
use flowtracker_proto::table::Family;
use flowtracker_proto::v1;

use crate::export::authors::Authors;
use crate::export::refusal::{self, Refused};
use crate::lcore::family::TableKey;

/// What the desks of both tables have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) dataplane: String,
    /// By DPDK port id: the index of the shard that receives all frames of the port; `None` where
    /// several do.
    pub(super) owners: BTreeMap<u16, Option<usize>>,
    pub(super) authors: Authors,
    pub(super) answers: VecDeque<v1::Reply>,
    /// `answers` holds one that the events of its command have to precede.
    pub(super) events_first: bool,
    /// A sweep of the authors has begun, and no table has been asked yet.
    pub(super) sweep_due: bool,
    sweep: Sweep,
}

/// The sweep of the authors that is under way.
#[derive(Debug, Default)]
struct Sweep {
    /// Tables that have not ended it.
    tables: usize,
    /// It has met all entries of the others.
    whole: bool,
}

impl Shared {
    pub(super) fn new(dataplane: String, owners: BTreeMap<u16, Option<usize>>) -> Self {
        Shared {
            dataplane,
            owners,
            authors: Authors::new(),
            answers: VecDeque::new(),
            events_first: false,
            sweep_due: false,
            sweep: Sweep::default(),
        }
    }

    /// Returns the table of a command about this key, on a port that exists.
    pub(super) fn family_of_key(&self, bytes: &[u8]) -> Result<Family, Refused> {
        match bytes.len() {
            <FlowKey as TableKey>::BYTES => Ok(Family::Ipv4),
            <FlowKeyV6 as TableKey>::BYTES => Ok(Family::Ipv6),
            _ => self.check_port(bytes).and_then(|()| Err(refusal::bad_key())),
        }
    }

    /// Checks the port of a key. It is looked at first, and in all of its 32 bits, so that the
    /// refusal can name it.
    pub(super) fn check_port(&self, key: &[u8]) -> Result<(), Refused> {
        let port = key.first_chunk().map_or(0, |port| u32::from_le_bytes(*port));
        let id = port.checked_sub(1).and_then(|id| u16::try_from(id).ok());
        if id.is_some_and(|id| self.owners.contains_key(&id)) {
            Ok(())
        } else {
            Err(refusal::unknown_port(port, self.owners.keys().copied()))
        }
    }

    /// Returns the shard that receives all frames of a port.
    pub(super) fn owner(&self, port: u16) -> Result<usize, Refused> {
        let owner = self.owners.get(&port).copied().flatten();
        owner.ok_or_else(|| refusal::flow_owner_unknown(port))
    }

    /// Returns the number of an author, and begins a sweep for numbers that are free again when one
    /// is due. A refused author may be accepted when two sweeps have ended.
    pub(super) fn author(&mut self, actor: Option<v1::Actor>) -> Result<ActorId, Refused> {
        let id = self.authors.assign(actor.unwrap_or_default());
        self.sweep_due |= self.authors.begin_sweep(id.is_none());
        id.ok_or_else(refusal::too_many_authors)
    }

    /// Notes which tables read their entries for a sweep: those that could be asked, of all.
    pub(super) fn sweeps(&mut self, asked: usize, all: usize) {
        self.sweep = Sweep { tables: asked, whole: asked == all };
        if asked == 0 {
            self.authors.end_sweep(false);
        }
    }

    /// Notes the end of a sweep in one table. `whole` says whether it has met all entries there.
    pub(super) fn swept(&mut self, whole: bool) {
        self.sweep.tables -= 1;
        self.sweep.whole &= whole;
        if self.sweep.tables == 0 {
            self.authors.end_sweep(self.sweep.whole);
        }
    }
}
