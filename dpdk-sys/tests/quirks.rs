//! The C library's calls that `quirks.c` defines anew: each deviates where its header says so,
//! waits no longer than its bound, and leaves behind what it found.

use core::mem::{MaybeUninit, size_of, size_of_val, zeroed};
use core::ptr;
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::io::Error;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use dpdk_sys as sys;

const CONNECT_LIMIT: Duration = Duration::from_millis(sys::QUIRKS_CONNECT_LIMIT_MS as u64);

fn errno() -> i32 {
    Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn set_errno(value: i32) {
    // SAFETY: the variable of this thread.
    unsafe { *libc::__errno_location() = value };
}

/// Calls from a library, DPDK's drivers included, reach the executable's definitions.
#[test]
fn libraries_call_these_definitions() {
    let object_of = |address: *const c_void| {
        let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: dladdr takes any address and fills info, for which zero is valid.
        unsafe {
            assert_ne!(libc::dladdr(address, info.as_mut_ptr()), 0);
            info.assume_init().dli_fbase
        }
    };
    let executable = object_of(sys::quirks_before_munmap as *const c_void);
    for name in [c"munmap", c"setsockopt", c"connect"] {
        // SAFETY: a zero-terminated name, looked up in the order in which libraries are bound.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        assert_eq!(object_of(found), executable, "{name:?}");
    }
    // The C library's own is still found by a name that is not defined anew.
    // SAFETY: as above.
    let other = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"getsockopt".as_ptr()) };
    assert_ne!(object_of(other), executable);
}

// ---- munmap ----

thread_local! {
    /// The answer of [`may_unmap`] on this thread.
    static MAY: Cell<c_int> = const { Cell::new(1) };
}

unsafe extern "C" fn may_unmap() -> c_int {
    set_errno(libc::EXDEV);
    MAY.try_with(Cell::get).unwrap_or(1)
}

