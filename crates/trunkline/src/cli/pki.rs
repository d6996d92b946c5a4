//! `trunkline pki`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Form;

#[derive(Debug, Subcommand)]
pub(crate) enum PkiCommand {
    /// Make a set of certificates for development and tests. Never for anything else
    Dev(DevArgs),
    /// Show the tunnel's roots, and how far a rotation has come
    Show(PkiShowArgs),
    /// Replace the tunnel's root, without cutting anybody, and follow every cluster until it has moved
    Rotate(RotateArgs),
    /// Issue a client certificate from the data folder of a gateway on this machine
    Client(ClientArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// The list of what to make (TOML); the built-in one (certs/dev.toml) by default
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Replace a set that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PkiShowArgs {
    #[command(flatten)]
    pub(crate) sign_in: super::SignInArgs,
    /// How to print it
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) sign_in: super::SignInArgs,
    /// Drop the old root now, though clusters remain that have not moved: their agents are cut
    #[arg(long)]
    pub(crate) finish: bool,
    /// With --finish: do not ask
    #[arg(short, long, requires = "finish")]
    pub(crate) yes: bool,
    /// Start it and come back at once
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ClientArgs {
    /// The gateway's data folder: `data` in its configuration
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The user's name
    #[arg(long)]
    pub(crate) user: String,
    /// A group of the user, for instance trunkline:admins; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// The folder to write ca.pem, USER.pem and USER.key to
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How many days it is valid
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) days: u16,
}
