//! Pools of packet buffers.

use std::marker::PhantomData;
use std::ptr::NonNull;

use dpdk_sys as sys;

use crate::error::c_string;
use crate::{Eal, Error, SocketId};

/// The size and place of a [`Mempool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MempoolConfig {
    /// Number of mbufs. A power of two minus one uses memory best.
    pub mbufs: u32,
    /// Mbufs that each lcore may keep to itself, so that it does not touch the shared ring for
    /// every burst: 0 to 512, and at most mbufs / 1.5.
    pub cache: u32,
    /// Bytes of a frame that fit one mbuf. DPDK's headroom is added to them.
    pub data_room: u16,
    /// NUMA node of the memory.
    pub socket: SocketId,
}

/// A pool of packet buffers, as rte_pktmbuf_pool_create makes one. Without hugepages it is packed
/// more closely (shim_pool_create).
///
/// The memory is released with the [`Eal`] and not by dropping this handle: mbufs of the pool may
/// still be in the transmit rings of any port when the last handle goes.
#[derive(Debug)]
pub struct Mempool<'eal> {
    raw: NonNull<sys::rte_mempool>,
    config: MempoolConfig,
    _eal: PhantomData<&'eal Eal>,
}

// SAFETY: a pool is made with DPDK's default operations, which take and return mbufs from any
// thread: lcores through their own cache, other threads through a multi-producer, multi-consumer
// ring.
unsafe impl Send for Mempool<'_> {}
// SAFETY: as for Send.
unsafe impl Sync for Mempool<'_> {}

impl<'eal> Mempool<'eal> {
    /// Makes a pool. A name is unique in the process and at most 25 bytes long.
    ///
    /// # Errors
    ///
    /// Not enough memory, a name that exists or is too long, a cache that is too large.
    pub fn new(eal: &'eal Eal, name: &str, config: MempoolConfig) -> Result<Self, Error> {
        let object = format_args!("mempool {name}");
        let c_name = c_string(name)?;
        let headroom = u16::try_from(sys::RTE_PKTMBUF_HEADROOM).unwrap_or(u16::MAX);
        let room = config
            .data_room
            .checked_add(headroom)
            .ok_or_else(|| Error::returned("rte_pktmbuf_pool_create", object, -libc::EINVAL))?;
        // The Eal is what makes the call below allowed.
        let _ = eal;
        // SAFETY: the EAL is initialised and c_name is zero-terminated; DPDK copies it.
        let raw = unsafe {
            sys::shim_pool_create(c_name.as_ptr(), config.mbufs, config.cache, room, config.socket.0)
        };
        match NonNull::new(raw) {
            Some(raw) => Ok(Self { raw, config, _eal: PhantomData }),
            None => Err(Error::from_rte_errno("rte_pktmbuf_pool_create", object)),
        }
    }

    /// Returns the number of mbufs that are not in use, those in the caches of lcores included.
    /// Walks all caches; the number is exact only while nobody takes or returns mbufs.
    #[must_use]
    pub fn available(&self) -> u32 {
        // SAFETY: raw is a live pool, as the borrow of the Eal shows.
        unsafe { sys::rte_mempool_avail_count(self.raw.as_ptr()) }
    }

    /// Returns the configuration that the pool was made with.
    #[must_use]
    pub fn config(&self) -> MempoolConfig {
        self.config
    }

    /// Returns the pool for an FFI call of this crate.
    pub(crate) fn as_ptr(&self) -> *mut sys::rte_mempool {
        self.raw.as_ptr()
    }
}
