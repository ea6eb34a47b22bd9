//! Who may do what: the rules, applied to a peer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::watch;
use tonic::{Code, Status};

use crate::api::fault;
use crate::door::gate::Serves;
use crate::door::methods::{Method, Need};
use crate::door::peer::Peer;
use crate::door::roles::{DefaultRole, Role, Rule, Who};

/// Certificates that their authority has revoked: the issuer's name in DER, and the serial number.
pub type Revoked = HashSet<(Vec<u8>, Vec<u8>)>;

/// The rules that are in force. Without rules every caller is an admin.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The first rule that matches a peer applies.
    pub rules: Vec<Rule>,
    /// The role of peers that no rule matches.
    pub default: Option<DefaultRole>,
    /// True when `--client-ca` is set, so that a caller without a rule has no role.
    pub client_ca: bool,
    /// Revoked certificates.
    pub revoked: Arc<Revoked>,
}

/// What a peer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its role.
    pub role: Option<Role>,
    /// True when it may attach as well, as a data plane may.
    pub attach: bool,
}

impl Grant {
    const NOTHING: Self = Self { role: None, attach: false };
    const EVERYTHING: Self = Self { role: Some(Role::Admin), attach: true };

    fn of(role: Role) -> Self {
        Self { role: Some(role), attach: role == Role::Dataplane }
    }

    fn is_enough(self, need: Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Dataplane => self.attach,
            _ => self.role.is_some_and(|role| role.is_enough(need)),
        }
    }
}

impl Policy {
    /// Returns what a peer may do at the door by which it connected.
    #[must_use]
    pub fn grant(&self, peer: &Peer) -> Grant {
        let serves = peer.gate().serves;
        // Roles of users do not apply at a door for data planes.
        let counts = |rule: &&Rule| serves != Serves::Links || rule.role == Role::Dataplane;
        let rule = self.rules.iter().filter(counts).find(|rule| is(peer, &rule.who));
        let grant = match (rule, self.default) {
            (Some(rule), _) => Grant::of(rule.role),
            (None, _) if self.client_ca && peer.identity().is_none() => Grant::NOTHING,
            (None, Some(DefaultRole(role))) => role.map_or(Grant::NOTHING, Grant::of),
            (None, None) if self.client_ca => Grant::NOTHING,
            (None, None) => Grant::EVERYTHING,
        };
        let as_user = grant.role.filter(|role| *role != Role::Dataplane);
        match serves {
            Serves::All => grant,
            Serves::Users => Grant { role: as_user, attach: false },
            Serves::Readers => Grant { role: as_user.map(|role| role.min(Role::Viewer)), attach: false },
            Serves::Links if grant.attach => Grant::of(Role::Dataplane),
            Serves::Links => Grant::NOTHING,
        }
    }

    /// Checks whether a peer may call a method.
    ///
    /// # Errors
    /// The status that says what it lacks.
    pub fn check(&self, peer: &Peer, method: &Method) -> Result<(), Status> {
        if method.needs == Need::Nothing {
            return Ok(());
        }
        let nobody = |message: String| Err(fault::refusal(Code::Unauthenticated, "NO_IDENTITY", message));
        let identity = peer.identity();
        if let Some(name) = identity.as_ref().filter(|_| self.has_revoked(peer)) {
            return nobody(format!("the certificate of {name} has been revoked"));
        }
        let grant = self.grant(peer);
        if grant.is_enough(method.needs) {
            return Ok(());
        }
        let Some(identity) = identity.or_else(|| grant.role.map(|_| "the caller".to_owned())) else {
            return nobody(format!("{} is not for callers without a client certificate", method.name));
        };
        let role = grant.role.map_or("", Role::name);
        let needs = method.needs;
        let message = match (needs, peer.gate().serves) {
            (Need::Dataplane, Serves::Users | Serves::Readers) => {
                format!("data planes are not let in at {}: another door is for them", peer.gate().name)
            }
            _ if role.is_empty() => {
                format!("{identity} has no role at {}, {needs} is needed", peer.gate().name)
            }
            _ => format!("{identity} is {role} at {}, {needs} is needed", peer.gate().name),
        };
        let metadata = [("role", role), ("needs", &needs.to_string()), ("method", method.name)];
        let metadata: HashMap<_, _> =
            metadata.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Err(fault::with_metadata(Code::PermissionDenied, "ROLE", message, metadata))
    }

    /// Checks whether a peer that may attach may do so under this name. A certificate bears the names
    /// of the one data plane that it was made for.
    ///
    /// # Errors
    /// The status that says so.
    pub fn check_name(&self, peer: &Peer, name: &str) -> Result<(), Status> {
        let Some(bearer) = peer.bearer() else { return Ok(()) };
        if bearer.names().any(|borne| borne == name) {
            return Ok(());
        }
        let names: Vec<_> = bearer.names().collect();
        let message = format!("the certificate is that of {}, not of data plane {name:?}", names.join(", "));
        Err(fault::refusal(Code::PermissionDenied, "DATAPLANE_NAME", message))
    }

    fn has_revoked(&self, peer: &Peer) -> bool {
        peer.bearer().is_some_and(|bearer| self.revoked.contains(bearer.number()))
    }
}

/// Returns whether a rule about `who` matches this peer.
fn is(peer: &Peer, who: &Who) -> bool {
    let bearer = peer.bearer();
    let process = peer.process();
    match who {
        Who::CommonName(name) => bearer.is_some_and(|bearer| bearer.common_name() == Some(name)),
        Who::DnsName(name) => {
            bearer.is_some_and(|bearer| bearer.dns_names().iter().any(|dns| dns.eq_ignore_ascii_case(name)))
        }
        Who::User(uid) => process.is_some_and(|process| process.uid == *uid),
        Who::Group(gid) => process.is_some_and(|process| process.gid == *gid || process.groups.contains(gid)),
    }
}

/// The policy in force, which may change while calls run.
#[derive(Debug)]
pub struct Access(watch::Sender<Arc<Policy>>);

impl Access {
    /// Puts a policy in force.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self(watch::Sender::new(Arc::new(policy)))
    }

    /// Returns the policy in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.0.borrow().clone()
    }

    /// Puts another policy in force.
    pub fn set(&self, policy: Policy) {
        self.0.send_replace(Arc::new(policy));
    }

    /// Returns a receiver that is notified of changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<Policy>> {
        self.0.subscribe()
    }
}

/// Waits until a peer may no longer call a method that it calls now. Returns the status that says
/// why.
pub(super) async fn lost(
    mut changes: watch::Receiver<Arc<Policy>>,
    peer: Peer,
    method: &'static Method,
) -> Status {
    while changes.changed().await.is_ok() {
        let policy = changes.borrow_and_update().clone();
        if let Err(status) = policy.check(&peer, method) {
            return status;
        }
    }
    std::future::pending().await
}
