//! The command line `ctl`: two dialects over one client.
//!
//! Arguments that start with a command of P4TC's `tc` (`mon`, `p4ctrl`, `p4template`) are read as
//! `tc` would (`p4tc/`); all others are everyday verbs, one file each.

mod attributes;
mod completions;
mod config;
mod connect;
mod create;
mod dataplanes;
mod delete;
mod failure;
mod family;
mod fields;
mod filter_args;
mod flush;
mod follow;
mod get;
mod health;
mod introspect;
mod key_words;
mod list;
mod load;
mod man;
mod origin;
mod output;
mod p4tc;
mod print_events;
mod purge;
mod spool;
mod stats;
mod table;
mod top;
mod update;
mod version;
mod watch;
mod whoami;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use self::attributes::EntryArgs;
use self::connect::{Place, Target};
use self::failure::Failure;
use self::family::FamilyArgs;
use self::filter_args::FilterArgs;
use flowtracker_proto::key::WideKey;
use flowtracker_proto::table::{Family, IPV4_FLOWS, IPV6_FLOWS, KeyField, TableDescription};

/// The form in which results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Aligned lines for people
    Table,
    /// The same with everything known
    Wide,
    /// proto3 JSON, one message per line
    Json,
    /// The text of P4TC's tc
    Tc,
}

/// Watches and edits the flow table of flowtracker.
///
/// The commands of P4TC's tc work as well: `ctl mon p4 events`,
/// `ctl p4ctrl get flowtracker/table/Main/ct_flow_table`. IPv6 flows are in the pipeline
/// `flowtracker_ipv6`.
#[derive(Debug, Parser)]
#[command(name = "ctl", version)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

/// What every verb understands.
#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    place: Place,

    /// Data plane, where there are several
    #[arg(long, global = true, value_name = "NAME", default_value = "", hide_default_value = true)]
    dataplane: String,

    #[command(flatten)]
    family: FamilyArgs,

    /// Form of the output
    #[arg(short = 'o', long = "output", global = true, value_enum, default_value = "table")]
    form: Form,
}

/// What a verb that asks the service needs.
struct Options {
    target: Target,
    dataplane: String,
    /// The family of the table that is meant; without one, all tables or the key's.
    family: Option<Family>,
    form: Form,
}

impl Options {
    /// Returns the pipeline of the table that is meant, for requests; empty where none is named.
    fn pipeline(&self) -> String {
        self.family.map_or_else(String::new, |family| family.pipeline().to_owned())
    }

    /// Returns the table that is meant by a verb of one table.
    fn table(&self) -> &'static TableDescription {
        self.family.unwrap_or(Family::Ipv4).table()
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print events as they happen, until interrupted
    ///
    /// When the connection is lost, ctl dials again and resumes after the last event that it
    /// printed, so that nothing is missing and nothing comes twice. Where that cannot be (the
    /// control service was restarted, or has forgotten the events), a GAP is printed, and the
    /// present entries follow as CREATED, up to SYNCED. Standard error tells of each loss.
    ///
    /// With `-o json` each line is an event, and the lines fold into the tables: CREATED and
    /// UPDATED set an entry, DELETED removes it, LIFECYCLE PURGED empties the table of its data
    /// plane that `pipeline` names, GAP empties everything. Each line has `epoch` and `seq`. To
    /// resume, pass those of the last line as `--from EPOCH:SEQ`. The lines of a snapshot before
    /// its SYNCED cannot be resumed from.
    Watch(watch::Watch),
    /// Print all entries, or all that a filter matches
    List(FilterArgs),
    /// Print one entry
    Get(KeyArgs),
    /// Create one entry, static unless `--dynamic`, and print it
    Create(EntryArgs),
    /// Change one entry, restart its timer, and print it
    ///
    /// What is not given stays as it is; `--dynamic` alone gives it the aging time of profile 0. A
    /// dynamic entry cannot be made static.
    Update(EntryArgs),
    /// Delete one entry and print it
    #[command(alias = "DeleteEntry")]
    Delete(KeyArgs),
    /// Delete all entries, or all that a filter matches, and print how many
    ///
    /// Entries whose permissions have no D for the control plane are left. Where nothing could be
    /// deleted but something was left, the exit status is 1.
    Flush(FilterArgs),
    /// Print the attributes of the table; with flags, change them first
    ///
    /// A new aging time concerns entries that are created or updated from now on.
    Table(table::TableArgs),
    /// Print P4TC's introspection document: tables, key fields, actions
    Introspect,
    /// Attach the program again after a purge
    Load,
    /// Detach the program: packets pass untracked, and all entries are removed
    Purge,
    /// Print the counters of every lcore
    Stats,
    /// Show rates, lcores and the busiest flows, live
    Top(top::Top),
    /// Print the data planes
    Dataplanes,
    /// Ask whether the service and its data planes are up
    Health,
    /// Print who the service takes the caller for, and what it allows
    Whoami,
    /// Show or choose how to reach the service
    ///
    /// The contexts of `~/.config/flowtracker/config.toml`, on top of those of
    /// `/etc/flowtracker/config.toml`, are a server each, with the certificates for it.
    #[command(subcommand)]
    Config(config::Verb),
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// Print the manual page, or write those of all verbs
    Man(man::Manual),
    /// Print the version
    Version,
}

