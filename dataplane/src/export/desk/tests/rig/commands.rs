//! Commands about a table, and what their answers hold.

use flowtracker_proto::{link, v1};

use crate::lcore::family::TableKey;
use crate::test_key::TestKey;

pub(in super::super) use flowtracker_proto::v1::command::Body;

fn pipeline<K: TableKey>() -> String {
    K::FAMILY.table().pipeline.to_owned()
}

/// Returns the entries in a part of an answer.
pub(in super::super) fn entries(reply: &v1::Reply) -> Vec<link::Entry> {
    let entry = |record: Result<link::Record, _>| match record.expect("a record").body {
        link::Body::Present(entry) => entry,
        other => panic!("no entry: {other:?}"),
    };
    link::records(&reply.records).expect("whole records").map(entry).collect()
}

pub(in super::super) fn operator() -> v1::Actor {
    v1::Actor { entity: v1::Entity::Tc.into(), pid: 42, process: "ctl".to_owned(), ..v1::Actor::default() }
}

/// Returns attributes that are all left out.
pub(in super::super) fn attributes() -> v1::Attributes {
    v1::Attributes::default()
}

pub(in super::super) fn get<K: TestKey>(key: K) -> Body {
    Body::Get(v1::GetCommand { key: key.bytes() })
}

pub(in super::super) fn create<K: TestKey>(key: K, attributes: v1::Attributes) -> Body {
    let (key, attributes) = (key.bytes(), Some(attributes));
    Body::Create(v1::CreateCommand { key, attributes, actor: Some(operator()) })
}

pub(in super::super) fn update<K: TestKey>(key: K, attributes: v1::Attributes) -> Body {
    let (key, attributes) = (key.bytes(), Some(attributes));
    Body::Update(v1::UpdateCommand { key, attributes, actor: Some(operator()) })
}

pub(in super::super) fn delete<K: TestKey>(key: K) -> Body {
    Body::Delete(v1::DeleteCommand { key: key.bytes(), actor: Some(operator()) })
}

pub(in super::super) fn dump<K: TestKey>(filter: Option<v1::Filter>) -> Body {
    Body::Dump(v1::DumpCommand { filter, pipeline: pipeline::<K>() })
}

pub(in super::super) fn flush<K: TestKey>(filter: Option<v1::Filter>) -> Body {
    Body::Flush(v1::FlushCommand { filter, actor: Some(operator()), pipeline: pipeline::<K>() })
}

/// Returns a change of the table: agings by profile, and permissions.
pub(in super::super) fn change<K: TestKey>(agings: &[(u32, u64)], permissions: Option<u32>) -> Body {
    let profile = |&(profile_id, aging_ms): &_| v1::TimerProfile { profile_id, aging_ms };
    let profiles = agings.iter().map(profile).collect();
    Body::UpdateTable(v1::UpdateTableCommand { profiles, permissions, pipeline: pipeline::<K>() })
}

pub(in super::super) fn table<K: TestKey>() -> Body {
    Body::Table(v1::TableCommand { pipeline: pipeline::<K>() })
}

pub(in super::super) fn purge<K: TestKey>() -> Body {
    Body::Purge(v1::PurgeCommand { pipeline: pipeline::<K>() })
}

pub(in super::super) fn load<K: TestKey>() -> Body {
    Body::Load(v1::LoadCommand { pipeline: pipeline::<K>() })
}

fn source_port(mask: u64, value: u64) -> Option<v1::Filter> {
    let (op, operand) = (v1::FilterOp::Eq.into(), v1::FilterOperand::SrcPort.into());
    Some(v1::Filter { steps: vec![v1::FilterStep { op, operand, mask, value, ..Default::default() }] })
}

pub(in super::super) fn only_source_port(port: u16) -> Option<v1::Filter> {
    source_port(0xffff, port.into())
}

pub(in super::super) fn odd_source_ports() -> Option<v1::Filter> {
    source_port(1, 1)
}
