//! `ctl health`: exit 0 when the service is up and a data plane is attached.

use std::fmt::Write;

use flowtracker_proto::v1::flow_tracker_service_server::SERVICE_NAME as SERVICE;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Failure, Form, Options, connect, output};

pub(super) async fn run(options: Options) -> Result<(), Failure> {
    let mut client = HealthClient::new(connect::channel(&options.target).await?);
    let mut text = String::new();
    let mut well = true;
    for (service, name) in [("", "server"), (SERVICE, SERVICE)] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = options.target.ask(request, |r| client.check(r)).await?.status();
        well &= status == ServingStatus::Serving;
        let status = status.as_str_name();
        let _ = match options.form {
            Form::Json => writeln!(text, r#"{{"service":"{service}","status":"{status}"}}"#),
            Form::Table | Form::Wide | Form::Tc => writeln!(text, "{name:<36} {status}"),
        };
    }
    output::put(&text)?;
    if well { Ok(()) } else { Err(Failure::NotWell) }
}
