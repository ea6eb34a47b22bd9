//! The learner table of DPDK's software switch pipeline (rte_swx_table_learner), for benches that
//! compare the product's own table with it.
//!
//! A lookup is two calls: the first computes the key's place and prefetches it, the second
//! compares. Between them other lookups run, each with a *mailbox* of its own. The call that
//! follows a lookup (rearm, add, delete) refers to its mailbox. A burst here does what the pipeline
//! does with its threads.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use dpdk_sys as sys;

use crate::{Eal, Error, SocketId};

/// The most keys of one burst.
pub const BURST_MAX: usize = 64;

/// Bytes of a key.
const KEY: usize = size_of::<u128>();
/// The index of the only timeout that a table has here.
const TIMEOUT: u32 = 0;

/// Creation parameters (rte_swx_table_learner_params).
#[derive(Clone, Copy, Debug)]
pub struct LearnerConfig {
    /// Number of buckets, rounded up to a power of two. A bucket holds four keys. DPDK calls this
    /// number the most keys.
    pub keys: u32,
    /// Seconds after which a key expires that was not rearmed, at least 1.
    pub timeout: u32,
    /// NUMA node of the memory.
    pub socket: SocketId,
}

/// A learner table over keys of 16 bytes, without action data.
///
/// Times are in cycles of the time stamp counter. DPDK keeps their upper 32 bits only.
#[derive(Debug)]
pub struct Learner<'eal> {
    raw: NonNull<c_void>,
    /// [`BURST_MAX`] mailboxes of [`mailbox_words`](Self::mailbox_words) each.
    mailboxes: Box<[u64]>,
    mailbox_words: usize,
    bytes: u64,
    _eal: PhantomData<&'eal Eal>,
}

// SAFETY: the table has no thread-local state, and nothing else refers to it.
unsafe impl Send for Learner<'_> {}

impl<'eal> Learner<'eal> {
    /// Creates a table (rte_swx_table_learner_create).
    ///
    /// # Errors
    ///
    /// Parameters that DPDK refuses, not enough memory.
    pub fn new(eal: &'eal Eal, config: &LearnerConfig) -> Result<Self, Error> {
        // The Eal is what makes the calls below allowed.
        let _ = eal;
        let mut timeouts = [config.timeout];
        let mut params = sys::rte_swx_table_learner_params {
            key_size: KEY as u32,
            key_offset: 0,
            // All bits count.
            key_mask0: ptr::null_mut(),
            action_data_size: 0,
            // The default, CRC-32C.
            hash_func: None,
            n_keys_max: config.keys,
            key_timeout: timeouts.as_mut_ptr(),
            n_key_timeouts: timeouts.len() as u32,
        };
        // SAFETY: params and what it points to live across both calls, which copy what they keep;
        // the EAL is initialised.
        let (bytes, raw) = unsafe {
            (
                sys::rte_swx_table_learner_footprint_get(&raw mut params),
                sys::rte_swx_table_learner_create(&raw mut params, config.socket.0),
            )
        };
        let Some(raw) = NonNull::new(raw) else {
            // The call gives no reason. A footprint of 0 stands for parameters out of range.
            return Err(Error::Call {
                call: "rte_swx_table_learner_create",
                object: format!("{} keys, {} s", config.keys, config.timeout),
                errno: if bytes == 0 { libc::EINVAL } else { libc::ENOMEM },
            });
        };
        // SAFETY: it returns a constant.
        let mailbox = unsafe { sys::rte_swx_table_learner_mailbox_size_get() } as usize;
        let mailbox_words = mailbox.div_ceil(size_of::<u64>());
        Ok(Self {
            raw,
            // A mailbox of zeros has no lookup under way.
            mailboxes: vec![0; BURST_MAX * mailbox_words].into_boxed_slice(),
            mailbox_words,
            bytes,
            _eal: PhantomData,
        })
    }

