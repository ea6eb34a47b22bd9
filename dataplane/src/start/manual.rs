//! `--man`: the manual page. The options are made from the definitions that the command line is read with; what these
//! do not know is in `manual/`.

use std::io::{self, Write};

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::start::options::Options;

/// Synopsis and description: clap knows nothing of the EAL arguments.
const BEFORE_OPTIONS: &[u8] = include_bytes!("manual/before-options.roff");
/// From the EAL arguments to the examples.
const AFTER_OPTIONS: &[u8] = include_bytes!("manual/after-options.roff");

/// Writes the page, section 8.
///
/// # Errors
/// As `out` has them.
pub fn write(out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(Options::command()).section("8");
    man.render_title(out)?;
    man.render_name_section(out)?;
    out.write_all(BEFORE_OPTIONS)?;
    man.render_options_section(out)?;
    out.write_all(AFTER_OPTIONS)
}

#[cfg(test)]
mod tests;