impl Verb {
    /// Returns true for the verbs that concern entries or tables.
    fn has_tables(&self) -> bool {
        match self {
            Self::Watch(_)
            | Self::List(_)
            | Self::Get(_)
            | Self::Create(_)
            | Self::Update(_)
            | Self::Delete(_)
            | Self::Flush(_)
            | Self::Table(_)
            | Self::Introspect
            | Self::Load
            | Self::Purge
            | Self::Stats
            | Self::Top(_) => true,
            Self::Dataplanes
            | Self::Health
            | Self::Whoami
            | Self::Config(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Version => false,
        }
    }
}

/// A key on the command line.
#[derive(Debug, clap::Args)]
struct KeyArgs {
    #[arg(required = true, value_name = "KEY", help = key_help())]
    words: Vec<String>,
}

impl KeyArgs {
    /// Returns the key. Without a `family`, its addresses and names of fields decide the table.
    fn key(&self, family: Option<Family>) -> Result<flowtracker_proto::v1::Key, Failure> {
        let table = family.unwrap_or_else(|| key_words::family(&self.words)).table();
        let key = key_words::parse(table, &self.words);
        key.map(|key| key.to_proto(table)).map_err(|why| Failure::Usage(why.to_string()))
    }
}

/// Returns the help of a key, with the fields of the tables and an example of each.
fn key_help() -> String {
    let fields: Vec<_> = IPV4_FLOWS.key.iter().map(KeyField::everyday_name).collect();
    let example = |table| WideKey::example(table).compact(table).to_string();
    format!(
        "FIELD VALUE pairs in any order ({}), or the compact form that `list` prints: {} or {}",
        fields.join(" "),
        example(&IPV4_FLOWS),
        example(&IPV6_FLOWS)
    )
}

/// Runs `ctl` with these arguments (without the program's name).
pub(crate) fn main(arguments: &[String]) -> ExitCode {
    // Two threads: a stopped terminal may block one, and the other then still answers the server's
    // pings.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(why) => {
            output::complain(&format!("ctl: cannot start: {why}"));
            return ExitCode::FAILURE;
        }
    };
    let code = if p4tc::speaks(arguments) {
        runtime.block_on(p4tc::main(arguments.to_vec()))
    } else {
        let cli = Cli::parse_from(std::iter::once("ctl").chain(arguments.iter().map(String::as_str)));
        match runtime.block_on(run(cli)) {
            Ok(()) => 0,
            Err(failure) => {
                if let Some(message) = failure.message() {
                    output::complain(&format!("ctl: {message}"));
                }
                failure.exit_code()
            }
        }
    };
    // A write to a reader that has stopped must not keep the process alive.
    runtime.shutdown_background();
    ExitCode::from(code)
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let Common { place, dataplane, family, form } = cli.common;
    let family = family.family()?;
    if family.is_some() && !cli.verb.has_tables() {
        return Err(Failure::Usage("-4 and -6 choose a table, and this verb concerns none".to_owned()));
    }
    let options = || Ok::<_, Failure>(Options { target: place.target()?, dataplane, family, form });
    match cli.verb {
        Verb::Watch(verb) => output::until_interrupted(watch::run(options()?, verb)).await,
        Verb::List(filter) => list::run(options()?, filter).await,
        Verb::Get(key) => get::run(options()?, key).await,
        Verb::Create(entry) => create::run(options()?, entry).await,
        Verb::Update(entry) => update::run(options()?, entry).await,
        Verb::Delete(key) => delete::run(options()?, key).await,
        Verb::Flush(filter) => flush::run(options()?, filter).await,
        Verb::Table(table) => table::run(options()?, table).await,
        Verb::Introspect => introspect::run(options()?).await,
        Verb::Load => load::run(options()?).await,
        Verb::Purge => purge::run(options()?).await,
        Verb::Stats => stats::run(options()?).await,
        Verb::Top(verb) => top::run(options()?, verb).await,
        Verb::Dataplanes => dataplanes::run(options()?).await,
        Verb::Health => health::run(options()?).await,
        Verb::Whoami => whoami::run(options()?).await,
        Verb::Config(verb) => config::run(&place, form, &verb),
        Verb::Completions(verb) => completions::run(&verb),
        Verb::Man(verb) => man::run(&verb),
        Verb::Version => version::run(),
    }
}
