use std::ptr;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;

use super::*;

/// Bytes of the memory that is mapped and unmapped.
const SIZE: usize = 4096;

/// Maps new memory and returns its address.
fn map() -> usize {
    // SAFETY: a new private mapping at an address that the kernel chooses.
    let memory = unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(ptr::null_mut(), SIZE, access, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    assert_ne!(memory, libc::MAP_FAILED);
    memory as usize
}

fn is_mapped(memory: usize) -> bool {
    let mut resident = 0;
    // SAFETY: mincore reads no memory; it writes one byte for one page.
    unsafe { libc::mincore(memory as *mut libc::c_void, SIZE, &raw mut resident) == 0 }
}

fn gates() -> Arc<[Gate]> {
    [(); 2].map(|()| Gate::default()).into()
}

/// Runs `body` while a burst call is in flight on a gate of a guarded port.
///
/// `body` does not panic, because a wait without an end would then hold up the panic.
fn during_a_burst<T>(body: impl FnOnce() -> T) -> T {
    let (rx, tx) = (gates(), gates());
    let guard = Guard::new(&rx, &tx);
    let result = tx[1].pass(&AtomicBool::new(true), body).expect("the port runs");
    assert!(bursts_end_within(Duration::ZERO), "the call has ended");
    drop(guard);
    result
}

/// Runs `wait` on a thread of its own and returns its result and how long it took, or `None` when
/// it takes more than `patience`.
fn within<T: Send + 'static>(
    patience: Duration,
    wait: impl FnOnce() -> T + Send + 'static,
) -> Option<(T, Duration)> {
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        let since = Instant::now();
        let result = wait();
        let _ = done.send((result, since.elapsed()));
    });
    finished.recv_timeout(patience).ok()
}

#[test]
fn the_wait_for_a_burst_call_has_an_end() {
    let limit = Duration::from_millis(50);
    let outcome = during_a_burst(|| within(100 * limit, move || bursts_end_within(limit)));
    let (ended, waited) = outcome.expect("the wait has an end");
    assert!(!ended);
    assert!(waited >= limit, "{waited:?}");

    let idle = gates();
    let _guard = Guard::new(&idle, &gates());
    assert!(bursts_end_within(Duration::ZERO), "nobody waits for a queue that is not in use");
}

/// The whole way from the C library's name to the gates.
#[test]
fn munmap_on_the_interrupt_thread_waits_and_keeps_what_is_read() {
    install();
    let unmap = |memory: usize| {
        // SAFETY: a mapping of the test's own, which is not used as memory afterwards.
        unsafe { libc::munmap(memory as *mut libc::c_void, SIZE) }
    };
    let [elsewhere, read] = [map(), map()];
    let (unmapped, outcome) = during_a_burst(|| {
        let unmapped = within(LIMIT, move || unmap(elsewhere));
        let outcome = within(20 * LIMIT, move || {
            this_is_the_interrupt_thread();
            unmap(read)
        });
        (unmapped, outcome)
    });
    let (code, _) = unmapped.expect("other threads do not wait");
    assert_eq!((code, is_mapped(elsewhere)), (0, false));
    let (code, waited) = outcome.expect("the interrupt thread does not wait for ever");
    assert_eq!((code, is_mapped(read)), (0, true), "the burst call may still read it");
    assert!(waited >= LIMIT, "{waited:?}");

    this_is_the_interrupt_thread();
    assert_eq!((unmap(read), is_mapped(read)), (0, false), "no burst call is in flight any more");
}
