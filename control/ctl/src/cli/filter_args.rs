//! A filter on the command line: the word `filter` and all that follows it.

use flowtracker_proto::table::IPV4_FLOWS;

use super::Failure;

/// Which entries or events are meant.
#[derive(Debug, clap::Args)]
pub(super) struct FilterArgs {
    #[arg(value_name = "filter EXPR", trailing_var_arg = true, help = HELP, long_help = long_help())]
    words: Vec<String>,
}

const HELP: &str = "The word `filter`, then an expression to the end of the line, \
    as `key.dstPort = 80 && prio > 1`; options go in front of it";

/// Returns the help, with all names that an expression may use.
fn long_help() -> String {
    let fields: Vec<_> =
        IPV4_FLOWS.key.iter().map(|field| format!("key.{}", field.everyday_name())).collect();
    format!(
        "{HELP}\n\nThe names are {} and prio; msecs_since (idle time, milliseconds) with list and flush; \
         cmd (create, update, delete) with watch; family (4 or 6). They are compared by = != < <= > >= and \
         joined by && ^^ || and parentheses; ! negates. Addresses are quoted: \
         'key.srcAddr = \"10.0.0.0/24\"', \
         'key.srcAddr = \"2001:db8::/32\"'; an address of one family equals none of the other.",
        fields.join(", ")
    )
}

impl FilterArgs {
    /// Returns the expression; it is empty when none is given.
    pub(super) fn expression(&self) -> Result<String, Failure> {
        match self.words.split_first() {
            None => Ok(String::new()),
            Some((word, expression)) if word == "filter" => {
                if expression.is_empty() {
                    return Err(Failure::Usage("filter: an expression must follow".to_owned()));
                }
                Ok(expression.join(" "))
            }
            Some((word, _)) => {
                Err(Failure::Usage(format!("unexpected {word:?}: only `filter EXPR` may stand here")))
            }
        }
    }
}
