//! The real grpcurl, as an operator would use it: without `.proto` files, by the server's
//! reflection.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use flowtracker_proto::v1;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::netns::Namespace;
use crate::process::{Running, Stream, tool};

/// Full name of the service that users call.
pub const SERVICE: &str = "flowtracker.v1.FlowTrackerService";

/// Returns the path of the program.
///
/// # Panics
/// When there is no grpcurl in `target/tools/bin` or on the PATH.
#[must_use]
pub fn program() -> PathBuf {
    tool("grpcurl")
}

/// A call that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// gRPC status code as grpcurl spells it: `NotFound`, `InvalidArgument`, …
    pub code: String,
    /// All that grpcurl printed on standard error: message and details.
    pub text: String,
}

/// A grpcurl that calls one server.
#[derive(Debug)]
pub struct Grpcurl<'a> {
    program: PathBuf,
    address: String,
    namespace: Option<&'a Namespace>,
}

impl<'a> Grpcurl<'a> {
    /// Returns a grpcurl that calls `address` (`HOST:PORT`, or the path of a unix socket), from
    /// inside `namespace` if it is given.
    ///
    /// # Panics
    /// As [`program`].
    #[must_use]
    pub fn new(address: &str, namespace: Option<&'a Namespace>) -> Self {
        Self { program: program(), address: address.to_owned(), namespace }
    }

    fn command(&self) -> Command {
        let mut command = match self.namespace {
            Some(namespace) => namespace.command(&self.program),
            None => Command::new(&self.program),
        };
        if self.address.starts_with('/') {
            command.args(["-unix", "-authority", "localhost"]);
        }
        command
    }

    /// Runs `grpcurl list`, or `grpcurl list SERVICE`, and returns the names.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn list(&self, service: Option<&str>) -> Result<Vec<String>, Refused> {
        let output = finish(self.command().args(["-plaintext", &self.address, "list"]).args(service))?;
        Ok(text(&output).lines().map(str::to_owned).collect())
    }

    /// Runs `grpcurl describe SYMBOL` and returns its output.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn describe(&self, symbol: &str) -> Result<String, Refused> {
        let output = finish(self.command().args(["-plaintext", &self.address, "describe", symbol]))?;
        Ok(text(&output))
    }

    /// Calls a method by its full name (`package.Service/Method`) and returns the answers in JSON.
    /// A unary method has one answer.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn call_json(&self, method: &str, request: &Value) -> Result<Vec<Value>, Refused> {
        let request = request.to_string();
        let output = finish(self.command().args(["-plaintext", "-d", &request, &self.address, method]))?;
        Ok(serde_json::Deserializer::from_slice(&output.stdout)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{method}: {error} in:\n{}", text(&output))))
    }

    /// Calls a streaming method of [`SERVICE`] to its end.
    ///
    /// # Errors
    /// When the server refuses.
    ///
    /// # Panics
    /// When an answer is not a `T` in proto3 JSON.
    pub fn call_all<T: DeserializeOwned>(&self, method: &str, request: &Value) -> Result<Vec<T>, Refused> {
        let answers = self.call_json(&format!("{SERVICE}/{method}"), request)?;
        Ok(answers.into_iter().map(typed).collect())
    }

    /// Calls a unary method of [`SERVICE`].
    ///
    /// # Errors
    /// When the server refuses.
    ///
    /// # Panics
    /// When there is not exactly one answer, or it is not a `T`.
    pub fn call<T: DeserializeOwned>(&self, method: &str, request: &Value) -> Result<T, Refused> {
        let mut answers = self.call_all(method, request)?;
        assert_eq!(answers.len(), 1, "{method} is unary");
        Ok(answers.swap_remove(0))
    }

    /// Starts a streaming call, which ends when the returned value is dropped.
    #[must_use]
    pub fn watch(&self, method: &str, request: &Value) -> Watch {
        let request = request.to_string();
        let method = format!("{SERVICE}/{method}");
        Watch(Running::spawn(self.command().args(["-plaintext", "-d", &request, &self.address, &method])))
    }

    /// Returns `true` when a data plane of this name is attached and has reported all entries of
    /// its table.
    #[must_use]
    pub fn is_attached(&self, dataplane: &str) -> bool {
        let answer: Option<v1::ListDataplanesResponse> = self.call("ListDataplanes", &json!({})).ok();
        let dataplanes = answer.map(|answer| answer.dataplanes).unwrap_or_default();
        dataplanes.iter().any(|d| d.name == dataplane && d.attached && d.synced)
    }

    /// Returns the counters of the only data plane, and of the control service's log.
    ///
    /// # Panics
    /// When the answer is not about exactly one data plane.
    #[must_use]
    pub fn stats(&self) -> (v1::DataplaneStats, v1::LogStats) {
        let mut answer: v1::GetStatsResponse =
            self.call("GetStats", &json!({})).expect("GetStats always answers");
        assert_eq!(answer.dataplanes.len(), 1, "one data plane: {answer:?}");
        (answer.dataplanes.swap_remove(0), answer.log.unwrap_or_default())
    }

    /// Returns every entry that ListEntries lists.
    ///
    /// # Panics
    /// When the service refuses the call.
    #[must_use]
    pub fn entries(&self) -> Vec<v1::Entry> {
        let answers: Vec<v1::ListEntriesResponse> =
            self.call_all("ListEntries", &json!({})).expect("ListEntries answers");
        answers.into_iter().flat_map(|answer| answer.entries).collect()
    }
}

