//! Hostile users, and hostile clients of metrics and health.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::h2::{self, Connection};
use super::{Tally, Target};

/// Pause between two rounds of an attacker.
const PAUSE: Duration = Duration::from_millis(10);
/// Time limit of a dial.
const DIAL: Duration = Duration::from_secs(1);
/// What HTTP/2 offers a stream when nothing else is said.
const WINDOW: u32 = 65_535;
/// Streams that attackers use on one connection.
const A_CONNECTION: usize = 32;

/// `WatchEventsRequest` that starts with a snapshot, and one that does not: field 3, of which field
/// 2 or 1 is empty.
const FROM_SNAPSHOT: &[u8] = &[0x1a, 2, 0x12, 0];
const FROM_NOW: &[u8] = &[0x1a, 2, 0x0a, 0];

/// Opens `n` connections that say nothing, at most 4,000 a second, and keeps them; those that the
/// service closes are opened again.
pub fn connections(target: &Target, n: usize) -> Tally {
    let (mut open, mut opened, mut failed, mut closed) = (VecDeque::new(), 0, 0, 0);
    while target.on() {
        for _ in 0..40 {
            if open.len() < n {
                match TcpStream::connect_timeout(&target.grpc, DIAL) {
                    Ok(stream) => {
                        let _ = stream.set_nonblocking(true);
                        open.push_back(stream);
                        opened += 1;
                    }
                    Err(_) => failed += 1,
                }
            }
        }
        closed += drop_closed(&mut open, 200);
        target.pause(PAUSE);
    }
    format!("{opened} opened, {failed} not, {closed} closed by the service, {} open", open.len())
}

/// Looks at the next `most` connections in their turn, drops those that the service has closed, and
/// returns their number.
fn drop_closed(open: &mut VecDeque<TcpStream>, most: usize) -> u64 {
    let mut closed = 0;
    for _ in 0..open.len().min(most) {
        let Some(stream) = open.pop_front() else { break };
        if is_closed(&stream) {
            closed += 1;
        } else {
            open.push_back(stream);
        }
    }
    closed
}

