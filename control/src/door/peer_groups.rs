//! The groups of the process at the other end of a unix socket (`SO_PEERGROUPS`, socket(7)).

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

use uapi::c;

/// The most groups that are asked for; Linux allows a process no more (`NGROUPS_MAX`).
const MOST: usize = 65_536;

/// Returns the supplementary groups that the process at the other end of `socket` had when it
/// connected.
///
/// # Errors
/// The socket is not a connected unix stream socket.
pub(super) fn peer_groups(socket: impl AsFd) -> io::Result<Vec<u32>> {
    let socket = socket.as_fd().as_raw_fd();
    let mut groups = vec![0_u32; 32];
    loop {
        match uapi::getsockopt(socket, c::SOL_SOCKET, c::SO_PEERGROUPS, groups.as_mut_slice()) {
            Ok(bytes) => {
                groups.truncate(bytes / size_of::<u32>());
                return Ok(groups);
            }
            Err(uapi::Errno(c::ERANGE)) if groups.len() < MOST => groups.resize(2 * groups.len(), 0),
            Err(why) => return Err(why.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use super::*;

    fn numbers(flag: &str) -> Vec<u32> {
        let output = Command::new("id").arg(flag).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().map(|id| id.parse().unwrap()).collect()
    }

    /// The oracle is id(1), which asks the kernel in another way.
    #[test]
    fn a_peer_in_this_process_has_the_groups_of_this_process() {
        let (one, _other) = UnixStream::pair().unwrap();
        let mut groups = peer_groups(&one).unwrap();
        // id also shows the process's own group, which need not be among the supplementary ones.
        groups.extend(numbers("-g"));
        let mut shown = numbers("-G");
        for groups in [&mut groups, &mut shown] {
            groups.sort_unstable();
            groups.dedup();
        }
        assert_eq!(groups, shown);
    }

    #[test]
    fn another_socket_is_an_error() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(peer_groups(&socket).is_err());
    }
}
