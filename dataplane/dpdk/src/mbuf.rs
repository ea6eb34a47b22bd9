//! A burst of frames, which owns its mbufs and lends their bytes.
//!
//! Input: mbufs from a receive queue, a ring or a pool. Output: frames as byte slices. Invariant:
//! each mbuf has one owner, and is freed once.

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::slice;

use dpdk_sys as sys;

/// The most frames that a [`Burst`] holds.
pub const CAPACITY: usize = 256;

/// Up to [`CAPACITY`] received frames.
///
/// It owns the mbufs: sending hands them to a device; [`retain`](Self::retain),
/// [`clear`](Self::clear) and dropping free them. There is no `Clone` and no way to take a single
/// mbuf out, so none is freed twice. Its lifetime is that of the port or pool that fills it.
///
/// The value is an array of pointers, without an allocation of its own. Make one per queue and
/// reuse it.
pub struct Burst<'p> {
    /// The first `len` are mbufs that this burst owns.
    mbufs: [MaybeUninit<*mut sys::rte_mbuf>; CAPACITY],
    len: usize,
    _port: PhantomData<&'p ()>,
}

// SAFETY: an mbuf belongs to no thread; freeing it on another one is allowed (see Mempool).
unsafe impl Send for Burst<'_> {}
// SAFETY: a shared burst only reads the mbufs, which nobody else writes.
unsafe impl Sync for Burst<'_> {}

impl<'p> Burst<'p> {
    /// Makes an empty burst.
    #[must_use]
    pub const fn new() -> Self {
        Self { mbufs: [const { MaybeUninit::uninit() }; CAPACITY], len: 0, _port: PhantomData }
    }

    /// Returns the number of frames.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there is no frame.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the bytes of frame `i` that lie in its first segment. These are all bytes of the
    /// frame unless it is longer than an mbuf or the device splits headers; see
    /// [`frame_len`](Self::frame_len) and [`read`](Self::read).
    ///
    /// # Panics
    ///
    /// When `i` is not below [`len`](Self::len).
    #[inline]
    #[must_use]
    pub fn frame(&self, i: usize) -> &[u8] {
        // SAFETY: self owns the mbuf, and keeps it while its bytes are lent.
        unsafe { bytes(self.mbuf(i)) }
    }

    /// Returns the number of bytes in all segments of frame `i`, from the Ethernet header on and
    /// without FCS.
    ///
    /// # Panics
    ///
    /// When `i` is not below [`len`](Self::len).
    #[inline]
    #[must_use]
    pub fn frame_len(&self, i: usize) -> u32 {
        // SAFETY: the mbuf is owned by self.
        unsafe { field(self.mbuf(i), sys::SHIM_MBUF_PKT_LEN) }
    }

    /// Returns an iterator over [`frame`](Self::frame) and [`frame_len`](Self::frame_len) of every
    /// frame from index `from` on.
    ///
    /// # Panics
    ///
    /// When `from` is above [`len`](Self::len).
    #[inline]
    pub fn frames(&self, from: usize) -> impl Iterator<Item = (&[u8], u32)> {
        self.mbufs[..self.len][from..].iter().map(|mbuf| {
            // SAFETY: the first len pointers are written. self owns these mbufs, and keeps them
            // while their bytes are lent.
            unsafe {
                let mbuf = mbuf.assume_init();
                (bytes(mbuf), field(mbuf, sys::SHIM_MBUF_PKT_LEN))
            }
        })
    }

