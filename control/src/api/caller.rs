//! Who makes a call: the author that a control write is recorded under.
//!
//! A caller may claim any pid and name of a program; they are information for people and grant
//! nothing. The identity comes from its certificate or its unix socket.

use flowtracker_proto::v1::{Actor, Entity, WhoAmIResponse};
use flowtracker_proto::{header, limits};
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request};

use crate::door::access::Policy;
use crate::door::audit::Note;
use crate::door::peer::Peer;
use crate::door::roles::Role;

/// Returns the author of what `request` asks for, and the note that collects its details for the audit
/// log.
pub fn of<T>(request: &Request<T>) -> (Actor, Note) {
    let actor = actor(request);
    let note = request.extensions().get::<Note>().cloned().unwrap_or_default();
    note.said(format!("{} {}", actor.pid, actor.process));
    (actor, note)
}

/// Returns the author of what `request` asks for: what the client's metadata says, else the
/// credentials of its unix socket, else pid 0 and the user agent; and its identity.
pub fn actor<T>(request: &Request<T>) -> Actor {
    let (pid, process) = name(request.metadata(), request.extensions());
    let identity = request.extensions().get::<Peer>().and_then(Peer::identity).unwrap_or_default();
    Actor {
        entity: Entity::Tc.into(),
        pid,
        process: clamp(&process, limits::PROCESS),
        identity: clamp(&identity, limits::IDENTITY),
    }
}

/// Returns who the caller is to the service.
pub fn who(extensions: &Extensions, policy: &Policy) -> WhoAmIResponse {
    let Some(peer) = extensions.get::<Peer>() else { return WhoAmIResponse::default() };
    WhoAmIResponse {
        identity: peer.identity().unwrap_or_default(),
        role: policy.grant(peer).role.map_or("", Role::name).to_owned(),
        door: peer.gate().name.clone(),
    }
}

fn name(metadata: &MetadataMap, extensions: &Extensions) -> (u32, String) {
    let text = |key| metadata.get(key).and_then(|v| v.to_str().ok()).filter(|v: &&str| !v.is_empty());
    let agent = text("user-agent").unwrap_or_default();
    let said_pid = text(header::PID).and_then(|v| v.parse().ok());
    let said_process = text(header::PROCESS);
    if said_pid.is_some() || said_process.is_some() {
        return (said_pid.unwrap_or(0), said_process.unwrap_or(agent).to_owned());
    }
    let process = extensions.get::<Peer>().and_then(Peer::process);
    match process.and_then(|process| process.pid) {
        Some(pid) => {
            let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let comm = comm.trim_end();
            (pid, if comm.is_empty() { agent } else { comm }.to_owned())
        }
        None => (0, agent.to_owned()),
    }
}

/// Returns the name without control characters, because it is printed on terminals, and cut between
/// characters to `most` bytes.
fn clamp(name: &str, most: usize) -> String {
    let mut out = String::new();
    for c in name.chars().filter(|c| !c.is_control()) {
        if out.len() + c.len_utf8() > most {
            break;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_comes_before_the_user_agent() {
        let author = |pid, process: &str| {
            let (entity, process) = (Entity::Tc.into(), process.to_owned());
            Actor { entity, pid, process, identity: String::new() }
        };
        let mut request = Request::new(());
        request.metadata_mut().insert("user-agent", "grpcurl/1".parse().unwrap());
        assert_eq!(actor(&request), author(0, "grpcurl/1"));
        request.metadata_mut().insert(header::PID, "448".parse().unwrap());
        request.metadata_mut().insert(header::PROCESS, "ctl".parse().unwrap());
        assert_eq!(actor(&request), author(448, "ctl"));
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(clamp(&"é".repeat(40), 63).len(), 62);
        assert_eq!(clamp("a\u{1b}[31mb", 63), "a[31mb");
    }
}
