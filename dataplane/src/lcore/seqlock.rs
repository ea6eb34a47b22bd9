//! A sequence lock over words: one writer who never waits, readers who never see
//! half of a change.
//!
//! H.-J. Boehm, "Can seqlocks get along with programming language memory models?"
//! (MSPC 2012), with the words as relaxed atomics and fences around them.

use crate::lcore::sync::{AtomicU64, Ordering, fence};

/// `N` words that belong together.
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

    /// The words, unless they were being replaced meanwhile.
    pub fn try_read(&self) -> Option<[u64; N]> {
        let before = self.version.load(Ordering::Acquire);
        let words = std::array::from_fn(|i| self.words[i].load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let whole = before.is_multiple_of(2) && before == self.version.load(Ordering::Relaxed);
        whole.then_some(words)
    }

    /// The words.
    pub fn read(&self) -> [u64; N] {
        loop {
            if let Some(words) = self.try_read() {
                return words;
            }
            // The writer may have lost its CPU, even to this thread.
            std::thread::yield_now();
        }
    }

    /// One word, whatever happens to the others.
    pub fn peek(&self, index: usize) -> u64 {
        self.words[index].load(Ordering::Relaxed)
    }
}
