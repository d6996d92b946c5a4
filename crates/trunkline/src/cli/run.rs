//! What runs a process of the product, and its configuration.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// How the process logs, on standard error.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct LogArgs {
    /// What is logged, e.g. `info` or `info,trunkline_tunnel=debug`
    #[arg(long, global = true, env = "TRUNKLINE_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
    /// How log lines look
    #[arg(long, global = true, env = "TRUNKLINE_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub(crate) log_format: Format,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The configuration file (YAML)
    #[arg(long, env = "TRUNKLINE_CONFIG", value_name = "FILE")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder for the kubeconfig and the demo's certificates; a temporary one by default
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Address of the front door; must be a loopback address
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Use this context of your kubeconfig instead of a sample cluster; may be given several times
    #[arg(long, value_name = "CONTEXT")]
    pub(crate) use_context: Vec<String>,
    /// The kubeconfig that --use-context looks into; $KUBECONFIG or ~/.kube/config by default
    #[arg(long, value_name = "FILE", requires = "use_context")]
    pub(crate) kubeconfig: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read a configuration and all files it names, and say whether it would run
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// What the file configures
    #[arg(value_name = "gateway|agent|tail")]
    pub(crate) what: What,
    /// The configuration file (YAML)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// What a configuration file is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum What {
    /// A gateway
    Gateway,
    /// An agent
    Agent,
    /// A tail of a node's log files
    Tail,
}
