//! `--man`: the manual page. Its section of options is made from [`Options`]; the other sections
//! are in `manual/`.

use std::io::{self, Write};

use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::start::options::Options;

/// Synopsis and description, which clap cannot make, because it does not know of the EAL arguments.
const BEFORE_OPTIONS: &[u8] = include_bytes!("manual/before-options.roff");
/// From the EAL arguments to the examples.
const AFTER_OPTIONS: &[u8] = include_bytes!("manual/after-options.roff");

/// Writes the page, for section 8 of the manual.
///
/// # Errors
/// Those of `out`.
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
