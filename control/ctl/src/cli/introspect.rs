//! `ctl introspect`: P4TC's introspection document; JSON in every form.

use flowtracker_proto::v1::GetIntrospectionRequest;

use super::{Failure, Options, connect, output};

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = connect::client(&options.server).await?;
    let request = GetIntrospectionRequest { dataplane: options.dataplane };
    let response = client.get_introspection(connect::request(request)).await?.into_inner();
    output::put(&format!("{}\n", response.json.trim_end()))
}
