//! Who is in: connections, and which of them gives way when there are too many.
//!
//! A connection is *busy* while it has a call under way; one that has none *waits*, whether it has
//! just come, has never said a word, or had calls before. When there are more connections than
//! places, those that wait give way to newcomers: first those that never had a call, the oldest
//! first, then those whose last call is longest ago. Nobody's address counts, because behind a proxy
//! all connections have the same.
//!
//! A newcomer does not say what it is. So a few connections may wait beyond the bound even when all
//! places are busy: there they show by their first call whether they are a data plane, which has
//! places of its own; a probe of health, which needs none; or a user, who is refused by name. A link
//! is a connection with a stream of [`Kind::Link`]; when its last one ends, it waits like others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// How many connections may wait although all places are busy, at most.
const ARRIVING: usize = 16;

/// What a call is, as far as places are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It keeps its connection busy while it runs.
    User,
    /// It makes its connection a data plane's link.
    Link,
    /// It is answered at once, and needs no place.
    Health,
}

/// How a connection that has to go is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Now.
    AtOnce,
    /// Once the peer had time to read what it was told.
    Soon,
}

/// There is no place for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The places of one kind of door.
#[derive(Debug)]
pub struct Places {
    most: usize,
    arriving: usize,
    links: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    /// The connections in the order in which they came.
    connections: BTreeMap<u64, Connection>,
    busy: usize,
    links: usize,
    /// Numbers connections and calls, so that the older of two can be told.
    clock: u64,
}

#[derive(Debug)]
struct Connection {
    calls: usize,
    attached: usize,
    /// True while it has one of the places for links.
    is_link: bool,
    /// When its last call ended, by [`Inside::clock`]; 0 before its first.
    last: u64,
    signal: Arc<Signal>,
}

#[derive(Debug, Default)]
struct Signal {
    at_once: AtomicBool,
    soon: AtomicBool,
    called: AtomicBool,
    changed: Notify,
}

/// A connection's place, which is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    id: u64,
    signal: Arc<Signal>,
}

/// A call that is under way until this is dropped.
#[derive(Debug)]
pub struct Call {
    place: Arc<Place>,
    kind: Kind,
}

impl Places {
    /// Creates `most` places for users' connections, and `links` more for data planes.
    #[must_use]
    pub fn new(most: usize, links: usize) -> Arc<Self> {
        let arriving = (most / 4).clamp(1, ARRIVING);
        Arc::new(Self { most, arriving, links, inside: Mutex::default() })
    }

    /// Returns how many connections there can be at a time, with those that are on their way in and
    /// as many that are on their way out.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.most + 2 * self.arriving + self.links
    }

    /// Lets a newcomer in. Returns its place, and how many others have to go for it.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> (Place, usize) {
        let mut inside = self.lock();
        let id = inside.tick();
        let signal = Arc::new(Signal::default());
        let connection =
            Connection { calls: 0, attached: 0, is_link: false, last: 0, signal: signal.clone() };
        inside.connections.insert(id, connection);
        let mut gone = 0;
        while inside.users() > self.most && inside.users() - inside.busy > self.arriving {
            gone += usize::from(inside.send_away(Some(id)));
        }
        (Place { places: self.clone(), id, signal }, gone)
    }

    /// Sends away the connection that gives way first. Returns false when none waits.
    pub fn make_room(&self) -> bool {
        self.lock().send_away(None)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Returns the number of connections that have no place for links.
    fn users(&self) -> usize {
        self.connections.len() - self.links
    }

    fn send_away(&mut self, but: Option<u64>) -> bool {
        let waiting = self.connections.iter().filter(|(id, c)| c.calls == 0 && Some(**id) != but);
        let Some(first) = waiting.min_by_key(|(id, c)| (c.last, **id)).map(|(id, _)| *id) else {
            return false;
        };
        if let Some(connection) = self.connections.remove(&first) {
            connection.signal.leave(Leave::AtOnce);
        }
        true
    }
}

impl Signal {
    fn leave(&self, how: Leave) {
        match how {
            Leave::AtOnce => self.at_once.store(true, Ordering::Release),
            Leave::Soon => self.soon.store(true, Ordering::Release),
        }
        self.changed.notify_one();
    }
}

impl Place {
    /// Begins a call.
    ///
    /// # Errors
    /// The connection has no call yet, and there is no place for one more that has.
    pub fn begin(self: &Arc<Self>, kind: Kind) -> Result<Call, Full> {
        self.signal.called.store(true, Ordering::Release);
        let mut inside = self.places.lock();
        let now = inside.tick();
        let Inside { connections, busy, links, .. } = &mut *inside;
        // One that was sent away a moment ago is about to end with its calls.
        let Some(connection) = connections.get_mut(&self.id) else { return Err(Full) };
        connection.last = now;
        if kind != Kind::Health {
            let was_busy = connection.calls > 0 && !connection.is_link;
            if kind == Kind::Link && !connection.is_link && *links < self.places.links {
                (connection.is_link, *links, *busy) = (true, *links + 1, *busy - usize::from(was_busy));
            }
            if !connection.is_link && !was_busy {
                if *busy >= self.places.most {
                    return Err(Full);
                }
                *busy += 1;
            }
            connection.calls += 1;
            connection.attached += usize::from(kind == Kind::Link);
        }
        Ok(Call { place: self.clone(), kind })
    }

    /// Returns whether there was a call.
    #[must_use]
    pub fn was_called(&self) -> bool {
        self.signal.called.load(Ordering::Acquire)
    }

    /// Asks the connection to end.
    pub fn leave(&self, how: Leave) {
        self.signal.leave(how);
    }

    /// Waits until the connection has to go. It is called by one task.
    pub async fn leaving(&self) -> Leave {
        loop {
            if self.signal.at_once.load(Ordering::Acquire) {
                return Leave::AtOnce;
            }
            if self.signal.soon.swap(false, Ordering::AcqRel) {
                return Leave::Soon;
            }
            self.signal.changed.notified().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.places.lock();
        if let Some(connection) = inside.connections.remove(&self.id) {
            if connection.is_link {
                inside.links -= 1;
            } else if connection.calls > 0 {
                inside.busy -= 1;
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.kind == Kind::Health {
            return;
        }
        let mut inside = self.place.places.lock();
        let now = inside.tick();
        let Inside { connections, busy, links, .. } = &mut *inside;
        let Some(connection) = connections.get_mut(&self.place.id) else { return };
        connection.calls -= 1;
        connection.attached -= usize::from(self.kind == Kind::Link);
        connection.last = now;
        if connection.is_link && connection.attached == 0 {
            (connection.is_link, *links) = (false, *links - 1);
            if connection.calls == 0 {
                return;
            }
            // Calls of a user that shared the link go on, if there is a place for a user.
            if *busy < self.place.places.most {
                *busy += 1;
            } else {
                connection.signal.leave(Leave::AtOnce);
                connections.remove(&self.place.id);
            }
        } else if !connection.is_link && connection.calls == 0 {
            *busy -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
