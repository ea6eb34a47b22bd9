//! The real rte_hash, for tests and benches that compare the product's own table with it.

mod functions;
mod words;

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;

use dpdk_sys as sys;

pub use self::functions::{HashFunction, hash_crc, hash_crc_burst, jhash};
pub use self::words::Words;

use crate::error::c_string;
use crate::{Eal, Error, SocketId};

/// Most keys of one bulk lookup (RTE_HASH_LOOKUP_BULK_MAX).
pub const BULK_MAX: usize = 64;

/// Creation parameters (rte_hash_parameters).
#[derive(Clone, Copy, Debug)]
pub struct HashConfig<'n> {
    /// Unique in the process, at most 31 bytes.
    pub name: &'n str,
    /// Entries, at least 8.
    pub entries: u32,
    /// Length of every key in bytes, not 0.
    pub key_len: u32,
    /// The function that computes a key's hash where the caller gives none.
    pub hash: HashFunction,
    /// Initial value of that function.
    pub init_value: u32,
    /// NUMA node of the memory.
    pub socket: SocketId,
    /// Whether extra buckets are chained when both buckets of a key are full
    /// (RTE_HASH_EXTRA_FLAGS_EXT_TABLE). Such a key is refused otherwise.
    pub ext_table: bool,
}

/// The reason why an operation on an [`RteHash`] had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The table has no room for the key (ENOSPC).
    #[error("no space for the key")]
    NoSpace,
    /// The table does not hold the key (ENOENT).
    #[error("key not found")]
    NotFound,
    /// A key of another length than the table's, or a parameter out of range (EINVAL).
    #[error("invalid parameter")]
    Invalid,
}

/// A hash table of librte_hash over keys of one length.
///
/// A position is rte_hash's number for a key. It is stable from the key's addition to its deletion
/// and below [`max_key_id`](Self::max_key_id).
#[derive(Debug)]
pub struct RteHash<'eal> {
    raw: NonNull<sys::rte_hash>,
    key_len: usize,
    hash: HashFunction,
    init_value: u32,
    _eal: PhantomData<&'eal Eal>,
}

// SAFETY: without the concurrency flags an rte_hash has no thread-local state.
unsafe impl Send for RteHash<'_> {}
// SAFETY: methods on &self only read the table, and readers do not disturb each other.
unsafe impl Sync for RteHash<'_> {}

impl<'eal> RteHash<'eal> {
    /// Creates a table (rte_hash_create).
    ///
    /// # Errors
    ///
    /// Parameters that rte_hash refuses, a name that exists, not enough memory.
    pub fn new(eal: &'eal Eal, config: &HashConfig<'_>) -> Result<Self, Error> {
        // The Eal is what makes the call below allowed.
        let _ = eal;
        let name = c_string(config.name)?;
        let setup = sys::shim_hash_setup {
            name: name.as_ptr(),
            entries: config.entries,
            key_len: config.key_len,
            function: match config.hash {
                HashFunction::Crc => sys::SHIM_HASH_CRC,
                HashFunction::Jhash => sys::SHIM_HASH_JHASH,
            },
            init_value: config.init_value,
            socket: config.socket.0,
            ext_table: u8::from(config.ext_table),
        };
        // SAFETY: the EAL is initialised; setup and name live across the call, which copies both.
        let raw = unsafe { sys::shim_hash_create(&raw const setup) };
        let Some(raw) = NonNull::new(raw) else {
            return Err(Error::from_rte_errno("rte_hash_create", format_args!("hash {}", config.name)));
        };
        Ok(Self {
            raw,
            key_len: config.key_len as usize,
            hash: config.hash,
            init_value: config.init_value,
            _eal: PhantomData,
        })
    }

    /// Computes the table's hash of a key (rte_hash_hash).
    ///
    /// # Errors
    ///
    /// The key has another length.
    pub fn hash(&self, key: &[u8]) -> Result<u32, HashError> {
        self.check(key)?;
        if self.reads_past_keys() {
            return Ok(jhash(key, self.init_value));
        }
        // SAFETY: the table is live and the key has its length.
        Ok(unsafe { sys::rte_hash_hash(self.as_ptr(), key.as_ptr().cast()) })
    }

    /// Adds a key unless the table holds it, and returns its position (rte_hash_add_key).
    ///
    /// # Errors
    ///
    /// The table has no space, or the key has another length.
    pub fn add(&mut self, key: &[u8]) -> Result<u32, HashError> {
        self.check(key)?;
        if self.reads_past_keys() {
            return self.add_with_hash(key, self.hash(key)?);
        }
        // SAFETY: the table is live, nobody else uses it and the key has its length; rte_hash
        // copies it.
        outcome(unsafe { sys::rte_hash_add_key(self.as_ptr(), key.as_ptr().cast()) })
    }

