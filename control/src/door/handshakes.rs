//! Handshakes that are refused: each is counted, and has a line in the audit log within a bound.
//!
//! Whoever reaches a port can make handshakes fail, faster than a disk should have to take lines of
//! them. So at most [`LINES`] are written within a second. The next line tells how many were left out.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::door::Door;
use crate::door::bearer::Bearer;
use crate::door::peer::Origin;
use crate::door::places::Place;
use crate::door::tls::{Opened, Protocol, Refused};

/// Lines about handshakes that are written within [`WITHIN`].
pub const LINES: usize = 10;
/// The time in which no more than [`LINES`] are written.
pub const WITHIN: Duration = Duration::from_secs(1);

/// Decides which handshakes have a line.
#[derive(Debug, Default)]
pub struct Pace {
    /// When the last lines were written, at most [`LINES`] of them.
    written: VecDeque<Instant>,
    left_out: u64,
}

impl Pace {
    /// Decides about a handshake that was refused `now`. Returns how many had no line since the last
    /// one that had, or `None` if this one has none either.
    pub fn line(&mut self, now: Instant) -> Option<u64> {
        while self.written.front().is_some_and(|at| now.duration_since(*at) >= WITHIN) {
            self.written.pop_front();
        }
        if self.written.len() >= LINES {
            self.left_out += 1;
            return None;
        }
        self.written.push_back(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

impl Door {
    /// Opens a connection that came in by the door `name`, with a handshake where TLS is in use, which
    /// must end before `by`. Returns `None` for a connection that is refused or gives way to another.
    pub(crate) async fn open<Io: AsyncRead + AsyncWrite + Unpin>(
        &self,
        io: Io,
        protocol: Protocol,
        by: Instant,
        (name, origin): (&str, &Origin),
        place: &Place,
    ) -> Option<Opened<Io>> {
        match self.tls.open(io, protocol, by, place).await {
            Ok(opened) => return Some(opened),
            Err(None) => {}
            Err(Some(Refused { reason, shown })) => {
                self.refusals.count(reason);
                if self.audit.is_on()
                    && let Some(left_out) = self.lines_of_handshakes(Instant::now())
                {
                    let bearer = shown.and_then(|shown| Bearer::read(&shown).ok());
                    let identity = bearer.map(|bearer| bearer.identity()).unwrap_or_default();
                    self.audit.handshake(&self.refusals, (name, origin), identity, reason, left_out);
                }
            }
        }
        None
    }

    fn lines_of_handshakes(&self, now: Instant) -> Option<u64> {
        self.handshakes.lock().unwrap_or_else(PoisonError::into_inner).line(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_so_many_lines_within_a_second_and_the_next_one_counts_the_others() {
        let begin = Instant::now();
        let mut pace = Pace::default();
        // One a millisecond for three seconds.
        let mut written = Vec::new();
        let mut left_out = 0;
        for ms in 0..3000 {
            let now = begin + Duration::from_millis(ms);
            match pace.line(now) {
                Some(others) => {
                    assert_eq!(others, std::mem::take(&mut left_out), "at {ms} ms");
                    written.push(now);
                }
                None => left_out += 1,
            }
        }
        assert_eq!(written.len(), 3 * LINES);
        for at in &written {
            let within = written.iter().filter(|other| **other >= *at && **other - *at < WITHIN);
            assert!(within.count() <= LINES);
        }
        assert_eq!(left_out, 1000 - LINES as u64);
        assert_eq!(pace.line(begin + 4 * WITHIN), Some(left_out), "they are told when it is over");
        assert_eq!(pace.line(begin + 4 * WITHIN), Some(0));
    }

    #[test]
    fn few_have_all_their_lines() {
        let begin = Instant::now();
        let mut pace = Pace::default();
        let apart = WITHIN / LINES as u32;
        for nth in 0..100 {
            assert_eq!(pace.line(begin + nth * apart), Some(0), "{nth}");
        }
    }
}