/// A streaming call in progress.
pub struct Watch(Running);

impl Watch {
    /// Waits until `wanted` returns a value for the answers so far, and returns it.
    ///
    /// # Panics
    /// When `limit` passes or the stream ends first.
    pub fn wait<T: DeserializeOwned, R>(&mut self, limit: Duration, wanted: impl Fn(&[T]) -> Option<R>) -> R {
        self.0.wait_lines(Stream::Stdout, limit, |lines| {
            let text = lines.join("\n");
            // The last document may still be incomplete: stop there.
            let answers: Vec<T> = serde_json::Deserializer::from_str(&text)
                .into_iter::<Value>()
                .map_while(Result::ok)
                .map(typed)
                .collect();
            wanted(&answers)
        })
    }
}

fn typed<T: DeserializeOwned>(value: Value) -> T {
    let shown = value.to_string();
    serde_json::from_value(value)
        .unwrap_or_else(|error| panic!("{error}: not a {}: {shown}", std::any::type_name::<T>()))
}

fn finish(command: &mut Command) -> Result<Output, Refused> {
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    if output.status.success() {
        return Ok(output);
    }
    Err(refusal(&String::from_utf8_lossy(&output.stderr)))
}

/// Reads `ERROR:\n  Code: NotFound\n  Message: …`. The code is empty when there is none: without a
/// connection, or after a bad command line.
fn refusal(stderr: &str) -> Refused {
    let code = stderr.lines().find_map(|line| line.trim().strip_prefix("Code: ")).unwrap_or_default();
    Refused { code: code.to_owned(), text: stderr.to_owned() }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_refusal_has_its_code() {
        let refused = refusal("ERROR:\n  Code: NotFound\n  Message: no such entry\n");
        assert_eq!(refused.code, "NotFound");
        assert!(refused.text.contains("no such entry"));
        assert_eq!(refusal("Failed to dial target host").code, "");
    }

    /// Also shows that grpcurl is installed and starts.
    #[test]
    fn nobody_listening_is_a_refusal_without_a_code() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        drop(listener);
        let refused = Grpcurl::new(&address, None).list(None).expect_err("nobody listens");
        assert_eq!(refused.code, "");
        assert!(refused.text.contains("dial"), "{}", refused.text);
    }

    /// The messages' JSON is grpcurl's: 64-bit numbers are strings, names are lowerCamelCase.
    #[test]
    fn answers_are_read_as_messages() {
        let value = serde_json::json!({
            "dataplanes": [{"dataplane": "a", "lcores": [{"rx": "7", "outcomes": {"missCreated": "7"}}]}]
        });
        let stats: v1::GetStatsResponse = typed(value);
        assert_eq!(stats.dataplanes[0].lcores[0].rx, 7);
        assert_eq!(stats.dataplanes[0].lcores[0].outcomes.as_ref().map(|o| o.miss_created), Some(7));
    }
}
