//! `trunkline audit`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Form, SignInArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Find records, or follow them
    #[command(visible_alias = "log")]
    Query(Box<QueryArgs>),
    /// Check that nothing was changed, removed or put in; ends with 1 at the first fault
    Verify(VerifyArgs),
    /// List the recordings of interactive sessions
    Recordings(RecordingsArgs),
    /// Play the recording of a session; into a file or a pipe it goes as it is (asciicast v2)
    Play(PlayArgs),
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    /// Not before: how long ago (90m, 2d), or a time (2026-05-01T08:00:00Z)
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Not after
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// Of this user
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// About this cluster
    #[arg(long)]
    pub(crate) cluster: Option<String>,
    /// With this verb (get, create ...) or word of a change (lock, register ...)
    #[arg(long)]
    pub(crate) verb: Option<String>,
    /// Of this kind
    #[arg(long)]
    pub(crate) phase: Option<Phase>,
    /// Only what was denied
    #[arg(long)]
    pub(crate) denied: bool,
    /// Of the request with this id
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// The newest so many
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// Go on telling what comes
    #[arg(short, long, conflicts_with = "until")]
    pub(crate) follow: bool,
    /// How to print it
    #[arg(short, long, default_value = "table")]
    pub(crate) output: Records,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    /// A folder to look at without a gateway: a copy of `audit` in its data folder
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// A record that was kept elsewhere, as the gateway's own log tells it: it must be in the chain
    #[arg(long, value_name = "SEQUENCE:HASH")]
    pub(crate) head: Option<String>,
    /// How to print it
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct RecordingsArgs {
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    /// How to print it
    #[arg(short, long, default_value = "table")]
    pub(crate) output: Records,
}

#[derive(Debug, Args)]
pub(crate) struct PlayArgs {
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    /// The request that was recorded
    pub(crate) request: String,
}

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Records {
    /// Columns
    Table,
    /// JSON; with --follow, a record each line
    Json,
    /// YAML; with --follow, a record each document
    Yaml,
}

/// The kinds of records, as they are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Phase {
    Decision,
    End,
    Change,
    SignIn,
    Read,
    Start,
    Stop,
    Repair,
    Trim,
}