    /// Adds a key as [`add`](Self::add) does, with a given hash (rte_hash_add_key_with_hash).
    ///
    /// # Errors
    ///
    /// The table has no space, or the key has another length.
    pub fn add_with_hash(&mut self, key: &[u8], hash: u32) -> Result<u32, HashError> {
        self.check(key)?;
        // SAFETY: as in add.
        outcome(unsafe { sys::rte_hash_add_key_with_hash(self.as_ptr(), key.as_ptr().cast(), hash) })
    }

    /// Returns the position of a key (rte_hash_lookup).
    ///
    /// # Errors
    ///
    /// The table does not hold the key, or the key has another length.
    pub fn lookup(&self, key: &[u8]) -> Result<u32, HashError> {
        self.check(key)?;
        if self.reads_past_keys() {
            return self.lookup_with_hash(key, self.hash(key)?);
        }
        // SAFETY: the table is live and the key has its length.
        outcome(unsafe { sys::rte_hash_lookup(self.as_ptr(), key.as_ptr().cast()) })
    }

    /// Looks a key up as [`lookup`](Self::lookup) does, with a given hash
    /// (rte_hash_lookup_with_hash).
    ///
    /// # Errors
    ///
    /// The table does not hold the key, or the key has another length.
    pub fn lookup_with_hash(&self, key: &[u8], hash: u32) -> Result<u32, HashError> {
        self.check(key)?;
        // SAFETY: as in lookup.
        outcome(unsafe { sys::rte_hash_lookup_with_hash(self.as_ptr(), key.as_ptr().cast(), hash) })
    }

    /// Looks up to [`BULK_MAX`] keys with their hashes (rte_hash_lookup_with_hash_bulk).
    ///
    /// Bit i of the result is set when the table holds key i. Then, and only then, `positions[i]`
    /// is its position.
    ///
    /// # Errors
    ///
    /// More than [`BULK_MAX`] keys, slices of different lengths, or a key of another length.
    pub fn lookup_bulk_with_hash(
        &self,
        keys: &[&[u8]],
        hashes: &[u32],
        positions: &mut [u32],
    ) -> Result<u64, HashError> {
        let n = keys.len();
        if n > BULK_MAX || hashes.len() != n || positions.len() != n {
            return Err(HashError::Invalid);
        }
        // rte_hash's own result for zero keys depends on its release.
        if n == 0 {
            return Ok(0);
        }
        let mut pointers = [ptr::null::<c_void>(); BULK_MAX];
        for (pointer, key) in pointers.iter_mut().zip(keys) {
            self.check(key)?;
            *pointer = key.as_ptr().cast();
        }
        // The C parameter is not const.
        let mut signatures = [0; BULK_MAX];
        signatures[..n].copy_from_slice(hashes);
        let mut found = [0_i32; BULK_MAX];
        // SAFETY: the table is live, each key has its length, and the three arrays have room for n
        // <= BULK_MAX.
        let code = unsafe {
            sys::rte_hash_lookup_with_hash_bulk(
                self.as_ptr(),
                pointers.as_mut_ptr(),
                signatures.as_mut_ptr(),
                n as u32,
                found.as_mut_ptr(),
            )
        };
        outcome(code)?;
        let mut hits = 0;
        for (i, (position, found)) in positions.iter_mut().zip(found).enumerate() {
            if let Ok(found) = u32::try_from(found) {
                *position = found;
                hits |= 1 << i;
            }
        }
        Ok(hits)
    }

    /// Looks keys up that lie in a row, with the bare call that a C program would make
    /// (rte_hash_lookup_with_hash_bulk): nothing is copied, and a position is negative when the
    /// table does not hold its key.
    ///
    /// # Errors
    ///
    /// No key, more than [`BULK_MAX`], slices too short, or a table whose keys have another length.
    #[inline]
    pub fn lookup_bulk_in_a_row<const N: usize>(
        &self,
        keys: &[[u8; N]],
        hashes: &mut [u32],
        positions: &mut [i32],
    ) -> Result<(), HashError> {
        let n = keys.len();
        if self.key_len != N || n == 0 || n > BULK_MAX || hashes.len() < n || positions.len() < n {
            return Err(HashError::Invalid);
        }
        let mut pointers = [ptr::null::<c_void>(); BULK_MAX];
        for (pointer, key) in pointers.iter_mut().zip(keys) {
            *pointer = ptr::from_ref(key).cast();
        }
        // SAFETY: the table is live, each key has its length, and the three arrays have room for n
        // <= BULK_MAX.
        let code = unsafe {
            sys::rte_hash_lookup_with_hash_bulk(
                self.as_ptr(),
                pointers.as_mut_ptr(),
                hashes.as_mut_ptr(),
                n as u32,
                positions.as_mut_ptr(),
            )
        };
        outcome(code).map(drop)
    }

