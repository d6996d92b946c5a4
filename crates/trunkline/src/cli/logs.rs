//! `trunkline logs`

use clap::{Args, ValueEnum};

use super::SignInArgs;

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    /// Words and fields: 'app:web error -level:debug "connection refused"'; all records if not given
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Of these clusters; of all that you may read if not given
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub(crate) cluster: Vec<String>,
    /// Of the clusters with these labels, as in env=prod
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
    /// Not before: how long ago (90m, 2d), or a time (2026-05-01T08:00:00Z)
    #[arg(long, value_name = "WHEN", default_value = "1h")]
    pub(crate) since: String,
    /// Before: how long ago, or a time
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// The newest so many
    #[arg(long, default_value = "100", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    /// Go on telling what comes
    #[arg(short, long, conflicts_with_all = ["until", "top", "histogram", "status"])]
    pub(crate) follow: bool,
    /// Instead of records: the most frequent values of this field, such as app or level
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["histogram", "status"])]
    pub(crate) top: Option<String>,
    /// Instead of records: how many there were when
    #[arg(long, conflicts_with = "status")]
    pub(crate) histogram: bool,
    /// Instead of records: how those of each cluster get on, and the store
    #[arg(long, conflicts_with = "query")]
    pub(crate) status: bool,
    /// How to print it
    #[arg(short, long, default_value = "text")]
    pub(crate) output: LogsOutput,
}

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogsOutput {
    /// A line each: when, where, what
    Text,
    /// A line of JSON each
    Json,
    /// What it says and nothing else
    Message,
}