#[test]
fn munmap_keeps_memory_mapped_when_it_is_told_to() {
    const SIZE: usize = 4096;
    // SAFETY: may_unmap may be called at any time.
    unsafe { sys::quirks_before_munmap(Some(may_unmap)) };
    // SAFETY: a new private mapping at an address that the kernel chooses.
    let memory = unsafe {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(ptr::null_mut(), SIZE, access, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    assert_ne!(memory, libc::MAP_FAILED);
    let is_mapped = || {
        let mut resident = 0;
        // SAFETY: mincore reads no memory; it writes one byte for one page.
        unsafe { libc::mincore(memory, SIZE, &raw mut resident) == 0 }
    };

    MAY.set(0);
    set_errno(libc::ESTALE);
    // SAFETY: a mapping of the test's own, not used as memory afterwards.
    assert_eq!(unsafe { libc::munmap(memory, SIZE) }, 0);
    assert_eq!(errno(), libc::ESTALE);
    assert!(is_mapped());

    MAY.set(1);
    set_errno(libc::ESTALE);
    // SAFETY: as above.
    assert_eq!(unsafe { libc::munmap(memory, SIZE) }, 0);
    assert_eq!(errno(), libc::ESTALE);
    assert!(!is_mapped());

    // SAFETY: the kernel refuses an address that is not that of a page.
    assert_eq!(unsafe { libc::munmap(memory.wrapping_byte_add(1), SIZE) }, -1);
    assert_eq!(errno(), libc::EINVAL, "a refusal of the kernel is passed on");
}

// ---- setsockopt ----

#[test]
fn the_kernel_is_not_asked_to_reassemble_fragments() {
    let others =
        libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_ROLLOVER | libc::PACKET_FANOUT_FLAG_UNIQUEID;
    let group = 0x1234;
    let kept = others << 16 | group;
    let defrag = libc::PACKET_FANOUT_FLAG_DEFRAG << 16;
    // SAFETY: the function has no precondition.
    unsafe {
        assert_eq!(sys::quirks_fanout_without_defrag(kept | defrag), kept);
        assert_eq!(sys::quirks_fanout_without_defrag(kept), kept);
    }
}

/// Needs the right to open packet sockets, as the end-to-end tests do.
#[test]
fn a_packet_socket_joins_a_group_without_reassembly() {
    let every_protocol = (libc::ETH_P_ALL as u16).to_be();
    let socket = new_socket(libc::AF_PACKET, libc::SOCK_RAW, every_protocol.into());
    let wanted = (libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG) << 16 | process_group();
    let asked = wanted;
    set_option(&socket, libc::SOL_PACKET, libc::PACKET_FANOUT, &asked).expect("a group of our own");
    assert_eq!(asked, wanted, "the caller's bytes stay as they were");
    let joined: u32 = option(&socket, libc::SOL_PACKET, libc::PACKET_FANOUT);
    assert_eq!(joined, wanted & !(libc::PACKET_FANOUT_FLAG_DEFRAG << 16));

    set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, &40_000).expect("any other option");
    assert_eq!(option::<c_int>(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF), 80_000, "doubled by the kernel");
}

/// Needs the right to open packet sockets, as the end-to-end tests do.
#[test]
fn the_frames_of_a_ring_are_remembered() {
    let frame_of = |socket: &OwnedFd| {
        // SAFETY: any number may be given.
        unsafe { sys::quirks_ring_frame(socket.as_raw_fd()) }
    };
    // No protocol: it receives nothing.
    let socket = new_socket(libc::AF_PACKET, libc::SOCK_RAW, 0);
    set_option(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &1).expect("TPACKET_V2");
    assert_eq!(frame_of(&socket), 0);
    let ring = |size| libc::tpacket_req {
        tp_block_size: 8192,
        tp_block_nr: 1,
        tp_frame_size: size,
        tp_frame_nr: 8192 / size,
    };
    set_option(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &ring(4096)).expect("a ring");
    assert_eq!(frame_of(&socket), 4096);
    set_option(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &ring(2048)).expect_err("a second one");
    assert_eq!(frame_of(&socket), 4096);
    for fd in [-1, sys::QUIRKS_MAX_FD.cast_signed(), i32::MAX, i32::MIN] {
        // SAFETY: as above.
        assert_eq!(unsafe { sys::quirks_ring_frame(fd) }, 0);
    }
}

/// A number for a fanout group that no other process uses.
fn process_group() -> u32 {
    std::process::id() & 0xffff
}

// ---- connect ----

/// A server that never accepts, with as many connections waiting as it takes.
struct Mute {
    server: UnixListener,
    _waiting: OwnedFd,
    _folder: Folder,
}

/// A folder of the test's own.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ftquirks-{name}-{}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder of the test's own");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Mute {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let server = UnixListener::bind(folder.0.join("mute")).expect("a free name");
        // The kernel takes one connection more than the backlog.
        // SAFETY: a listening socket may be given another backlog.
        assert_eq!(unsafe { libc::listen(server.as_raw_fd(), 0) }, 0);
        let waiting = new_socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
        connect(waiting.as_raw_fd(), &server).expect("room for one");
        Self { server, _waiting: waiting, _folder: folder }
    }
}

fn new_socket(domain: c_int, kind: c_int, protocol: c_int) -> OwnedFd {
    // SAFETY: the descriptor is new and belongs to nobody else.
    unsafe {
        let fd = libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol);
        assert!(fd >= 0, "{}", Error::last_os_error());
        OwnedFd::from_raw_fd(fd)
    }
}

