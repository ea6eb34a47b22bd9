//! Frames made by hand and ports made of rings, for tests of code that polls ports (feature
//! "test-support").

use std::marker::PhantomData;
use std::ptr::NonNull;

use dpdk_sys as sys;

use crate::error::c_string;
use crate::mbuf::CAPACITY;
use crate::{Burst, Eal, Error, Mempool, PortId, Sent, SocketId};

/// Adds a frame with these bytes to a burst.
///
/// # Errors
///
/// The pool is empty (ENOMEM), the bytes do not fit one mbuf (EMSGSIZE), or the burst is full
/// (ENOBUFS).
pub fn push_frame<'p>(burst: &mut Burst<'p>, pool: &'p Mempool<'_>, bytes: &[u8]) -> Result<(), Error> {
    push_segments(burst, pool, &[bytes])
}

/// Adds a frame of several chained mbufs to a burst, one per element of `segments` (at least one).
///
/// # Errors
///
/// Those of [`push_frame`], and a chain that is longer than DPDK allows (EOVERFLOW).
pub fn push_segments<'p>(
    burst: &mut Burst<'p>,
    pool: &'p Mempool<'_>,
    segments: &[&[u8]],
) -> Result<(), Error> {
    let refused = |call, errno: i32| Error::returned(call, "a frame made by hand", -errno);
    let (first, rest) = segments.split_first().ok_or_else(|| refused("rte_pktmbuf_alloc", libc::EINVAL))?;
    let head = Owned::new(pool, first)?;
    for bytes in rest {
        let tail = Owned::new(pool, bytes)?;
        // SAFETY: both are live and ours.
        let code = unsafe { sys::shim_mbuf_chain(head.0.as_ptr(), tail.0.as_ptr()) };
        if code != 0 {
            return Err(Error::returned("rte_pktmbuf_chain", "a frame made by hand", code));
        }
        // The chain owns it now.
        std::mem::forget(tail);
    }
    // SAFETY: the head is ours until the burst takes it. Its pool is borrowed for 'p.
    match unsafe { burst.push(head.0.as_ptr()) } {
        Ok(()) => {
            std::mem::forget(head);
            Ok(())
        }
        Err(_) => Err(refused("Burst::push", libc::ENOBUFS)),
    }
}

/// An mbuf, or the head of a chain. It is freed unless its owner gives it away with `forget`.
struct Owned(NonNull<sys::rte_mbuf>);

impl Owned {
    fn new(pool: &Mempool<'_>, bytes: &[u8]) -> Result<Self, Error> {
        let refused = |call, errno: i32| Error::returned(call, "a frame made by hand", -errno);
        // SAFETY: the pool is live.
        let raw = unsafe { sys::shim_mbuf_alloc(pool.as_ptr()) };
        let mbuf = Self(NonNull::new(raw).ok_or_else(|| refused("rte_pktmbuf_alloc", libc::ENOMEM))?);
        let len = u16::try_from(bytes.len()).map_err(|_| refused("rte_pktmbuf_append", libc::EMSGSIZE))?;
        // SAFETY: the mbuf is live and ours; the shim checks the room and copies len bytes.
        match unsafe { sys::shim_mbuf_append(raw, bytes.as_ptr(), len) } {
            0 => Ok(mbuf),
            _ => Err(refused("rte_pktmbuf_append", libc::EMSGSIZE)),
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the mbuf is live and ours.
        unsafe { sys::shim_mbuf_free(self.0.as_ptr()) };
    }
}

/// The far side of a port that is made of rings (net_ring, rte_eth_from_rings). Tests inject frames
/// that the port receives, and collect the frames that it sends.
///
/// The rings stay until the Eal goes, because the port may outlive this handle.
#[derive(Debug)]
pub struct RingPort<'eal> {
    id: PortId,
    to_port: Vec<NonNull<sys::rte_ring>>,
    from_port: Vec<NonNull<sys::rte_ring>>,
    _eal: PhantomData<&'eal Eal>,
}

// SAFETY: the rings are multi-producer and multi-consumer.
unsafe impl Send for RingPort<'_> {}
// SAFETY: as for Send.
unsafe impl Sync for RingPort<'_> {}

