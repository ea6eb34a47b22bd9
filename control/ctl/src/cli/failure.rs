//! Why a command did not succeed, and the exit status that says so.

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::connect::NoAnswer;
use super::fields::{Dialect, refusal};

/// The reason why a command did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service refused the request: exit 1.
    Refused(Status),
    /// The arguments are not valid: exit 2.
    Usage(String),
    /// The service cannot be reached, or the connection was lost: exit 3.
    Unreachable(String),
    /// The command worked, and its output reports a state that is not healthy: exit 1.
    NotWell,
    /// The reader of the output has closed it; no message is needed.
    NobodyReads,
    /// The output cannot be written: exit 1.
    Output(std::io::Error),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        if let Some(late) = std::error::Error::source(&status).and_then(|why| why.downcast_ref::<NoAnswer>())
        {
            return Self::Unreachable(late.to_string());
        }
        // The service explains each refusal; a status without an explanation comes from the
        // transport.
        let explained = status.get_details_error_info().is_some();
        let transport = std::error::Error::source(&status).is_some() || status.code() == Code::Unavailable;
        if transport && !explained {
            Self::Unreachable("the server went away".to_owned())
        } else if status.get_details_error_info().is_some_and(|info| info.reason == "SHUTDOWN") {
            Self::Unreachable(status.message().to_owned())
        } else {
            Self::Refused(status)
        }
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(panicked: tokio::task::JoinError) -> Self {
        Self::Output(std::io::Error::other(panicked))
    }
}

impl Failure {
    /// Returns the message for standard error, or `None` where the reader has gone or the output
    /// already says it.
    pub(super) fn message(&self) -> Option<String> {
        match self {
            Self::Refused(status) => Some(refusal(status, Dialect::Everyday)),
            Self::Usage(message) | Self::Unreachable(message) => Some(message.clone()),
            Self::NotWell | Self::NobodyReads => None,
            Self::Output(why) => Some(format!("cannot write: {why}")),
        }
    }

    /// Returns the exit status of `ctl`.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::NobodyReads => 0,
            Self::Refused(_) | Self::NotWell | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }
}
