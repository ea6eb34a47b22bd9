//! A client that Google's gRPC for Python makes, on a unix socket, as `control/docs/api.md` says.
#![forbid(unsafe_code)]

use std::process::Command;

use flowtracker_tests::appliance::LIMIT;
use flowtracker_tests::process::{Running, Stream, binary, run, tool, workspace_root};

/// Asks for the health of the service at the socket `argv[1]`, with the options `argv[2]`.
const SCRIPT: &str = r#"
import ast, sys, grpc
channel = grpc.insecure_channel("unix:" + sys.argv[1], options=ast.literal_eval(sys.argv[2]))
check = channel.unary_unary("/grpc.health.v1.Health/Check", lambda m: m, lambda m: m)
try:
    print(check(b"", timeout=20).hex())
except grpc.RpcError as error:
    print(error.code().name)
"#;

#[test]
fn python_needs_an_authority_on_a_unix_socket() {
    let page = std::fs::read_to_string(workspace_root().join("control/docs/api.md")).expect("the page");
    let options = page.split("options=").nth(1).and_then(|rest| rest.split_once(")`")).expect("options").0;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("control.sock");
    let mut control = Command::new(binary("flowtracker-control"));
    let control = control.args(["--listen", "127.0.0.1:0", "--http", "off", "--unix"]).arg(&socket);
    let mut control = Running::spawn(control);
    control.wait_line(Stream::Stderr, LIMIT, |line| line.contains("listening on unix:"));
    let ask = |options: &str| {
        let mut python = Command::new(tool("python3"));
        run(python.args(["-c", SCRIPT]).arg(&socket).arg(options)).trim().to_owned()
    };
    // A message whose field 1, the status, is SERVING.
    assert_eq!(ask(options), "0801");
    // If this is answered one day, the page may forget the option.
    assert_eq!(ask("[]"), "INTERNAL");
}
