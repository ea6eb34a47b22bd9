//! The places of lists, and which list gives way when all are taken.
//!
//! A list is read at the pace of its reader, and what its data plane has answered waits meanwhile. So
//! there are few places for each data plane. A list *stalls* while its reader takes nothing. When all
//! places are taken, the one that has stalled longest ends, if that is long enough; a list that holds
//! much ends without being asked, if it stalls for longer still. What it held is free at once. A
//! reader that does not even take in that its list has ended costs a stream; when too many do, the
//! connection of the first is ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::door::peer::Peer;

/// How long a list has to stall before it gives way to another.
pub const STALLED_FOR: Duration = Duration::from_secs(1);
/// How long a list that holds much may stall.
const PATIENCE: Duration = Duration::from_secs(10);

/// The places of all lists.
#[derive(Debug)]
pub struct Lists {
    /// Places for each data plane.
    most: usize,
    inside: Mutex<Inside>,
    /// Wakes those that wait for a place.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    running: Vec<Running>,
    /// Lists that have ended and whose readers do not know it yet, the oldest first.
    unread: VecDeque<(u64, Option<Peer>)>,
}

#[derive(Debug)]
struct Running {
    id: u64,
    dataplane: String,
    stalled_since: Option<Instant>,
    give_way: Arc<Notify>,
}

/// All places are taken, by lists that are being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The list has to end, because its reader takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled;

/// A list's place, which is free again when this is dropped.
#[derive(Debug)]
pub struct ListPlace {
    lists: Arc<Lists>,
    id: u64,
    give_way: Arc<Notify>,
}

/// A list that has ended and whose reader does not know it yet. When too many are such, the
/// connection of the first is ended.
#[derive(Debug)]
pub struct Unread {
    lists: Arc<Lists>,
    id: u64,
}

