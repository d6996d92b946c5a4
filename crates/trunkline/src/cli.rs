//! What can be typed. Types only.

mod access;
mod audit;
mod clusters;
mod kubeconfig;
mod logs;
mod pki;
mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use access::{
    AccessArgs, AccessCommand, AccessListArgs, ApplyArgs, EndArgs, RuleArgs, SessionsArgs, SessionsCommand,
    SessionsListArgs, TestArgs,
};
pub(crate) use audit::{AuditCommand, Phase, PlayArgs, QueryArgs, RecordingsArgs, Records, VerifyArgs};
pub(crate) use clusters::{
    ClustersArgs, ClustersCommand, EditArgs, ListArgs, Output, RegisterArgs, RemoveArgs, ShowArgs, SortBy,
    TokenArgs,
};
pub(crate) use kubeconfig::{KubeconfigArgs, UseArgs};
pub(crate) use logs::{LogsArgs, LogsOutput};
pub(crate) use pki::{ClientArgs, DevArgs, PkiCommand, PkiShowArgs, RotateArgs};
pub(crate) use run::{CheckArgs, ConfigCommand, DemoArgs, Format, LogArgs, RunArgs, What};

/// One endpoint for a fleet of Kubernetes clusters that nobody can dial into.
#[derive(Debug, Parser)]
#[command(name = "trunkline", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which gateway, and who you are there. Files are named, their contents never given.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Signing in (what `trunkline login` remembered, if not given)")]
pub(crate) struct SignInArgs {
    /// The gateway's URL, or the name that `login` gave it
    #[arg(long, global = true, env = "TRUNKLINE_GATEWAY", value_name = "URL|NAME")]
    pub(crate) gateway: Option<String>,
    /// PEM file: the roots of the gateway's certificate
    #[arg(long, global = true, env = "TRUNKLINE_CA", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// PEM file: your client certificate
    #[arg(long, global = true, env = "TRUNKLINE_CERTIFICATE", value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// PEM file: the key of your client certificate
    #[arg(long, global = true, env = "TRUNKLINE_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// File with a token, an ID token or a service account's; read again whenever it is needed
    #[arg(long, global = true, env = "TRUNKLINE_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway: clients come in at its front door, agents at its tunnel door
    Gateway(RunArgs),
    /// Run the agent of one cluster: it dials the gateway and serves the cluster's API through it
    Agent(RunArgs),
    /// Follow a node's log files and hand them in at an intake; what the chart's DaemonSet runs
    #[command(hide = true)]
    Tail(RunArgs),
    /// See the product work on this machine: a gateway, two agents, two sample clusters
    Demo(DemoArgs),
    /// Sign in at a gateway, and remember where your papers lie
    Login(LoginArgs),
    /// The clusters of the fleet: list, register, change, remove
    #[command(visible_alias = "cluster")]
    Clusters(ClustersArgs),
    /// What this cluster is and how it goes; with a name, the way to that cluster, hop by hop
    Status(StatusArgs),
    /// The audit log: who did what, whether it is whole, what sessions showed
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// The records of all clusters: search, follow, count
    Logs(LogsArgs),
    /// Write contexts for kubectl, one for each cluster, with no secret in them
    Kubeconfig(KubeconfigArgs),
    /// Make kubectl use a cluster; `-` for the one before
    Use(UseArgs),
    /// Who may reach which cluster, and how: list, apply, remove, test
    Access(AccessArgs),
    /// Who is signed in, and what they have under way: list, end
    Sessions(SessionsArgs),
    /// Give kubectl the certificate to sign in with; kubectl runs this itself
    #[command(hide = true)]
    Credential(SignInArgs),
    /// Certificates
    Pki {
        #[command(subcommand)]
        command: PkiCommand,
    },
    /// Configuration files
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print what your shell needs to complete commands
    Completion(CompletionArgs),
    /// Write the manual pages
    #[command(hide = true)]
    Man(ManArgs),
    /// Print the version
    Version(VersionArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LoginArgs {
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    /// The gateway's front door, https://HOST:PORT
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// What to call this gateway; its host by default
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The issuer to sign in at, as the gateway calls it, where it has several
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// Sign in on another device, by a code
    #[arg(long, conflicts_with_all = ["user", "setup"])]
    pub(crate) device: bool,
    /// Start no browser; print the page's address only
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// The port on 127.0.0.1 that the issuer sends the browser back to; any that is free by default
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) callback_port: u16,
    /// Sign in as a local user of the gateway, with a password
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Make the gateway's first admin, with the code that it printed when it first started
    #[arg(long)]
    pub(crate) setup: bool,
    /// File with the password, in place of asking for it; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// File with the first-run code, in place of asking for it
    #[arg(long, value_name = "FILE", requires = "setup")]
    pub(crate) code_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) sign_in: SignInArgs,
    /// The cluster to look at
    pub(crate) name: Option<String>,
    /// Ask an agent instead, at its admin port
    #[arg(long, value_name = "URL", conflicts_with = "name")]
    pub(crate) agent: Option<String>,
    /// How to print it
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// How to print it
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Form,
}

/// How what is no table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Text,
    /// JSON
    Json,
    /// YAML
    Yaml,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