    /// Returns the table's memory in bytes (rte_swx_table_learner_footprint_get).
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Looks keys up, and restarts the timers of those that the table holds
    /// (rte_swx_table_learner_rearm). Bit i of the result is set when the table holds key i.
    ///
    /// # Panics
    ///
    /// When there are more than [`BURST_MAX`] keys.
    #[inline]
    pub fn refresh_burst(&mut self, time: u64, keys: &[u128]) -> u64 {
        self.each(time, keys, |table, mailbox, hit| {
            if hit {
                // SAFETY: `each` passes a table and the mailbox of a complete lookup.
                unsafe { sys::rte_swx_table_learner_rearm(table, mailbox, time) };
            }
            hit
        })
    }

    /// Looks keys up, and adds those that the table does not hold (rte_swx_table_learner_add). Bit
    /// i of the result is set when the table holds key i afterwards; it refuses a key whose bucket
    /// is full.
    ///
    /// # Panics
    ///
    /// When there are more than [`BURST_MAX`] keys.
    #[inline]
    pub fn add_burst(&mut self, time: u64, keys: &[u128]) -> u64 {
        self.each(time, keys, |table, mailbox, hit| {
            // SAFETY: `each` passes a table and the mailbox of a complete lookup; there is no
            // action data.
            hit || unsafe {
                sys::rte_swx_table_learner_add(table, mailbox, time, 0, ptr::null_mut(), TIMEOUT)
            } == 0
        })
    }

    /// Looks keys up, and deletes those that the table holds (rte_swx_table_learner_delete). Bit i
    /// of the result is set when the table held key i.
    ///
    /// # Panics
    ///
    /// When there are more than [`BURST_MAX`] keys.
    #[inline]
    pub fn delete_burst(&mut self, time: u64, keys: &[u128]) -> u64 {
        self.each(time, keys, |table, mailbox, hit| {
            if hit {
                // SAFETY: `each` passes a table and the mailbox of a complete lookup.
                unsafe { sys::rte_swx_table_learner_delete(table, mailbox) };
            }
            hit
        })
    }

    /// Looks every key up. Right after each lookup is complete, calls `then` with the table, the
    /// mailbox of the lookup, and whether the table holds the key. Bit i of the result is what
    /// `then` returned for key i.
    #[inline(always)]
    fn each(
        &mut self,
        time: u64,
        keys: &[u128],
        mut then: impl FnMut(*mut c_void, *mut c_void, bool) -> bool,
    ) -> u64 {
        assert!(keys.len() <= BURST_MAX, "{} keys in a burst", keys.len());
        let (mut complete, mut answers) = (0u64, 0u64);
        // The first calls, which prefetch, then the others.
        for first in [true, false] {
            for (i, key) in keys.iter().enumerate() {
                let mailbox: *mut c_void = ptr::from_mut(&mut self.mailboxes[i * self.mailbox_words]).cast();
                // DPDK reads the key only; its parameter is not const.
                let mut key: *mut u8 = ptr::from_ref(key).cast_mut().cast();
                let mut action_id = 0;
                let mut action_data = ptr::null_mut();
                let mut entry_id = 0;
                let mut hit = 0;
                while complete >> i & 1 == 0 {
                    // SAFETY: the table is live and nobody else uses it. The mailbox has the size
                    // that DPDK asks for, and is used for this lookup only until that is complete.
                    // The key has 16 bytes, and lives from the first call to the end. The others
                    // are variables of this function.
                    let done = unsafe {
                        sys::rte_swx_table_learner_lookup(
                            self.raw.as_ptr(),
                            mailbox,
                            time,
                            &raw mut key,
                            &raw mut action_id,
                            &raw mut action_data,
                            &raw mut entry_id,
                            &raw mut hit,
                        )
                    };
                    if done == 1 {
                        complete |= 1 << i;
                        answers |= u64::from(then(self.raw.as_ptr(), mailbox, hit != 0)) << i;
                    }
                    if first {
                        break;
                    }
                }
            }
        }
        answers
    }
}

impl Drop for Learner<'_> {
    fn drop(&mut self) {
        // SAFETY: the table is live, and nothing borrows it any more.
        unsafe { sys::rte_swx_table_learner_free(self.raw.as_ptr()) };
    }
}