    /// Deletes a key and returns the position it had (rte_hash_del_key).
    ///
    /// # Errors
    ///
    /// The table does not hold the key, or the key has another length.
    pub fn del(&mut self, key: &[u8]) -> Result<u32, HashError> {
        self.check(key)?;
        if self.reads_past_keys() {
            return self.del_with_hash(key, self.hash(key)?);
        }
        // SAFETY: the table is live, nobody else uses it and the key has its length.
        outcome(unsafe { sys::rte_hash_del_key(self.as_ptr(), key.as_ptr().cast()) })
    }

    /// Deletes a key as [`del`](Self::del) does, with a given hash (rte_hash_del_key_with_hash).
    ///
    /// # Errors
    ///
    /// The table does not hold the key, or the key has another length.
    pub fn del_with_hash(&mut self, key: &[u8], hash: u32) -> Result<u32, HashError> {
        self.check(key)?;
        // SAFETY: as in del.
        outcome(unsafe { sys::rte_hash_del_key_with_hash(self.as_ptr(), key.as_ptr().cast(), hash) })
    }

    /// Returns an iterator over all positions and keys, in the order of the buckets
    /// (rte_hash_iterate).
    #[must_use]
    pub fn iterate(&self) -> Iterate<'_, 'eal> {
        Iterate { table: self, next: 0 }
    }

    /// Returns the number of keys (rte_hash_count).
    #[must_use]
    pub fn count(&self) -> u32 {
        // SAFETY: the table is live.
        u32::try_from(unsafe { sys::rte_hash_count(self.as_ptr()) }).unwrap_or(0)
    }

    /// Returns the key at a position, if there is one (rte_hash_get_key_with_position).
    #[must_use]
    pub fn key_at(&self, position: u32) -> Option<&[u8]> {
        // rte_hash does not check the upper bound.
        if position >= self.max_key_id() {
            return None;
        }
        let mut key = ptr::null_mut();
        // SAFETY: the table is live and the position lies in its key store.
        let code = unsafe {
            sys::rte_hash_get_key_with_position(self.as_ptr(), i32::try_from(position).ok()?, &raw mut key)
        };
        // SAFETY: on success key points to key_len bytes of the store, which only methods on &mut
        // self change.
        (code == 0).then(|| unsafe { slice::from_raw_parts(key.cast(), self.key_len) })
    }

    /// Returns the upper bound of positions: each is below it (rte_hash_max_key_id).
    #[must_use]
    pub fn max_key_id(&self) -> u32 {
        // SAFETY: the table is live.
        u32::try_from(unsafe { sys::rte_hash_max_key_id(self.as_ptr()) }).unwrap_or(0)
    }

    fn check(&self, key: &[u8]) -> Result<(), HashError> {
        if key.len() == self.key_len { Ok(()) } else { Err(HashError::Invalid) }
    }

    /// Returns whether rte_hash would read beyond the end of a key that it hashes itself; see
    /// [`jhash`].
    fn reads_past_keys(&self) -> bool {
        self.hash == HashFunction::Jhash && !self.key_len.is_multiple_of(4)
    }

    fn as_ptr(&self) -> *mut sys::rte_hash {
        self.raw.as_ptr()
    }
}

impl Drop for RteHash<'_> {
    fn drop(&mut self) {
        // SAFETY: the table is live, and all that borrows it is gone.
        unsafe { sys::rte_hash_free(self.as_ptr()) };
    }
}

/// The iterator of [`RteHash::iterate`].
#[derive(Debug)]
pub struct Iterate<'t, 'eal> {
    table: &'t RteHash<'eal>,
    /// rte_hash's cursor.
    next: u32,
}

impl<'t> Iterator for Iterate<'t, '_> {
    type Item = (u32, &'t [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut key = ptr::null();
        let mut value = ptr::null_mut();
        // SAFETY: the table is live and not changed while it is borrowed; the three pointers are to
        // variables of this function and of self.
        let position = unsafe {
            sys::rte_hash_iterate(self.table.as_ptr(), &raw mut key, &raw mut value, &raw mut self.next)
        };
        let position = u32::try_from(position).ok()?;
        // SAFETY: key points to key_len bytes of the store, which only methods on &mut RteHash
        // change.
        Some((position, unsafe { slice::from_raw_parts(key.cast(), self.table.key_len) }))
    }
}

/// Turns rte_hash's "position or negative error" into a `Result`.
fn outcome(code: i32) -> Result<u32, HashError> {
    u32::try_from(code).map_err(|_| match -code {
        libc::ENOSPC => HashError::NoSpace,
        libc::ENOENT => HashError::NotFound,
        _ => HashError::Invalid,
    })
}
