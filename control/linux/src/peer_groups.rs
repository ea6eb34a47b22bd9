//! The groups of the process at the other end of a unix socket (`SO_PEERGROUPS`, socket(7)).

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

/// The most groups that are asked for; Linux allows a process no more (`NGROUPS_MAX`).
const MOST: usize = 65_536;

/// Returns the supplementary groups that the process at the other end of `socket` had when it
/// connected.
///
/// # Errors
/// The socket is not a connected unix stream socket.
pub fn peer_groups(socket: impl AsFd) -> io::Result<Vec<u32>> {
    let socket = socket.as_fd().as_raw_fd();
    let mut groups: Vec<libc::gid_t> = vec![0; 32];
    loop {
        let mut bytes = size_of_val(groups.as_slice()) as libc::socklen_t;
        // SAFETY: the socket is open while it is borrowed, `groups` has room for `bytes` bytes, and
        // the kernel writes no more than that.
        let done = unsafe {
            libc::getsockopt(
                socket,
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        // The kernel sets the number of bytes, whether they fit or not.
        let count = bytes as usize / size_of::<libc::gid_t>();
        if done == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let why = io::Error::last_os_error();
        if why.raw_os_error() != Some(libc::ERANGE) || !(groups.len() + 1..=MOST).contains(&count) {
            return Err(why);
        }
        groups.resize(count, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use super::*;

    /// The oracle is id(1), which asks the kernel in another way.
    #[test]
    fn a_peer_in_this_process_has_the_groups_of_this_process() {
        let (one, _other) = UnixStream::pair().unwrap();
        let mut groups = peer_groups(&one).unwrap();
        let told = Command::new("id").arg("-G").output().unwrap();
        let mut told: Vec<u32> = String::from_utf8(told.stdout)
            .unwrap()
            .split_whitespace()
            .map(|id| id.parse().unwrap())
            .collect();
        // id also tells the process's own group, which need not be among the supplementary ones.
        groups.push(own_group());
        for groups in [&mut groups, &mut told] {
            groups.sort_unstable();
            groups.dedup();
        }
        assert_eq!(groups, told);
    }

    fn own_group() -> u32 {
        let told = Command::new("id").arg("-g").output().unwrap();
        String::from_utf8(told.stdout).unwrap().trim().parse().unwrap()
    }

    #[test]
    fn another_socket_is_an_error() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(peer_groups(&socket).is_err());
    }
}
