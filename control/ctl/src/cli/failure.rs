//! Why a command did not succeed, and the exit status that says so.

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::fields::{Dialect, refusal};

/// Why a command did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service said no: exit 1.
    Refused(Status),
    /// The arguments make no sense: exit 2.
    Usage(String),
    /// The service cannot be reached, or went away: exit 3.
    Unreachable(String),
    /// What has been printed is not what was hoped for: exit 1.
    NotWell,
    /// Whoever reads the output has gone, and needs no message.
    NobodyReads,
    /// The output cannot be written: exit 1.
    Output(std::io::Error),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        // The service explains each refusal; what comes without an explanation
        // was made up by the transport.
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
    /// What standard error is told; nothing where the reader has gone or the output says it.
    pub(super) fn message(&self) -> Option<String> {
        match self {
            Self::Refused(status) => Some(refusal(status, Dialect::Everyday)),
            Self::Usage(message) | Self::Unreachable(message) => Some(message.clone()),
            Self::NotWell | Self::NobodyReads => None,
            Self::Output(why) => Some(format!("cannot write: {why}")),
        }
    }

    /// The exit status of `ctl`.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::NobodyReads => 0,
            Self::Refused(_) | Self::NotWell | Self::Output(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }
}