impl<'eal> RingPort<'eal> {
    /// Makes a port with `queues` receive queues and `queues` transmit queues. Each holds `depth` -
    /// 1 frames; `depth` is a power of two.
    ///
    /// # Errors
    ///
    /// A name that exists, a depth that is no power of two, not enough memory.
    pub fn new(_eal: &'eal Eal, name: &str, queues: u16, depth: u32) -> Result<Self, Error> {
        let to_port = rings(&format!("{name}_in"), queues, depth)?;
        let from_port = rings(&format!("{name}_out"), queues, depth)?;
        let c_name = c_string(name)?;
        let pointers = |rings: &[NonNull<_>]| rings.iter().map(|ring| ring.as_ptr()).collect::<Vec<_>>();
        let (mut rx, mut tx) = (pointers(&to_port), pointers(&from_port));
        // SAFETY: the EAL is initialised. The arrays hold the given number of live rings, which are
        // never freed. Name and arrays are copied.
        let id = unsafe {
            sys::rte_eth_from_rings(
                c_name.as_ptr(),
                rx.as_mut_ptr(),
                u32::from(queues),
                tx.as_mut_ptr(),
                u32::from(queues),
                SocketId(0).0.cast_unsigned(),
            )
        };
        let id = u16::try_from(id).map_err(|_| Error::from_rte_errno("rte_eth_from_rings", name))?;
        Ok(Self { id: PortId(id), to_port, from_port, _eal: PhantomData })
    }

    /// Returns the number of the port, which is not open yet.
    #[must_use]
    pub fn id(&self) -> PortId {
        self.id
    }

    /// Gives the frames of `burst` to the port's receive queue. The burst is empty afterwards.
    /// Frames for which the ring has no room are freed and counted as dropped.
    ///
    /// # Panics
    ///
    /// When the port has no such queue.
    pub fn inject(&self, queue: u16, burst: &mut Burst<'_>) -> Sent {
        let ring = self.to_port[usize::from(queue)];
        let len = burst.len();
        // SAFETY: the ring is live; it owns the first n mbufs, n being what the shim returns. Their
        // pools live as long as the Eal, as do the rings. n <= CAPACITY.
        let sent = unsafe {
            burst.empty_into(|mbufs, n| sys::shim_ring_enqueue(ring.as_ptr(), mbufs, n as u32) as usize)
        };
        Sent { sent, dropped: len - sent }
    }

    /// Fills `burst` with up to [`CAPACITY`] frames that the port has sent, and returns how many
    /// there were. Frames that are still in `burst` are freed first.
    ///
    /// # Panics
    ///
    /// When the port has no such queue.
    pub fn collect<'p>(&'p self, queue: u16, burst: &mut Burst<'p>) -> usize {
        let ring = self.from_port[usize::from(queue)];
        // SAFETY: the array has room for CAPACITY. Whoever takes mbufs out of the ring owns them,
        // and their pool lives as long as the Eal.
        unsafe {
            burst.refill(|mbufs| sys::shim_ring_dequeue(ring.as_ptr(), mbufs, CAPACITY as u32) as usize)
        }
    }
}

impl Drop for RingPort<'_> {
    fn drop(&mut self) {
        // The mbufs that are left in the rings go back to their pools.
        let mut burst = Burst::new();
        for ring in self.to_port.iter().chain(&self.from_port) {
            // SAFETY: as in collect; the burst is gone before this function returns.
            while unsafe {
                burst.refill(|mbufs| sys::shim_ring_dequeue(ring.as_ptr(), mbufs, CAPACITY as u32) as usize)
            } > 0
            {}
        }
    }
}

/// Makes `count` rings that any thread may use.
fn rings(prefix: &str, count: u16, depth: u32) -> Result<Vec<NonNull<sys::rte_ring>>, Error> {
    (0..count)
        .map(|i| {
            let name = format!("{prefix}{i}");
            let c_name = c_string(&name)?;
            // SAFETY: callers hold an Eal; the name is copied. No flags: multi-producer,
            // multi-consumer.
            let ring = unsafe { sys::rte_ring_create(c_name.as_ptr(), depth, SocketId::ANY.0, 0) };
            NonNull::new(ring)
                .ok_or_else(|| Error::from_rte_errno("rte_ring_create", format_args!("ring {name}")))
        })
        .collect()
}
