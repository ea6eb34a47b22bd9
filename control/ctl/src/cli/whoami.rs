//! `ctl whoami`: prints who the service takes the caller for.

use flowtracker_proto::v1::WhoAmIRequest;

use super::{Failure, Form, Options, connect, output};
use crate::render;

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.target).await?;
    let who = options.target.ask(WhoAmIRequest {}, |r| client.who_am_i(r)).await?;
    let mut text = String::new();
    match options.form {
        Form::Json => render::proto_json::line(&mut text, &who),
        Form::Table | Form::Wide | Form::Tc => {
            let or_none = |value: &str| if value.is_empty() { "-" } else { value }.to_owned();
            for (name, value) in [("identity", &who.identity), ("role", &who.role), ("door", &who.door)] {
                text += &format!("{name:<10}{}\n", or_none(value));
            }
        }
    }
    output::put(&text)
}
