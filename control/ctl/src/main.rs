//! `ctl`: the command line of flowtracker, a client of the service's gRPC.
//!
//! [`cli`] reads the arguments and makes the calls, [`render`] prints what comes back.
#![forbid(unsafe_code)]

mod cli;
mod render;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    cli::main(&arguments)
}
