//! `trunkline clusters`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use trunkline_api::{Binding, Protection};
use trunkline_proto::ClusterId;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ClustersArgs {
    #[command(flatten)]
    pub(crate) sign_in: super::SignInArgs,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(subcommand)]
    pub(crate) command: Option<ClustersCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClustersCommand {
    /// List the clusters; `trunkline clusters` does the same
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Show all that is known of a cluster
    #[command(visible_alias = "get")]
    Show(ShowArgs),
    /// Register a cluster: says what to run there, then waits until it has joined
    Register(Box<RegisterArgs>),
    /// Change a cluster's labels and what people are told of it
    Edit(EditArgs),
    /// Close a cluster to everybody at once
    Lock(LockArgs),
    /// Open a locked cluster again
    Unlock(NameArgs),
    /// Have a cluster's agents take new certificates now; no link is cut
    Rotate(NameArgs),
    /// Say which token kubectl brings along for a cluster in pass-through mode
    Token(TokenArgs),
    /// Take a cluster out of the fleet
    #[command(visible_alias = "rm")]
    Remove(RemoveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// How to print it
    #[arg(short, long, default_value = "table")]
    pub(crate) output: Output,
    /// Only clusters with these labels, as kubectl's -l
    #[arg(short = 'l', long, value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    pub(crate) selector: String,
    /// Go on telling what changes
    #[arg(short, long)]
    pub(crate) watch: bool,
    /// Leave the columns' names out
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// The column to sort by
    #[arg(long, value_name = "COLUMN", default_value = "name")]
    pub(crate) sort_by: SortBy,
}

/// How clusters are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Columns
    Table,
    /// The same and more columns
    Wide,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// Names only, one a line
    Name,
}

/// What clusters are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    /// By name
    Name,
    /// What is wrong first
    State,
    /// By environment
    Environment,
    /// Oldest Kubernetes first
    Kubernetes,
    /// Most nodes first
    Nodes,
    /// Slowest first
    Rtt,
    /// Longest not seen first
    Seen,
    /// Newest first
    Age,
    /// First to end first
    Certificate,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The cluster
    #[arg(value_parser = changeable)]
    pub(crate) name: ClusterId,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The cluster
    pub(crate) name: ClusterId,
    /// How to print it
    #[arg(short, long, default_value = "text")]
    pub(crate) output: super::Form,
}

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// The cluster's name: a DNS label, in every path and for ever
    #[arg(value_parser = changeable)]
    pub(crate) name: ClusterId,
    #[command(flatten)]
    pub(crate) words: WordArgs,
    /// Labels, for instance env=prod,region=eu
    #[arg(long, value_name = "KEY=VALUE,...", value_delimiter = ',', conflicts_with = "renew")]
    pub(crate) labels: Vec<String>,
    /// Leave out the binding of one of our groups to a role of the cluster
    #[arg(long, value_name = "viewers|operators|admins", value_parser = binding)]
    pub(crate) without_binding: Vec<Binding>,
    /// The agent may act for this group only, `*` for any group; may be given several times. Without it: for
    /// trunkline:viewers, trunkline:operators and trunkline:admins
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// Pass-through mode: the agent gets no right in the cluster and passes on the token that each client brings for it, which must be
    /// made for this audience; may be given several times
    #[arg(long, value_name = "AUDIENCE", conflicts_with = "groups")]
    pub(crate) pass_through: Vec<String>,
    /// No longer in pass-through mode: the agent impersonates
    #[arg(long, requires = "renew", conflicts_with = "pass_through")]
    pub(crate) impersonate: bool,
    /// The storage class of the agent's volume
    #[arg(long, value_name = "CLASS", conflicts_with = "ephemeral_spool")]
    pub(crate) storage_class: Option<String>,
    /// No volume: logs that are not shipped yet are lost with the pod
    #[arg(long)]
    pub(crate) ephemeral_spool: bool,
    /// Let log shippers in at the service trunkline-logs of the cluster
    #[arg(long)]
    pub(crate) logs: bool,
    /// Hand in the logs of all pods: a DaemonSet that reads the nodes' files, in a namespace of its own; takes --logs with it
    #[arg(long)]
    pub(crate) log_tail: bool,
    /// The agent's image
    #[arg(long)]
    pub(crate) image: Option<String>,
    /// The folder for the manifest and the values; this one by default
    #[arg(long, value_name = "DIR", default_value = ".", hide_default_value = true)]
    pub(crate) dir: PathBuf,
    /// Do not wait until it has joined
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    pub(crate) timeout: Duration,
    /// The cluster is registered: make a new manifest with a new token; the old one ends. Of what the manifest holds,
    /// only what is given is changed
    #[arg(long)]
    pub(crate) renew: bool,
}

/// What people are told of a cluster.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WordArgs {
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    pub(crate) display_name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// For instance production
    #[arg(long, value_name = "TEXT")]
    pub(crate) environment: Option<String>,
    /// How carefully it is to be treated
    #[arg(long, value_name = "none|confirm|read-only", value_parser = protection)]
    pub(crate) protection: Option<Protection>,
}

#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The cluster
    #[arg(value_parser = changeable)]
    pub(crate) name: ClusterId,
    #[command(flatten)]
    pub(crate) words: WordArgs,
    /// Labels to set, and `KEY-` to take one away: env=prod,old-
    #[arg(long, value_name = "KEY=VALUE,KEY-,...", value_delimiter = ',')]
    pub(crate) labels: Vec<String>,
    /// Only if nobody changed it since this revision
    #[arg(long, value_name = "NUMBER")]
    pub(crate) revision: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// The cluster
    #[arg(value_parser = changeable)]
    pub(crate) name: ClusterId,
    /// Why, as it is told to everybody who is cut
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// The cluster
    #[arg(value_parser = changeable)]
    pub(crate) name: ClusterId,
    /// A file with a token that was made for the cluster, which somebody else keeps good; read again whenever it is needed
    #[arg(value_name = "FILE", required_unless_present = "forget")]
    pub(crate) file: Option<PathBuf>,
    /// Bring none along any more
    #[arg(long, conflicts_with = "file")]
    pub(crate) forget: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The cluster
    #[arg(value_parser = changeable)]
    pub(crate) name: ClusterId,
    /// Do not ask
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// A cluster that can be registered and changed: the management cluster's name is its own.
fn changeable(text: &str) -> Result<ClusterId, String> {
    let id: ClusterId = text.parse().map_err(|error: trunkline_proto::InvalidClusterId| error.to_string())?;
    if id.is_management() {
        return Err("this name is the management cluster's own; it is neither registered nor changed".into());
    }
    Ok(id)
}

fn binding(text: &str) -> Result<Binding, String> {
    word(text)
}

fn protection(text: &str) -> Result<Protection, String> {
    word(text)
}

/// One of the API's own words.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}
