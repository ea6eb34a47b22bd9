//! Counts of what was refused, by reason.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

/// Defines [`Reason`] and the name that each has in metrics and in the log.
macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why something was refused. `control/docs/failures.md` explains each to operators.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns its name in metrics and in the log.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

reasons! {
    /// A connection without a call gave way to a newcomer.
    IdleConnection = "idle_connection",
    /// A call on one connection too many.
    TooManyConnections = "too_many_connections",
    /// A connection did not show a request in time.
    NoFirstRequest = "no_first_request",
    /// The message of a request did not come in time.
    NoRequest = "no_request",
    /// A request is too long.
    RequestTooLarge = "request_too_large",
    /// A connection broke the rules of HTTP/2, or reset streams faster than is allowed.
    Http2Rules = "http2_rules",
    /// A connection could not be accepted, usually for want of a descriptor.
    AcceptFailed = "accept_failed",
    /// An event stream too many.
    TooManyWatchers = "too_many_watchers",
    /// A list whose reader took nothing gave way to another, or held too much.
    StalledList = "stalled_list",
    /// A copy of the table was taken away from a reader of a snapshot who took nothing.
    StalledSnapshot = "stalled_snapshot",
    /// A connection of HTTP without a request gave way to a newcomer.
    IdleHttpConnection = "idle_http_connection",
    /// Metrics were asked for more often at a time than is allowed.
    TooManyScrapes = "too_many_scrapes",
    /// A link did not introduce itself in time.
    NoHello = "no_hello",
    /// A link broke a rule of its messages.
    BadLink = "bad_link",
    /// A message of a link was too long.
    LinkMessageSize = "link_message_size",
    /// All places of data planes were taken.
    TooManyDataplanes = "too_many_dataplanes",
    /// A link had more entries than it had declared, or declared more than it may.
    Capacity = "capacity",
    /// A link introduced more authors than it reported writes.
    TooManyAuthors = "too_many_authors",
    /// Too many reports of a link waited for the end of a purge.
    TooManyDeferred = "too_many_deferred",
    /// Too many flushes of a link waited for the other shards.
    TooManyFlushes = "too_many_flushes",
    /// An answer of a link was too long.
    TooManyReplies = "too_many_replies",
    /// A TLS handshake did not end in time.
    TlsHandshakeTimeout = "tls_handshake_timeout",
    /// A connection sent no valid TLS handshake.
    TlsHandshake = "tls_handshake",
    /// A message of a handshake was too long.
    TlsTooLarge = "tls_too_large",
    /// A client aborted the handshake, usually because it does not trust the service's certificate.
    TlsAlert = "tls_alert",
    /// A client's certificate was not issued by one of the authorities.
    TlsUnknownAuthority = "tls_unknown_authority",
    /// A client's certificate has expired, or is not valid yet.
    TlsExpiredCertificate = "tls_expired_certificate",
    /// A client's certificate has been revoked.
    TlsRevokedCertificate = "tls_revoked_certificate",
    /// A client's certificate is bad in another way.
    TlsBadCertificate = "tls_bad_certificate",
    /// A call that needs an identity, by a caller without one.
    NoIdentity = "no_identity",
    /// A call that the caller's role does not allow.
    Role = "role",
    /// A data plane attached under a name that is not in its certificate.
    DataplaneName = "dataplane_name",
    /// A line of the audit log could not be written.
    AuditLost = "audit_lost",
    /// A call of a method that does not exist.
    UnknownMethod = "unknown_method",
    /// A list was asked for while all places were taken by lists that do not stall.
    TooManyLists = "too_many_lists",
}

/// How often each reason applied, since the service started.
#[derive(Debug)]
pub struct Refusals {
    counts: [AtomicU64; Reason::ALL.len()],
    /// How often each reason had applied when the log was told last.
    told: [AtomicU64; Reason::ALL.len()],
}

impl Default for Refusals {
    fn default() -> Self {
        let zeros = || array::from_fn(|_| AtomicU64::new(0));
        Self { counts: zeros(), told: zeros() }
    }
}

impl Refusals {
    /// Counts one more refusal.
    pub fn count(&self, reason: Reason) {
        self.counts[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how often `reason` applied.
    #[must_use]
    pub fn of(&self, reason: Reason) -> u64 {
        self.counts[reason as usize].load(Ordering::Relaxed)
    }

    /// Returns the names of all reasons, each with its count.
    #[must_use]
    pub fn counts(&self) -> Vec<(&'static str, u64)> {
        Reason::ALL.iter().map(|reason| (reason.name(), self.of(*reason))).collect()
    }

    /// Returns what was refused since the last call, in words for one line of the log; `None` when
    /// nothing was. It is called by one task.
    #[must_use]
    pub fn news(&self) -> Option<String> {
        let since = |reason: Reason| {
            let count = self.of(reason);
            count - self.told[reason as usize].swap(count, Ordering::Relaxed)
        };
        let news = Reason::ALL.iter().map(|reason| (reason.name(), since(*reason)));
        let words: Vec<_> =
            news.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_count_and_a_name_of_its_own() {
        let refusals = Refusals::default();
        for (times, reason) in (1..).zip(Reason::ALL) {
            (0..times).for_each(|_| refusals.count(*reason));
        }
        assert!(Reason::ALL.iter().zip(1..).all(|(reason, times)| refusals.of(*reason) == times));
        let mut names: Vec<_> = refusals.counts().into_iter().map(|(name, _)| name).collect();
        assert!(
            names
                .iter()
                .all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
    }

    #[test]
    fn the_log_is_told_the_sum_of_what_is_new() {
        let refusals = Refusals::default();
        assert_eq!(refusals.news(), None);
        (0..3).for_each(|_| refusals.count(Reason::NoHello));
        refusals.count(Reason::NoRequest);
        assert_eq!(refusals.news().as_deref(), Some("1 no_request, 3 no_hello"));
        assert_eq!(refusals.news(), None);
        refusals.count(Reason::NoHello);
        assert_eq!(refusals.news().as_deref(), Some("1 no_hello"));
    }

    /// The page for operators has a row for each reason.
    #[test]
    fn each_reason_is_explained() {
        let page = include_str!("../../docs/failures.md");
        for reason in Reason::ALL {
            assert!(page.contains(&format!("`{}`", reason.name())), "{}", reason.name());
        }
    }
}
