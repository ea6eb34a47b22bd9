//! Bodies of messages. The body of a request is bounded in size and time. The body of a response tells
//! when its call is over, and ends when the caller loses its role.
//!
//! All calls of users have one message, but for reflection. A request without it would wait for
//! ever, and its stream with it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use flowtracker_proto::v1::dataplane_link_service_server::SERVICE_NAME as LINK;
use hyper::body::{Frame, Incoming, SizeHint};
use prost::bytes::Bytes;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request};
use tonic::{Code, Status};

use crate::api::fault;
use crate::door::Door;
use crate::door::account::Account;
use crate::door::methods::{Method, Need};
use crate::door::peer::Running;
use crate::door::places::{Call, Kind};
use crate::door::refusals::Reason;

/// Longest request of a user, bytes. The longest that means anything has a filter of 4 KiB.
const USER_MAX: usize = 64 << 10;

/// Returns what the call of a method is to its connection.
pub(super) fn kind(method: &Method) -> Kind {
    match method.needs {
        Need::Dataplane => Kind::Link,
        Need::Nothing => Kind::Health,
        _ => Kind::User,
    }
}

fn is_of(path: &str, service: &str) -> bool {
    path.strip_prefix('/')
        .and_then(|path| path.strip_prefix(service))
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The body of a request of a user, which comes soon or not at all.
#[derive(Debug)]
pub(super) struct Bounded {
    body: Incoming,
    door: Arc<Door>,
    /// By when it has to be here; `None` once it is.
    by: Option<Instant>,
    /// Wakes then; made when the body has to be waited for.
    alarm: Option<Pin<Box<Sleep>>>,
    /// True when the first bytes of a stream of messages are enough.
    is_stream: bool,
    left: usize,
}

impl Bounded {
    /// Bounds the body of `request`, unless it is a link's, which has bounds of its own.
    pub(super) fn request(request: Request<Incoming>, door: &Arc<Door>) -> Request<Body> {
        let path = request.uri().path();
        if is_of(path, LINK) {
            return request.map(Body::new);
        }
        let is_stream = path.ends_with("/ServerReflectionInfo");
        let by = Some(Instant::now() + door.limits.max_handshake);
        let door = door.clone();
        // What a stream of messages brings is bounded message by message.
        let left = if is_stream { usize::MAX } else { USER_MAX };
        request.map(|body| Body::new(Self { body, door, by, alarm: None, is_stream, left }))
    }

    /// Takes in what has come of the body.
    fn take(&mut self, frame: &Frame<Bytes>) -> Result<(), Status> {
        let Some(data) = frame.data_ref() else { return Ok(()) };
        let Some(left) = self.left.checked_sub(data.len()) else {
            self.door.refusals.count(Reason::RequestTooLarge);
            let message = format!("the request is longer than {USER_MAX} bytes");
            return Err(fault::refusal(Code::ResourceExhausted, "REQUEST_TOO_LARGE", message));
        };
        self.left = left;
        if self.is_stream && !data.is_empty() {
            self.by = None;
        }
        Ok(())
    }
}

impl hyper::body::Body for Bounded {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.take(&frame).map(|()| frame))),
            Poll::Ready(Some(Err(why))) => Poll::Ready(Some(Err(Status::from_error(Box::new(why))))),
            Poll::Ready(None) => {
                self.by = None;
                Poll::Ready(None)
            }
            Poll::Pending => {
                let Some(by) = self.by else { return Poll::Pending };
                ready!(self.alarm.get_or_insert_with(|| Box::pin(sleep_until(by))).as_mut().poll(context));
                self.by = None;
                self.door.refusals.count(Reason::NoRequest);
                let message = format!("no request came within {:?}", self.door.limits.max_handshake);
                Poll::Ready(Some(Err(fault::refusal(Code::DeadlineExceeded, "NO_REQUEST", message))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response, with which the call ends. It ends early when the caller loses what the
/// call needs.
pub(super) struct Watched {
    body: Body,
    /// What is kept while the call runs.
    held: Option<(Call, Running, Account)>,
    /// Becomes ready when the caller loses the permission for the call.
    lost: Pin<Box<dyn Future<Output = Status> + Send>>,
}

impl Watched {
    pub(super) fn new(
        body: Body,
        held: (Call, Running, Account),
        lost: impl Future<Output = Status> + Send + 'static,
    ) -> Self {
        Self { body, held: Some(held), lost: Box::pin(lost) }
    }
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.held.is_some()
            && let Poll::Ready(status) = self.lost.as_mut().poll(context)
        {
            // The sender of the body notices that the receiver is gone.
            self.body = Body::empty();
            if let Some((.., mut account)) = self.held.take() {
                account.end(&status);
            }
            let mut trailers = HeaderMap::new();
            status.add_header(&mut trailers)?;
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let trailers = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.trailers_ref());
        if let (Some(status), Some((.., account))) =
            (trailers.and_then(Status::from_header_map), &mut self.held)
        {
            account.end(&status);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
