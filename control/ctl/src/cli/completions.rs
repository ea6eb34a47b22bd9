//! `ctl completions`: prints a shell's completion script; needs no server.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Failure, output};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// For this shell
    shell: Shell,
}

pub(super) fn run(verb: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(verb.shell, &mut Cli::command(), "ctl", &mut script);
    output::put(&String::from_utf8_lossy(&script))
}