/// Connects as C does, and not as Rust's standard library does.
fn connect(fd: RawFd, server: &UnixListener) -> Result<(), Error> {
    let address = server.local_addr().expect("it is bound");
    let path = address.as_pathname().expect("to a path").to_str().expect("of UTF-8");
    // SAFETY: an all-zero sockaddr_un is valid.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    assert!(path.len() < address.sun_path.len());
    for (to, from) in address.sun_path.iter_mut().zip(path.bytes()) {
        *to = from.cast_signed();
    }
    let len = size_of_val(&address) as libc::socklen_t;
    // SAFETY: the address has the length given.
    match unsafe { libc::connect(fd, (&raw const address).cast(), len) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}

fn option<T: Copy>(socket: &OwnedFd, level: c_int, name: c_int) -> T {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut len = size_of::<T>() as libc::socklen_t;
    // SAFETY: value has room for len bytes, and the callers' types are made of integers.
    unsafe {
        let code = libc::getsockopt(socket.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len);
        assert_eq!(code, 0, "{}", Error::last_os_error());
        value.assume_init()
    }
}

fn set_option<T>(socket: &OwnedFd, level: c_int, name: c_int, value: &T) -> Result<(), Error> {
    let len = size_of::<T>() as libc::socklen_t;
    // SAFETY: value has the length given.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, ptr::from_ref(value).cast(), len) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}

fn send_timeout(socket: &OwnedFd) -> Duration {
    let timeout: libc::timeval = option(socket, libc::SOL_SOCKET, libc::SO_SNDTIMEO);
    Duration::new(timeout.tv_sec.cast_unsigned(), timeout.tv_usec as u32 * 1000)
}

fn set_send_timeout(socket: &OwnedFd, timeout: Duration) {
    let timeout = libc::timeval { tv_sec: timeout.as_secs() as i64, tv_usec: timeout.subsec_micros().into() };
    set_option(socket, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &timeout).expect("any socket has one");
}

/// Law: an attempt takes as long as the shorter of the socket's own timeout and the bound, the
/// error is the kernel's, and the socket's timeout is afterwards what it was before.
#[test]
fn connect_does_not_wait_for_ever_and_leaves_the_socket_as_it_was() {
    let short = CONNECT_LIMIT / 5;
    let long = Duration::from_secs(3600);
    for (own, at_least, at_most) in [
        (Duration::ZERO, CONNECT_LIMIT, Duration::MAX),
        (long, CONNECT_LIMIT, Duration::MAX),
        (short, short, CONNECT_LIMIT),
    ] {
        let mute = Mute::new("connect");
        let (done, finished) = mpsc::channel();
        thread::spawn(move || {
            let socket = new_socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
            set_send_timeout(&socket, own);
            let since = Instant::now();
            let error = connect(socket.as_raw_fd(), &mute.server).expect_err("no room");
            let waited = since.elapsed();
            done.send((error.raw_os_error(), waited, send_timeout(&socket))).expect("the test waits");
        });
        let outcome = finished.recv_timeout(100 * CONNECT_LIMIT);
        let (error, waited, after) = outcome.unwrap_or_else(|_| panic!("{own:?}: connect has no end"));
        assert_eq!(error, Some(libc::EAGAIN), "{own:?}");
        assert!(waited >= at_least - CONNECT_LIMIT / 20, "{own:?}: {waited:?}");
        assert!(waited < at_most, "{own:?}: {waited:?}");
        assert_eq!(after, own);
    }
}

#[test]
fn connect_passes_on_what_the_kernel_says() {
    let mute = Mute::new("errors");
    let impatient = new_socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0);
    let since = Instant::now();
    assert_eq!(connect(impatient.as_raw_fd(), &mute.server).unwrap_err().raw_os_error(), Some(libc::EAGAIN));
    assert!(since.elapsed() < CONNECT_LIMIT, "a socket that does not block still does not");

    assert_eq!(connect(-1, &mute.server).unwrap_err().raw_os_error(), Some(libc::EBADF));
    let file = std::fs::File::open("/dev/null").expect("every system has it");
    assert_eq!(connect(file.as_raw_fd(), &mute.server).unwrap_err().raw_os_error(), Some(libc::ENOTSOCK));

    let folder = Folder::new("free");
    let server = UnixListener::bind(folder.0.join("free")).expect("a free name");
    let socket = new_socket(libc::AF_UNIX, libc::SOCK_STREAM, 0);
    set_send_timeout(&socket, Duration::from_secs(7));
    set_errno(libc::EXDEV);
    connect(socket.as_raw_fd(), &server).expect("room");
    assert_eq!(errno(), libc::EXDEV, "a success does not touch errno");
    assert_eq!(send_timeout(&socket), Duration::from_secs(7));
}