fn is_closed(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// Opens `n` watches on one connection, and dials again when the service ends it.
pub fn streams(target: &Target, n: usize) -> Tally {
    let (mut heard, mut asked, mut dials) = (h2::Heard::default(), 0, 0);
    while target.on() {
        let Ok(mut connection) = Connection::open(target.grpc, WINDOW) else {
            target.pause(PAUSE);
            continue;
        };
        dials += 1;
        let mut next = 1;
        while target.on() && !connection.heard.closed {
            if (next as usize) < 2 * n {
                let mut frames = Vec::new();
                for _ in 0..100 {
                    h2::call(&mut frames, next, "WatchEvents");
                    h2::message(&mut frames, next, FROM_NOW);
                    next += 2;
                }
                asked += 100;
                let _ = connection.send(&frames);
            }
            connection.pump();
            target.pause(PAUSE);
        }
        add(&mut heard, &connection);
    }
    format!("{asked} asked for on {dials} connections, {} answered, {} reset", heard.headers, heard.resets)
}

fn add(sum: &mut h2::Heard, connection: &Connection) {
    sum.headers += connection.heard.headers;
    sum.resets += connection.heard.resets;
    sum.data += connection.heard.data;
}

/// Starts `n` requests whose message never comes, over as few connections as the service takes them
/// on, and keeps them.
pub fn no_body(target: &Target, n: usize) -> Tally {
    const ON_ONE: usize = 300;
    let (mut open, mut heard, mut begun, mut ended) = (VecDeque::new(), h2::Heard::default(), 0, 0);
    while target.on() {
        if begun < n
            && let Ok(mut connection) = Connection::open(target.grpc, WINDOW)
        {
            let mut frames = Vec::new();
            (0..ON_ONE as u32).for_each(|i| h2::call(&mut frames, 2 * i + 1, "GetStats"));
            let _ = connection.send(&frames);
            open.push_back(connection);
            begun += ON_ONE;
        }
        open.iter_mut().for_each(Connection::pump);
        open.retain(|connection| {
            if connection.heard.closed {
                add(&mut heard, connection);
                ended += 1;
            }
            !connection.heard.closed
        });
        target.pause(PAUSE);
    }
    open.iter().for_each(|connection| add(&mut heard, connection));
    format!("{begun} begun, {} answered, {} reset, {ended} connections ended", heard.headers, heard.resets)
}

/// Begins and resets up to `rate` calls a second.
pub fn resets(target: &Target, rate: usize) -> Tally {
    let (mut dials, mut begun) = (0, 0);
    while target.on() {
        let Ok(mut connection) = Connection::open(target.grpc, WINDOW) else {
            target.pause(PAUSE);
            continue;
        };
        dials += 1;
        let mut next = 1;
        while target.on() && !connection.heard.closed {
            let mut frames = Vec::new();
            for _ in 0..rate / 100 {
                h2::call(&mut frames, next, "ListEntries");
                h2::message(&mut frames, next, &[]);
                h2::reset(&mut frames, next);
                next += 2;
                begun += 1;
            }
            let _ = connection.send(&frames);
            connection.pump();
            target.pause(PAUSE);
        }
        // A service that ends such connections at once is not dialled without a pause.
        target.pause(PAUSE);
    }
    format!("{begun} begun and reset on {dials} connections")
}

/// Asks for `n` lists and reads none of them.
pub fn lists(target: &Target, n: usize) -> Tally {
    stuck(target, n, "ListEntries", &[])
}

/// Asks for `n` watches that start with a snapshot and reads none of them.
pub fn snapshots(target: &Target, n: usize) -> Tally {
    stuck(target, n, "WatchEvents", FROM_SNAPSHOT)
}

/// Makes `n` calls whose answers are not read beyond the first window, and makes those again that
/// the service ends.
fn stuck(target: &Target, n: usize, method: &str, request: &[u8]) -> Tally {
    let (mut open, mut heard, mut dials): (Vec<Connection>, _, _) = (Vec::new(), h2::Heard::default(), 0);
    while target.on() {
        let wanted = n.div_ceil(A_CONNECTION);
        // A few at a time: the attack is in what stays.
        for _ in 0..4 {
            if open.len() < wanted
                && let Ok(mut connection) = Connection::open(target.grpc, WINDOW)
            {
                let mut frames = Vec::new();
                for stream in (0..A_CONNECTION.min(n) as u32).map(|i| 2 * i + 1) {
                    h2::call(&mut frames, stream, method);
                    h2::message(&mut frames, stream, request);
                }
                let _ = connection.send(&frames);
                open.push(connection);
                dials += 1;
            }
        }
        open.iter_mut().for_each(Connection::pump);
        // Once all streams of a connection have ended, it is of no use to the attacker.
        open.retain(|connection| {
            let over = connection.heard.closed || connection.heard.resets as usize >= A_CONNECTION.min(n);
            if over {
                add(&mut heard, connection);
            }
            !over
        });
        target.pause(10 * PAUSE);
    }
    open.iter().for_each(|connection| add(&mut heard, connection));
    format!(
        "{dials} connections, {} answered, {} reset, {} octets taken",
        heard.headers, heard.resets, heard.data
    )
}

/// Keeps `n` connections that say nothing, or half of a request, and meanwhile dials, asks and
/// leaves.
pub fn http(target: &Target, n: usize) -> Tally {
    let (mut open, mut opened, mut asked, mut closed) = (VecDeque::new(), 0_u64, 0_u64, 0_u64);
    while target.on() {
        for _ in 0..20 {
            if open.len() < n
                && let Ok(mut stream) = TcpStream::connect_timeout(&target.http, DIAL)
            {
                if opened % 2 == 1 {
                    let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ");
                }
                let _ = stream.set_nonblocking(true);
                open.push_back(stream);
                opened += 1;
            }
        }
        if let Ok(mut stream) = TcpStream::connect_timeout(&target.http, DIAL) {
            // It leaves without the answer.
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
            let _ = stream.set_read_timeout(Some(PAUSE));
            let _ = stream.read(&mut [0; 64]);
            asked += 1;
        }
        closed += drop_closed(&mut open, 100);
        target.pause(PAUSE);
    }
    format!("{opened} opened, {closed} closed by the service, {asked} asked and left")
}
