//! Commands of our own on DPDK's telemetry socket, asked as any client asks.

use std::ffi::c_int;
use std::io::{Error as IoError, Read as _, Write as _};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use dpdk::telemetry::{Dict, TelemetryCommand};
use dpdk::{Eal, Error};

/// A connection to the socket: SOCK_SEQPACKET, one packet per request and answer.
struct Client(std::fs::File);

impl Client {
    fn connect(socket: &Path) -> Self {
        let path = socket.as_os_str().as_bytes();
        // SAFETY: an all-zero sockaddr_un is valid; it is filled below.
        let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
        address.sun_family = libc::sa_family_t::try_from(libc::AF_UNIX).unwrap();
        assert!(path.len() < address.sun_path.len(), "{socket:?} fits a socket address");
        for (to, from) in address.sun_path.iter_mut().zip(path) {
            *to = from.cast_signed();
        }
        let length = libc::socklen_t::try_from(size_of::<libc::sockaddr_un>()).unwrap();
        // SAFETY: plain system calls; the descriptor is owned from its birth on, and the address
        // has the length given.
        let socket = unsafe {
            let fd: c_int = libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0);
            assert!(fd >= 0, "{}", IoError::last_os_error());
            let socket = OwnedFd::from_raw_fd(fd);
            assert_eq!(
                libc::connect(fd, (&raw const address).cast(), length),
                0,
                "{}",
                IoError::last_os_error()
            );
            socket
        };
        let mut client = Self(socket.into());
        assert!(client.read().contains("max_output_len\":16384"), "what the limits here rest on");
        client
    }

    fn read(&mut self) -> String {
        let mut packet = vec![0; 16 * 1024];
        let length = self.0.read(&mut packet).unwrap();
        String::from_utf8(packet[..length].to_vec()).unwrap()
    }

    fn ask(&mut self, request: &str) -> String {
        self.0.write_all(request.as_bytes()).unwrap();
        self.read()
    }
}

fn args(prefix: &str) -> Vec<String> {
    format!("--no-huge --no-shconf --no-pci -l 0 -m 128 --file-prefix {prefix}")
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

#[test]
fn commands_are_answered_while_they_are_served() {
    let prefix = format!("fttel{}", std::process::id());
    let eal = Eal::init("telemetry", &args(&prefix)).unwrap();
    let folder = std::env::var_os("RUNTIME_DIRECTORY").map_or(PathBuf::from("/var/run"), PathBuf::from);
    let socket = folder.join("dpdk").join(&prefix).join("dpdk_telemetry.v2");
    let mut client = Client::connect(&socket);

    let nested = |_: Option<&str>| {
        let inner = Dict::new().with("list", vec![1, u64::MAX]).with("deeper", Dict::new().with("n", 7));
        Ok(Dict::new().with("text", "say \"hi\"").with("names", vec!["a".to_owned()]).with("inner", inner))
    };
    let echo = |params: Option<&str>| match params {
        Some(params) => Ok(Dict::new().with("params", params)),
        None => Err("a parameter is needed".to_owned()),
    };
    // Ten dictionaries of 200 numbers with long names: beyond 16 KiB.
    let large = |_: Option<&str>| {
        let numbers = || (0..200).map(|i| (format!("a_long_name_{i}"), u64::MAX)).collect::<Dict>();
        Ok((0..10).map(|i| (format!("d{i}"), numbers())).collect())
    };
    let served = [
        TelemetryCommand { name: "/fttest/nested", help: "An answer of all there is.", answer: &nested },
        TelemetryCommand { name: "/fttest/echo", help: "Returns its parameter.", answer: &echo },
        TelemetryCommand { name: "/fttest/large", help: "Too much.", answer: &large },
    ];

    eal.serve_telemetry(&served, || {
        assert_eq!(
            client.ask("/fttest/nested"),
            r#"{"/fttest/nested":{"text":"say \"hi\"","names":["a"],"inner":{"list":[1,18446744073709551615],"deeper":{"n":7}}}}"#
        );
        assert_eq!(client.ask("/fttest/echo,1,x"), r#"{"/fttest/echo":{"params":"1,x"}}"#);
        assert_eq!(client.ask("/fttest/echo"), r#"{"/fttest/echo":{"error":"a parameter is needed"}}"#);
        let large = client.ask("/fttest/large");
        assert!(large.contains("\"error\"") && large.contains("ask for a part"), "{large}");
        assert!(client.ask("/help,/fttest/echo").contains("Returns its parameter."));
        let twice = eal.serve_telemetry(&served[..1], || ()).unwrap_err();
        assert_eq!(twice.errno(), Some(libc::EEXIST), "{twice}");
        assert_eq!(client.ask("/fttest/echo,still"), r#"{"/fttest/echo":{"params":"still"}}"#);
    })
    .unwrap();
    assert_eq!(client.ask("/fttest/nested"), r#"{"/fttest/nested":null}"#, "DPDK still knows the name");

    // The same names again, other closures.
    let again = |_: Option<&str>| Ok(Dict::new().with("again", 1));
    let served = [TelemetryCommand { name: "/fttest/nested", help: "", answer: &again }];
    eal.serve_telemetry(&served, || {
        assert_eq!(client.ask("/fttest/nested"), r#"{"/fttest/nested":{"again":1}}"#);
        assert_eq!(client.ask("/fttest/echo,1"), r#"{"/fttest/echo":null}"#);
    })
    .unwrap();
    assert_eq!(client.ask("/"), Client::connect(&socket).ask("/"));
    assert_eq!(client.ask("/").matches("/fttest/").count(), 3, "no name twice");

    for (name, help) in [("no/slash", ""), ("/bad name", ""), ("/fttest/help", &*"x".repeat(128))] {
        let refused =
            eal.serve_telemetry(&[TelemetryCommand { name, help, answer: &again }], || ()).unwrap_err();
        assert!(matches!(refused, Error::Call { call: "rte_telemetry_register_cmd", .. }), "{refused}");
    }

    the_end_waits_for_an_answer_in_the_making(&eal, &socket);
}

/// The closure borrows what goes away after serve_telemetry, so it must not be running then.
fn the_end_waits_for_an_answer_in_the_making(eal: &Eal, socket: &Path) {
    let (started, wait_started) = mpsc::channel();
    let (returned, wait_returned) = mpsc::channel();
    let wait_returned = Mutex::new(wait_returned);
    let slow = |_: Option<&str>| {
        started.send(()).unwrap();
        // If serve_telemetry returns meanwhile, this hears of it. It must not, so the time always
        // runs out.
        let early = wait_returned.lock().unwrap().recv_timeout(Duration::from_millis(100));
        Ok(Dict::new().with("returned_early", u64::from(early.is_ok())))
    };
    let served = [TelemetryCommand { name: "/fttest/slow", help: "", answer: &slow }];
    std::thread::scope(|threads| {
        let answer = eal.serve_telemetry(&served, || {
            let answer = threads.spawn(|| Client::connect(socket).ask("/fttest/slow"));
            wait_started.recv().unwrap();
            answer
        });
        returned.send(()).unwrap();
        assert_eq!(answer.unwrap().join().unwrap(), r#"{"/fttest/slow":{"returned_early":0}}"#);
    });
}
