//! The pages over HTTP: metrics and health.
//!
//! Input: how the client behaves, three bytes; then what it sends.

mod reference;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use control::door::places::Places;
use control::http::{CONNECTION_WITHIN, Pages, router};
use control::link::links::Links;
use control::mirror::hub::Hub;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, duplex, split};
use tokio::time::{Instant, sleep};

use crate::door::door;
use crate::input::Input;

/// Time in which a request that has a head is answered, whatever the client does later.
const HEAD_WITHIN: Duration = Duration::from_secs(4);

/// The pages of a service that no data plane is attached to.
static PAGES: LazyLock<Pages> = LazyLock::new(|| {
    let (hub, door) = (Hub::new(7, 64).expect("room"), door());
    Pages::new(router(Arc::new(hub), Arc::new(Links::default()), door.clone()), door)
});

/// How a client behaves.
#[derive(Clone, Copy, Debug)]
struct Client {
    /// Bytes that are under way in each direction, at most.
    room: usize,
    /// Bytes that it sends at a time, and the pause after them.
    piece: usize,
    pause: Duration,
    /// It closes its half when it has sent everything.
    closes: bool,
    reads: Reads,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    AtOnce,
    /// A byte at a time, with pauses.
    Slowly,
    Never,
}

/// Sends a request, and checks that the connection ends in time and that the answer is the one that
/// the request should get.
///
/// # Panics
/// When it is not.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let (choices, piece, pause) = (input.byte(), input.byte(), input.byte());
    let client = Client {
        room: [1 << 16, 1024, 32, 1][usize::from(choices & 3)],
        piece: if piece == 0 { 1 << 16 } else { piece.into() },
        pause: Duration::from_millis(u64::from(pause) * 20),
        closes: choices & 4 != 0,
        reads: [Reads::AtOnce, Reads::AtOnce, Reads::Slowly, Reads::Never][usize::from(choices >> 3 & 3)],
    };
    let request = input.0;
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime");
    let (answer, took) = runtime.block_on(client.ask(request));
    assert!(took <= CONNECTION_WITHIN + Duration::from_millis(1), "{took:?}");

    let text = String::from_utf8_lossy(request);
    // Of an answer that was not read in time there is only the beginning.
    let status = reference::status(&answer, took < CONNECTION_WITHIN, request)
        .unwrap_or_else(|why| panic!("{why}: {:?} to {text:?}", String::from_utf8_lossy(&answer)));
    let sent_within = client.pause * request.len().div_ceil(client.piece) as u32;
    if client.reads == Reads::AtOnce && sent_within < HEAD_WITHIN {
        let expected = reference::expected(request);
        assert!(expected.is_none_or(|expected| status == Some(expected)), "{status:?} to {text:?}");
    }
}

impl Client {
    /// Returns what it has read by the end of the connection, and when that was.
    async fn ask(self, request: &[u8]) -> (Vec<u8>, Duration) {
        let start = Instant::now();
        let (client, service) = duplex(self.room);
        let (place, _) = Places::new(1, 0).enter();
        let serve = async {
            PAGES.converse(service, Arc::new(place)).await;
            start.elapsed()
        };
        let (reader, writer) = split(client);
        let send = async {
            let mut writer = self.send(writer, request).await;
            if self.closes {
                drop(writer.shutdown().await);
            }
            writer
        };
        let (took, answer, _writer) = tokio::join!(serve, self.read(reader), send);
        (answer, took)
    }

    async fn send<W: AsyncWrite + Unpin>(self, mut writer: W, request: &[u8]) -> W {
        for piece in request.chunks(self.piece) {
            // The service may have ended the connection.
            if writer.write_all(piece).await.is_err() {
                break;
            }
            if !self.pause.is_zero() {
                sleep(self.pause).await;
            }
        }
        writer
    }

    async fn read(self, mut reader: impl AsyncRead + Unpin) -> Vec<u8> {
        let mut answer = Vec::new();
        match self.reads {
            // The other end is closed by then.
            Reads::Never => sleep(2 * CONNECTION_WITHIN).await,
            Reads::AtOnce => drop(reader.read_to_end(&mut answer).await),
            Reads::Slowly => {
                while let Ok(byte) = reader.read_u8().await {
                    answer.push(byte);
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
        answer
    }
}
