//! `p4template get table/flowtracker/Main/ct_flow_table`: prints the table's attributes.

use flowtracker_proto::v1::GetTableRequest;

use super::texts::NO_PATH;
use super::verb::Verb;
use super::{Error, Tc, path, say};
use crate::cli::output;
use crate::render::{json, tc};

/// Runs a command on the template. It can only be read, because it is part of the program.
pub(super) async fn run(tc: &Tc, words: &[String]) -> Result<(), Error> {
    let (verb, rest) = Verb::parse(words, &Verb::ENTRIES)?;
    let Some((path, rest)) = rest.split_first() else { return say(NO_PATH) };
    let described = path::template(path)?;
    if verb != Verb::Get {
        return say("Pipeline is sealed");
    }
    if let Some(word) = rest.first() {
        return say(format!("Unknown argument \"{word}\""));
    }
    let (target, mut client) = tc.service().await?;
    let (dataplane, pipeline) = (tc.flags.dataplane.clone(), described.pipeline.to_owned());
    let request = GetTableRequest { dataplane, pipeline };
    let response = target.ask(request, |r| client.get_table(r)).await?;
    let table = response.table.unwrap_or_default();
    let mut text = String::new();
    if tc.flags.json {
        let template = json::Piece::Template(Box::new(json::Template::new(described, &table)));
        text = json::document(&[template], tc.flags.pretty);
    } else {
        tc::table(&mut text, described, &table);
    }
    Ok(output::put(&text)?)
}
