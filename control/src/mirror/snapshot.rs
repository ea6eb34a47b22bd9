//! Copies of the mirror, which snapshots are sent from.
//!
//! A copy holds every table, and its reader may read it slowly or never, so copies are few. While
//! nothing changes, one copy serves all readers. A reader that has to wait gets the next copy that
//! is made. After a copy the service pauses for a multiple of the time that it took. A copy that
//! nobody reads from is taken away, at once when there are too many, else after a while; its readers
//! start over with a new one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::{Duration, Instant, sleep_until};

use crate::mirror::registry::SnapshotPart;

/// Number of copies that may exist at a time.
const COPIES: usize = 8;
/// Length of the pause after a copy, as a multiple of the time that the copy took.
const PAUSE: u32 = 9;
/// How long a copy is kept for readers that take nothing of it.
const UNREAD_FOR: Duration = Duration::from_secs(10);

/// The entries of all data planes at one moment.
#[derive(Debug)]
pub struct Copy {
    cut: u64,
    parts: Mutex<Parts>,
}

#[derive(Debug)]
struct Parts {
    /// `None` once the copy was taken away.
    all: Option<Arc<Vec<SnapshotPart>>>,
    /// When a reader last took something.
    read: Instant,
}

impl Copy {
    /// Returns the number of the last event that is contained in the copy.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    /// Returns the entries by data plane, or `None` when the copy was taken away. Do not keep them
    /// while waiting for a client.
    pub fn parts(&self) -> Option<Arc<Vec<SnapshotPart>>> {
        let mut parts = self.lock();
        parts.read = Instant::now();
        parts.all.clone()
    }

    fn read(&self) -> Instant {
        self.lock().read
    }

    /// Returns false when it was taken away before.
    fn take_away(&self) -> bool {
        self.lock().all.take().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The copies in use.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    latest: tokio::sync::Mutex<Latest>,
    taken_away: AtomicU64,
}

#[derive(Debug, Default)]
struct Latest {
    /// When the last copy was made, and when the next may be made.
    made: Option<(Instant, Instant)>,
    in_use: VecDeque<Weak<Copy>>,
}

impl Copies {
    /// Returns a copy that is no older than this call. It is made by `make`, unless another
    /// reader's copy was made since, or the last copy's cut is still the last event as `last_seq`
    /// returns it.
    pub(crate) async fn take(
        &self,
        last_seq: impl Fn() -> u64,
        make: impl FnOnce() -> (u64, Vec<SnapshotPart>),
    ) -> Arc<Copy> {
        let asked = Instant::now();
        let mut latest = self.latest.lock().await;
        if let Some((made, next)) = latest.made {
            if let Some(copy) = latest.in_use.back().and_then(Weak::upgrade)
                && (made > asked || copy.cut == last_seq())
            {
                return copy;
            }
            sleep_until(next).await;
        }
        let begin = Instant::now();
        let (cut, parts) = make();
        let copy = Arc::new(Copy {
            cut,
            parts: Mutex::new(Parts { all: Some(Arc::new(parts)), read: Instant::now() }),
        });
        latest.made = Some((begin, Instant::now() + pause(begin.elapsed())));
        latest.in_use.retain(|copy| copy.strong_count() > 0);
        while latest.in_use.len() >= COPIES {
            let read = |copy: &Weak<Copy>| copy.upgrade().map(|copy| copy.read());
            let unread = (0..latest.in_use.len()).min_by_key(|at| read(&latest.in_use[*at]));
            let unread = unread.and_then(|at| latest.in_use.remove(at)).and_then(|copy| copy.upgrade());
            self.count_taken(unread.is_some_and(|copy| copy.take_away()));
        }
        latest.in_use.push_back(Arc::downgrade(&copy));
        copy
    }

    /// Takes away the copies that nobody has read from for [`UNREAD_FOR`]. Returns how many were
    /// taken away since the last call, for this reason or to make room.
    pub(crate) fn take_back(&self) -> u64 {
        // While a copy is being made or waited for, there is a next time.
        if let Ok(mut latest) = self.latest.try_lock() {
            let now = Instant::now();
            latest.in_use.retain(|copy| {
                let Some(copy) = copy.upgrade() else { return false };
                let unread = now.duration_since(copy.read()) >= UNREAD_FOR;
                self.count_taken(unread && copy.take_away());
                !unread
            });
        }
        self.taken_away.swap(0, Ordering::Relaxed)
    }

    fn count_taken(&self, taken: bool) {
        self.taken_away.fetch_add(taken.into(), Ordering::Relaxed);
    }
}

fn pause(took: Duration) -> Duration {
    took.saturating_mul(PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(cut: u64) -> (u64, Vec<SnapshotPart>) {
        (cut, Vec::new())
    }

    #[tokio::test]
    async fn who_asks_later_gets_a_later_copy() {
        let copies = Copies::default();
        let first = copies.take(|| 1, || of(1)).await;
        let second = copies.take(|| 2, || of(2)).await;
        let third = copies.take(|| 2, || of(3)).await;
        assert_eq!((first.cut(), second.cut()), (1, 2));
        assert!(Arc::ptr_eq(&second, &third), "nothing has happened since");
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_wait_share_the_next_copy() {
        let copies = Arc::new(Copies::default());
        let held = copies.latest.lock().await;
        let wait = |cut| {
            let copies = copies.clone();
            tokio::spawn(async move { copies.take(|| 9, || of(cut)).await })
        };
        let waiting = [wait(1), wait(2), wait(3)];
        tokio::task::yield_now().await;
        // Tokio's paused clock advances only when a task sleeps; the copy must be made later than
        // it was asked for.
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(held);
        let mut cuts = Vec::new();
        for copy in waiting {
            cuts.push(copy.await.expect("no panic").cut());
        }
        assert!(cuts.iter().all(|cut| *cut == cuts[0]), "{cuts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_copy_that_nobody_has_read_for_longest_is_taken_away() {
        let copies = Copies::default();
        let mut held = Vec::new();
        for cut in 0..COPIES as u64 {
            held.push(copies.take(|| cut, || of(cut)).await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(held[0].parts().is_some());
        held.push(copies.take(|| 99, || of(99)).await);
        let gone = held.iter().filter(|copy| copy.lock().all.is_none()).map(|copy| copy.cut());
        assert_eq!(gone.collect::<Vec<_>>(), [1]);
        assert_eq!((copies.take_back(), copies.take_back()), (1, 0));
        tokio::time::sleep(UNREAD_FOR - Duration::from_millis(1)).await;
        assert!(held[4].parts().is_some());
        assert_eq!(copies.take_back(), 5, "all but the first, the one read and the last");
        tokio::time::sleep(UNREAD_FOR).await;
        assert_eq!(copies.take_back(), 3);
        assert!(held.iter().all(|copy| copy.parts().is_none()));
    }

    #[tokio::test]
    async fn the_oldest_of_too_many_copies_is_taken_away() {
        let copies = Copies::default();
        let mut held = Vec::new();
        for cut in 0..COPIES as u64 + 3 {
            held.push(copies.take(|| cut, || of(cut)).await);
        }
        let gone = held.iter().filter(|copy| copy.parts().is_none()).map(|copy| copy.cut());
        assert_eq!(gone.collect::<Vec<_>>(), [0, 1, 2]);
        // Copies that nobody holds do not count.
        drop(held);
        let mut held = Vec::new();
        for cut in 0..COPIES as u64 {
            held.push(copies.take(|| cut, || of(cut)).await);
        }
        assert!(held.iter().all(|copy| copy.parts().is_some()));
    }
}
