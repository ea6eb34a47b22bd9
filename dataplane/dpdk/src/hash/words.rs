//! Memory from the EAL for what a user of rte_hash keeps beside the table.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::slice;

use dpdk_sys as sys;

use crate::{Eal, Error, SocketId};

/// An array of 32-bit words in the EAL's memory (rte_zmalloc_socket), like the table itself. A user
/// of rte_hash indexes it by position.
#[derive(Debug)]
pub struct Words<'eal> {
    raw: NonNull<u32>,
    len: usize,
    _eal: PhantomData<&'eal Eal>,
}

// SAFETY: it owns its memory, as a Box does.
unsafe impl Send for Words<'_> {}
// SAFETY: as above.
unsafe impl Sync for Words<'_> {}

impl<'eal> Words<'eal> {
    /// Allocates `len` words, all zero.
    ///
    /// # Errors
    ///
    /// Not enough memory.
    pub fn new(eal: &'eal Eal, len: usize, socket: SocketId) -> Result<Self, Error> {
        // The Eal is what makes the call below allowed.
        let _ = eal;
        // 0 asks for the alignment of a cache line. A length whose size overflows is refused as
        // well.
        let bytes = len.saturating_mul(size_of::<u32>());
        // SAFETY: the EAL is initialised; a null pointer is no name.
        let raw = unsafe { sys::rte_zmalloc_socket(ptr::null(), bytes, 0, socket.0) };
        match NonNull::new(raw.cast()) {
            Some(raw) => Ok(Self { raw, len, _eal: PhantomData }),
            None => Err(Error::Call {
                call: "rte_zmalloc_socket",
                object: format!("{bytes} bytes"),
                errno: libc::ENOMEM,
            }),
        }
    }
}

impl Deref for Words<'_> {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        // SAFETY: there are len words of initialised memory, which live as long as self.
        unsafe { slice::from_raw_parts(self.raw.as_ptr(), self.len) }
    }
}

impl DerefMut for Words<'_> {
    fn deref_mut(&mut self) -> &mut [u32] {
        // SAFETY: as in deref, and self is borrowed mutably.
        unsafe { slice::from_raw_parts_mut(self.raw.as_ptr(), self.len) }
    }
}

impl Drop for Words<'_> {
    fn drop(&mut self) {
        // SAFETY: it came from rte_zmalloc_socket, and all that borrows it is gone.
        unsafe { sys::rte_free(self.raw.as_ptr().cast()) };
    }
}
