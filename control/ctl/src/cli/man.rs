//! `ctl man`: manual pages, made from the definitions that parse the command line; needs no server.

use std::io;
use std::path::PathBuf;

use clap::CommandFactory;
use clap_mangen::Man;

use super::{Cli, Failure, output};

/// The sections that the definitions do not contain: P4TC's commands, examples, exit status.
const SECTIONS: &str = include_str!("manual.roff");

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct Manual {
    /// Write ctl.1 and a page for each verb into this directory, rather than print ctl.1
    dir: Option<PathBuf>,
}

pub(super) fn run(verb: &Manual) -> Result<(), Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(Failure::Output)?;
    page.extend_from_slice(SECTIONS.as_bytes());
    let Some(dir) = &verb.dir else {
        return output::put(&String::from_utf8_lossy(&page));
    };
    let write = || {
        for verb in command.get_subcommands() {
            Man::new(verb.clone()).source(concat!("ctl ", env!("CARGO_PKG_VERSION"))).generate_to(dir)?;
        }
        std::fs::write(dir.join("ctl.1"), page)
    };
    let named = |why: io::Error| io::Error::new(why.kind(), format!("into {}: {why}", dir.display()));
    write().map_err(|why| Failure::Output(named(why)))
}