    /// Returns an iterator over the segments of frame `i`, in order. Each step makes one FFI call.
    ///
    /// # Panics
    ///
    /// When `i` is not below [`len`](Self::len).
    #[must_use]
    pub fn segments(&self, i: usize) -> Segments<'_> {
        Segments { next: self.mbuf(i), _burst: PhantomData }
    }

    /// Copies the bytes of frame `i` from `offset` on into `to`, across the borders of segments.
    /// Returns the number of bytes copied. For frames whose headers do not lie in the first
    /// segment.
    ///
    /// # Panics
    ///
    /// When `i` is not below [`len`](Self::len).
    #[must_use]
    pub fn read(&self, i: usize, offset: u32, to: &mut [u8]) -> usize {
        let len = u32::try_from(to.len()).unwrap_or(u32::MAX);
        // SAFETY: the mbuf is owned by self, and `to` has room for len bytes.
        unsafe { sys::shim_copy_out(self.mbuf(i), offset, to.as_mut_ptr(), len) as usize }
    }

    /// Keeps the frames for whose index `keep` returns true, in their order, and frees the others
    /// with one FFI call. The indices are those before the call.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        // All answers are collected first. If `keep` panics, the burst is as it was.
        let mut kept = [false; CAPACITY];
        for (i, kept) in kept.iter_mut().enumerate().take(self.len) {
            *kept = keep(i);
        }
        let mut rejected = [MaybeUninit::<*mut sys::rte_mbuf>::uninit(); CAPACITY];
        let (mut left, mut gone) = (0, 0);
        for (i, &keep) in kept.iter().enumerate().take(self.len) {
            if keep {
                self.mbufs[left] = self.mbufs[i];
                left += 1;
            } else {
                rejected[gone] = self.mbufs[i];
                gone += 1;
            }
        }
        self.len = left;
        // SAFETY: the first `gone` pointers were owned by this burst and are no longer in it.
        unsafe { free(&mut rejected, 0, gone) };
    }

    /// Frees all frames.
    #[inline]
    pub fn clear(&mut self) {
        let len = std::mem::take(&mut self.len);
        // SAFETY: the first len mbufs were owned by this burst, which has just given them up.
        unsafe { free(&mut self.mbufs, 0, len) };
    }

    /// Empties the burst, has `fill` write owned mbufs from index 0 on, and takes over the number
    /// of them that it returns.
    ///
    /// # Safety
    ///
    /// `fill` gets an array of [`CAPACITY`] and returns n <= CAPACITY. Nobody else owns the first n
    /// mbufs then, and their pool lives for `'p`.
    #[inline]
    pub(crate) unsafe fn refill(&mut self, fill: impl FnOnce(*mut *mut sys::rte_mbuf) -> usize) -> usize {
        self.clear();
        self.len = fill(self.mbufs.as_mut_ptr().cast());
        debug_assert!(self.len <= CAPACITY);
        self.len
    }

    /// Gives `send` all mbufs, and frees those after the first n, n being what `send` returns.
    /// Returns n. The burst is empty afterwards.
    ///
    /// # Safety
    ///
    /// `send` gets an array and its length and returns n, at most that length. It then owns the
    /// first n mbufs and has kept no pointer to the others.
    #[inline]
    pub(crate) unsafe fn empty_into(
        &mut self,
        send: impl FnOnce(*mut *mut sys::rte_mbuf, usize) -> usize,
    ) -> usize {
        let len = std::mem::take(&mut self.len);
        let sent = send(self.mbufs.as_mut_ptr().cast(), len);
        debug_assert!(sent <= len);
        // SAFETY: mbufs sent..len were owned by this burst, and `send` has not taken them.
        unsafe { free(&mut self.mbufs, sent, len) };
        sent
    }

    /// Adds one frame. Returns it as an error when the burst is full.
    ///
    /// # Safety
    ///
    /// `mbuf` is owned by the caller and its pool lives for `'p`.
    #[cfg(feature = "test-support")]
    pub(crate) unsafe fn push(&mut self, mbuf: *mut sys::rte_mbuf) -> Result<(), *mut sys::rte_mbuf> {
        if self.len == CAPACITY {
            return Err(mbuf);
        }
        self.mbufs[self.len].write(mbuf);
        self.len += 1;
        Ok(())
    }

    #[inline]
    fn mbuf(&self, i: usize) -> *const sys::rte_mbuf {
        assert!(i < self.len, "frame {i} of {}", self.len);
        // SAFETY: the first len pointers are written, and len <= CAPACITY.
        unsafe { self.mbufs.get_unchecked(i).assume_init() }
    }
}

impl Default for Burst<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Burst<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Burst<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Burst").field("len", &self.len).finish_non_exhaustive()
    }
}

/// Frees mbufs `from..to` with one FFI call, or none when there are none.
///
/// # Safety
///
/// `from <= to <= CAPACITY`; these pointers are written, owned by the caller and given up by it.
#[inline]
unsafe fn free(mbufs: &mut [MaybeUninit<*mut sys::rte_mbuf>; CAPACITY], from: usize, to: usize) {
    if from < to {
        let count = u32::try_from(to - from).unwrap_or(0);
        // SAFETY: the caller's promise; mbufs may be freed on any thread.
        unsafe { sys::shim_free_bulk(mbufs.as_mut_ptr().add(from).cast(), count) };
    }
}

/// Reads a field of an mbuf.
///
/// # Safety
///
/// `mbuf` is a live mbuf, and `at` is the offset from `shim_mbuf` of a field of type `T`.
#[inline(always)]
unsafe fn field<T: Copy>(mbuf: *const sys::rte_mbuf, at: sys::shim_mbuf) -> T {
    // SAFETY: the caller's promise; fields of an mbuf are aligned.
    unsafe { mbuf.byte_add(at as usize).cast::<T>().read() }
}

/// Returns the bytes of one segment.
///
/// # Safety
///
/// The owner of `mbuf` lends it for `'b`.
#[inline(always)]
unsafe fn bytes<'b>(mbuf: *const sys::rte_mbuf) -> &'b [u8] {
    // SAFETY: the data of an mbuf is data_len initialised bytes. They stay where they are, and
    // nobody writes them, while the mbuf is lent.
    unsafe {
        // The type tells the compiler that the pointer is not null, which iterators over slices
        // make use of.
        let buffer: NonNull<u8> = field(mbuf, sys::SHIM_MBUF_BUF_ADDR);
        let from: u16 = field(mbuf, sys::SHIM_MBUF_DATA_OFF);
        let len: u16 = field(mbuf, sys::SHIM_MBUF_DATA_LEN);
        slice::from_raw_parts(buffer.add(usize::from(from)).as_ptr(), usize::from(len))
    }
}

/// The segments of one frame; see [`Burst::segments`].
pub struct Segments<'b> {
    /// The segment to yield next, or null.
    next: *const sys::rte_mbuf,
    _burst: PhantomData<&'b [u8]>,
}

impl<'b> Iterator for Segments<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: `next` is a segment of a frame that the borrowed burst owns.
        unsafe {
            let current = bytes(self.next);
            self.next = sys::shim_next_segment(self.next);
            Some(current)
        }
    }
}

impl fmt::Debug for Segments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segments").finish_non_exhaustive()
    }
}
