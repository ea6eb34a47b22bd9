//! `p4template get table/flowtracker/Main/ct_flow_table`: the table's attributes.

use flowtracker_proto::v1::GetTableRequest;

use super::{Error, Tc, path, say, verb};
use crate::cli::{connect, output};
use crate::render::{json, tc};

/// What P4TC can do to templates. Ours is part of the program: it can be read.
const VERBS: [&str; 4] = ["create", "update", "get", "delete"];

pub(super) async fn run(tc: &Tc, words: &[String]) -> Result<(), Error> {
    let (verb, rest) = verb(words, &VERBS)?;
    let Some((path, rest)) = rest.split_first() else { return say("No path given") };
    path::check_template(path)?;
    if verb != "get" {
        return say("Pipeline is sealed");
    }
    if let Some(word) = rest.first() {
        return say(format!("Unknown argument \"{word}\""));
    }
    let mut client = tc.client().await?;
    let request = GetTableRequest { dataplane: tc.flags.dataplane.clone() };
    let response = client.get_table(connect::request(request)).await?.into_inner();
    let table = response.table.unwrap_or_default();
    let mut text = String::new();
    if tc.flags.json {
        let template = json::Piece::Template(Box::new((&table).into()));
        text = json::document(&[template], tc.flags.pretty);
    } else {
        tc::table(&mut text, &table);
    }
    Ok(output::put(&text)?)
}
