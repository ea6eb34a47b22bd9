//! `ctl introspect`: P4TC's introspection document; JSON in every form.

use flowtracker_proto::v1::GetIntrospectionRequest;

use super::{Failure, Options, connect, output};

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.target).await?;
    let pipeline = options.pipeline();
    let request = GetIntrospectionRequest { dataplane: options.dataplane, pipeline };
    let response = options.target.ask(request, |r| client.get_introspection(r)).await?;
    output::put(&format!("{}\n", response.json.trim_end()))
}
