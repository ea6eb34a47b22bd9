//! Errors of P4TC's dialect, in the words that `tc` users know.

use flowtracker_proto::table::NotFound;

use crate::cli::Failure;
use crate::cli::fields::{self, Dialect};

/// A failure, with the text that `tc` users know.
#[derive(Debug)]
pub(super) enum Error {
    Said(String),
    Failed(Failure),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Self::Failed(status.into())
    }
}

impl From<NotFound> for Error {
    fn from(what: NotFound) -> Self {
        Self::Said(what.to_string())
    }
}

impl Error {
    /// Returns the message after `Error: `.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Said(message) => message.clone(),
            Self::Failed(Failure::Refused(status)) => fields::refusal(status, Dialect::P4tc),
            Self::Failed(failure) => failure.message().unwrap_or_default(),
        }
    }

    /// Adds how many entries were written before the error, if several are named. Events never fail
    /// here.
    pub(super) fn after(self, written: usize, named: usize) -> Self {
        if named == 1 {
            return self;
        }
        Self::Said(format!("{} S {written}/{named}(FE 0) entries", self.message()))
    }
}

/// Returns an error with this message.
pub(super) fn say<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Said(message.into()))
}
