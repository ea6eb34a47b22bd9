//! An HTTP/2 client that keeps to the form of frames (RFC 9113) and to nothing else.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Time limit of a dial and of a write that the peer does not take.
const WITHIN: Duration = Duration::from_secs(1);

/// What a peer has answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    /// Responses, refusals among them.
    pub headers: u64,
    /// Streams that it has reset.
    pub resets: u64,
    /// Octets of messages.
    pub data: u64,
    /// Whether it has ended the connection.
    pub closed: bool,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    /// All answers so far.
    pub heard: Heard,
}

impl Connection {
    /// Dials, and offers a window of `window` octets to each stream.
    ///
    /// # Errors
    /// When the peer does not accept.
    pub fn open(addr: SocketAddr, window: u32) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, WITHIN)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WITHIN))?;
        let mut connection = Self { stream, unread: Vec::new(), heard: Heard::default() };
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // SETTINGS_INITIAL_WINDOW_SIZE.
        let window = [&[0, 4][..], &window.to_be_bytes()].concat();
        frame(&mut hello, SETTINGS, 0, 0, &window);
        connection.send(&hello)?;
        Ok(connection)
    }

    /// Writes frames.
    ///
    /// # Errors
    /// When the connection has ended, or the peer does not read.
    pub fn send(&mut self, frames: &[u8]) -> std::io::Result<()> {
        let sent = self.stream.write_all(frames);
        self.heard.closed |= sent.is_err();
        sent
    }

    /// Takes what has arrived, without waiting, and answers pings: a peer that is alive.
    pub fn pump(&mut self) {
        let mut piece = [0; 16 << 10];
        let _ = self.stream.set_nonblocking(true);
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => self.heard.closed = true,
                Ok(n) => {
                    self.unread.extend_from_slice(&piece[..n]);
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.heard.closed = true,
            }
            break;
        }
        let _ = self.stream.set_nonblocking(false);
        let mut answers = Vec::new();
        let mut at = 0;
        while let Some(head) = self.unread.get(at..at + 9) {
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let (kind, flags) = (head[3], head[4]);
            let Some(body) = self.unread.get(at + 9..at + 9 + length) else { break };
            match kind {
                HEADERS => self.heard.headers += 1,
                DATA => self.heard.data += length as u64,
                RST_STREAM => self.heard.resets += 1,
                GOAWAY => self.heard.closed = true,
                SETTINGS if flags & ACK == 0 => frame(&mut answers, SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 => frame(&mut answers, PING, ACK, 0, body),
                _ => {}
            }
            at += 9 + length;
        }
        self.unread.drain(..at);
        if !answers.is_empty() {
            let _ = self.send(&answers);
        }
    }
}

/// Appends a frame.
pub fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, body: &[u8]) {
    out.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(body);
}

/// Appends the headers of a call of this method of the service. The message follows.
pub fn call(out: &mut Vec<u8>, stream: u32, method: &str) {
    let path = format!("/flowtracker.v1.FlowTrackerService/{method}");
    let mut block = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", &*path),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ] {
        // Literal header field without indexing, new name (RFC 7541 §6.2.2); all are short.
        block.push(0);
        for text in [name, value] {
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    frame(out, HEADERS, END_HEADERS, stream, &block);
}

/// Appends the only message of a call.
pub fn message(out: &mut Vec<u8>, stream: u32, message: &[u8]) {
    let mut body = vec![0];
    body.extend_from_slice(&(message.len() as u32).to_be_bytes());
    body.extend_from_slice(message);
    frame(out, DATA, END_STREAM, stream, &body);
}

/// Appends the reset of a stream: CANCEL.
pub fn reset(out: &mut Vec<u8>, stream: u32) {
    frame(out, RST_STREAM, 0, stream, &8_u32.to_be_bytes());
}
