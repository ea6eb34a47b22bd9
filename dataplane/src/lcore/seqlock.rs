//! A sequence lock over words: its one writer never waits, and its readers never see half of a
//! change.
//!
//! After H.-J. Boehm, "Can seqlocks get along with programming language memory models?" (MSPC
//! 2012), with the words as relaxed atomics and fences around them. Loom tries every interleaving
//! in `tests/tests/interleavings.rs`.

use crate::lcore::sync::{AtomicU64, Ordering, fence};

/// `N` words that are replaced and read as a whole.
#[derive(Debug)]
pub struct SeqLock<const N: usize> {
    /// Odd while the words are being replaced.
    version: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Default for SeqLock<N> {
    fn default() -> Self {
        Self { version: AtomicU64::new(0), words: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl<const N: usize> SeqLock<N> {
    /// Replaces the words. Only one thread may call this.
    pub fn write(&self, words: [u64; N]) {
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (word, value) in self.words.iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
        self.version.store(version + 2, Ordering::Release);
    }

    /// Returns the words, or `None` when they were being replaced meanwhile.
    pub fn try_read(&self) -> Option<[u64; N]> {
        let before = self.version.load(Ordering::Acquire);
        let words = std::array::from_fn(|i| self.words[i].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let whole = before.is_multiple_of(2) && before == self.version.load(Ordering::Relaxed);
        whole.then_some(words)
    }

    /// Returns the words, and tries again while they are being replaced.
    pub fn read(&self) -> [u64; N] {
        loop {
            if let Some(words) = self.try_read() {
                return words;
            }
            // The writer may have been preempted, even by this thread.
            std::thread::yield_now();
        }
    }

    /// Returns one word, which need not belong to the same state as another.
    pub fn peek(&self, index: usize) -> u64 {
        self.words[index].load(Ordering::Relaxed)
    }
}