impl Lists {
    /// Creates `most` places for each data plane.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, inside: Mutex::default(), changed: Notify::new() })
    }

    /// Returns a place for a list of `dataplane`. While all are taken, it waits for as long as it
    /// takes to see which of them stalls.
    ///
    /// # Errors
    /// None stalls for long enough, and none ends in the meantime.
    pub async fn take(self: &Arc<Self>, dataplane: &str) -> Result<ListPlace, Full> {
        let by = Instant::now() + STALLED_FOR;
        loop {
            let changed = self.changed.notified();
            let next = match self.try_take(dataplane) {
                Ok(place) => return Ok(place),
                Err(next) => next,
            };
            // None can have stalled for long enough before the first of those that stall now.
            let until = next.map_or(by, |next| next.min(by));
            if timeout_at(until, changed).await.is_err() && until == by {
                return self.try_take(dataplane).map_err(|_| Full);
            }
        }
    }

    /// Returns when the first of the lists that stall will have stalled for long enough, if there is
    /// no place now.
    fn try_take(self: &Arc<Self>, dataplane: &str) -> Result<ListPlace, Option<Instant>> {
        let mut inside = self.lock();
        let of_it = inside.running.iter().filter(|list| list.dataplane == dataplane);
        if of_it.clone().count() >= self.most {
            let stalls = of_it.filter_map(|list| Some((list.stalled_since?, list.id)));
            let Some((since, id)) = stalls.min() else { return Err(None) };
            let due = since + STALLED_FOR;
            if Instant::now() < due {
                return Err(Some(due));
            }
            if let Some(at) = inside.running.iter().position(|list| list.id == id) {
                inside.running.swap_remove(at).give_way.notify_one();
            }
        }
        let give_way = Arc::new(Notify::new());
        let id = inside.next;
        inside.next += 1;
        let dataplane = dataplane.to_owned();
        inside.running.push(Running { id, dataplane, stalled_since: None, give_way: give_way.clone() });
        Ok(ListPlace { lists: self.clone(), id, give_way })
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ListPlace {
    /// Waits for `taken`, which is ready when the reader has taken something. `holds_much` says
    /// whether the list holds more than it may while nobody reads it.
    ///
    /// # Errors
    /// The list has to end instead.
    pub async fn stall<T>(
        &self,
        taken: impl Future<Output = T>,
        holds_much: impl Fn() -> bool,
    ) -> Result<T, Stalled> {
        self.set_stalled(Some(Instant::now()));
        let mut patience = Instant::now() + PATIENCE;
        let mut taken = std::pin::pin!(taken);
        loop {
            tokio::select! {
                biased;
                taken = &mut taken => {
                    self.set_stalled(None);
                    return Ok(taken);
                }
                () = self.give_way.notified() => return Err(Stalled),
                () = sleep_until(patience) => {
                    if holds_much() {
                        return Err(Stalled);
                    }
                    patience += STALLED_FOR;
                }
            }
        }
    }

    fn set_stalled(&self, since: Option<Instant>) {
        let mut inside = self.lists.lock();
        if let Some(list) = inside.running.iter_mut().find(|list| list.id == self.id) {
            list.stalled_since = since;
        }
        drop(inside);
        if since.is_some() {
            self.lists.changed.notify_waiters();
        }
    }

    /// Gives the place up, although the reader, who is at `peer`, has still to learn that the list
    /// has ended.
    #[must_use]
    pub fn end(self, peer: Option<Peer>) -> Unread {
        let (lists, id) = (self.lists.clone(), self.id);
        drop(self);
        let mut inside = lists.lock();
        inside.unread.push_back((id, peer));
        let first = if inside.unread.len() > lists.most { inside.unread.pop_front() } else { None };
        drop(inside);
        if let Some((_, Some(peer))) = first {
            peer.dismiss();
        }
        Unread { lists, id }
    }
}

impl Drop for ListPlace {
    fn drop(&mut self) {
        self.lists.lock().running.retain(|list| list.id != self.id);
        self.lists.changed.notify_waiters();
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.lists.lock().unread.retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_list_that_stalls_longest_gives_way() {
        let lists = Lists::new(2);
        let (first, second) = (lists.take("a").await.unwrap(), lists.take("a").await.unwrap());
        assert!(lists.take("b").await.is_ok(), "another data plane has places of its own");
        let begin = Instant::now();
        assert_eq!(lists.take("a").await.err(), Some(Full), "both are read");
        assert_eq!(begin.elapsed(), STALLED_FOR);

        let stalls = async |place: &ListPlace| place.stall(pending::<()>(), || true).await;
        let ended = tokio::select! {
            biased;
            Err(Stalled) = stalls(&second) => "second",
            Err(Stalled) = async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                stalls(&first).await
            } => "first",
            third = async {
                let third = lists.take("a").await;
                pending::<()>().await;
                third
            } => panic!("{third:?}"),
        };
        assert_eq!(ended, "second");
        assert_eq!(begin.elapsed(), 2 * STALLED_FOR);
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_holds_much_and_is_not_read_ends_by_itself() {
        let lists = Lists::new(1);
        let place = lists.take("a").await.unwrap();
        let begin = Instant::now();
        assert_eq!(place.stall(tokio::time::sleep(PATIENCE * 5), || false).await, Ok(()));
        let much = || begin.elapsed() > PATIENCE * 7;
        assert_eq!(place.stall(pending::<()>(), much).await, Err(Stalled));
        assert!(begin.elapsed() < PATIENCE * 8);
    }

    #[tokio::test]
    async fn a_place_that_is_given_up_is_free() {
        let lists = Lists::new(1);
        for _ in 0..3 {
            drop(lists.take("a").await.unwrap());
            let unread = lists.take("a").await.unwrap().end(None);
            assert_eq!(lists.lock().unread.len(), 1);
            drop(unread);
        }
        assert!(lists.lock().running.is_empty() && lists.lock().unread.is_empty());
    }
}
