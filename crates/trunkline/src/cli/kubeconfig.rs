//! `trunkline kubeconfig` and `trunkline use`

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct KubeconfigArgs {
    #[command(flatten)]
    pub(crate) sign_in: super::SignInArgs,
    /// The clusters; all of them by default
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// All clusters
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,
    /// Clusters with these labels, as kubectl's -l
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "names")]
    pub(crate) selector: Option<String>,
    /// Print it and write nothing
    #[arg(long, conflicts_with_all = ["merge", "out", "prune"])]
    pub(crate) print: bool,
    /// Put this before every cluster's name
    #[arg(long, value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
    /// Take out what this command once wrote of clusters that are gone
    #[arg(long)]
    pub(crate) prune: bool,
    /// Edit your own kubeconfig: the first file of $KUBECONFIG, or ~/.kube/config
    #[arg(long, conflicts_with = "out")]
    pub(crate) merge: bool,
    /// The file to write; ~/.kube/trunkline/config by default
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct UseArgs {
    #[command(flatten)]
    pub(crate) sign_in: super::SignInArgs,
    /// The cluster; `-` for the context before; none to choose from a list
    pub(crate) name: Option<String>,
    /// Say that a cluster with the protection `confirm` is to be changed: holds for a quarter of an hour
    #[arg(long, requires = "name")]
    pub(crate) confirm: bool,
}
