//! `ctl watch`: prints events as they happen, across losses of the connection.

use flowtracker_proto::v1::{Event, EventType};

use super::filter_args::FilterArgs;
use super::follow::{Follower, Scope};
use super::origin::Origin;
use super::{Failure, Form, Options, output, print_events};
use crate::render;

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    /// Start with the present entries, with what happens now, or after the event with these
    /// numbers, which ends the log that you have
    #[arg(long, value_name = "snapshot|now|EPOCH:SEQ", default_value = "now")]
    from: Origin,

    #[command(flatten)]
    filter: FilterArgs,
}

pub(super) async fn run(options: Options, verb: Watch) -> Result<(), Failure> {
    let pipeline = options.pipeline();
    let Options { target, dataplane, form, .. } = options;
    let scope = Scope { dataplane, pipeline, filter: verb.filter.expression()? };
    let source = Follower::start(target, scope, verb.from).await?;
    print_events::print(source, move |out, event| show(out, event, form)).await
}

fn show(out: &mut String, event: &Event, form: Form) {
    let table = render::table_of_event(event);
    match form {
        Form::Table => render::table::event(out, table, event),
        Form::Wide => render::wide::event(out, table, event),
        Form::Json => render::proto_json::line(out, event),
        // tc has no text for a gap, but a loss must never be silent.
        Form::Tc if event.r#type() == EventType::Gap => output::complain(render::tc::OVERRUN),
        Form::Tc => render::tc::event(out, table, event, false),
    }
}
