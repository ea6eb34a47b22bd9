//! The limit of open descriptors.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::door::limits::Limits;

/// Descriptors beside those of connections: the log, the runtime, listeners, files read for a moment.
const OTHERS: usize = 64;

/// Raises the soft limit of this process to the hard one, and logs a warning when that is not enough
/// for as many connections as `limits` allow.
pub fn raise(limits: &Limits) {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(why) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!("cannot raise the limit of open files: {why}");
        }
    }
    let needed = limits.max_connections + limits.max_http_connections + 2 * limits.max_dataplanes + OTHERS;
    // `None` means that there is no limit.
    if let Some(possible) = getrlimit(Resource::Nofile).current
        && possible < needed as u64
    {
        tracing::warn!(
            "{possible} files may be open (RLIMIT_NOFILE), --max-connections, --max-http-connections and \
             --max-dataplanes may need {needed}"
        );
    }
}
