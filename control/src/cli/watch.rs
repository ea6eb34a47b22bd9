//! `ctl watch`: events as they happen.

use flowtracker_proto::v1::{Event, Now, Snapshot, Start, WatchEventsRequest, start};

use super::{Failure, Form, Options, connect, output};
use crate::render;

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    /// Start with what happens now, or with the present entries
    #[arg(long, value_enum, default_value = "now")]
    from: Origin,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Origin {
    Now,
    Snapshot,
}

pub(super) async fn run(options: Options, verb: Watch) -> Result<(), Failure> {
    let at = match verb.from {
        Origin::Now => start::At::Now(Now {}),
        Origin::Snapshot => start::At::Snapshot(Snapshot {}),
    };
    let request = WatchEventsRequest {
        dataplane: options.dataplane,
        start: Some(Start { at: Some(at) }),
        ..WatchEventsRequest::default()
    };
    let mut client = connect::client(&options.server).await?;
    let mut stream = client.watch_events(connect::request(request)).await?.into_inner();
    while let Some(response) = stream.message().await? {
        for event in &response.events {
            let mut text = String::new();
            print(&mut text, event, options.form);
            output::put(&text)?;
        }
    }
    Err(Failure::Unreachable("the server ended the stream".to_owned()))
}

fn print(out: &mut String, event: &Event, form: Form) {
    match form {
        Form::Table => render::table::event(out, event),
        Form::Wide => render::wide::event(out, event),
        Form::Json => render::proto_json::line(out, event),
        Form::Tc => render::tc::event(out, event, false),
    }
}
