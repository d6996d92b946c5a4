//! `trunkline access` and `trunkline sessions`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use trunkline_api::RuleName;
use trunkline_proto::ClusterId;

use super::Form;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AccessArgs {
    #[command(flatten)]
    pub(crate) sign_in: super::SignInArgs,
    #[command(flatten)]
    pub(crate) list: AccessListArgs,
    #[command(subcommand)]
    pub(crate) command: Option<AccessCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// List the rules in force; `trunkline access` does the same
    #[command(visible_alias = "ls")]
    List(AccessListArgs),
    /// Make rules, or replace those of the same names, from a file
    Apply(ApplyArgs),
    /// Remove a rule; what is under way by it alone is cut
    #[command(visible_alias = "rm")]
    Remove(RuleArgs),
    /// May somebody do something somewhere, by which rule, and why not?
    Test(TestArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AccessListArgs {
    /// Only this rule
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<RuleName>,
    /// How to print it: text is a table, yaml is what `apply` takes
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The file, YAML or JSON, with one rule or several documents; `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RuleArgs {
    /// The rule
    pub(crate) rule: RuleName,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The user; `me` for yourself
    pub(crate) user: String,
    /// The cluster
    pub(crate) cluster: ClusterId,
    /// The verb: get, list, watch, create, update, patch, delete, deletecollection
    pub(crate) verb: String,
    /// The resource as RBAC names it (pods, pods/exec, deployments.apps), or a path that begins with /
    pub(crate) resource: String,
    /// The object's name
    pub(crate) name: Option<String>,
    /// The namespace
    #[arg(short, long, default_value = "", hide_default_value = true)]
    pub(crate) namespace: String,
    /// A group the user is in at sign-in; may be given more than once
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// Acting as this user, as kubectl's --as
    #[arg(long = "as", value_name = "USER")]
    pub(crate) act_as: Option<String>,
    /// Acting as in this group, as kubectl's --as-group
    #[arg(long = "as-group", value_name = "GROUP", requires = "act_as")]
    pub(crate) act_as_groups: Vec<String>,
    /// How to print it
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SessionsArgs {
    #[command(flatten)]
    pub(crate) sign_in: super::SignInArgs,
    #[command(flatten)]
    pub(crate) list: SessionsListArgs,
    #[command(subcommand)]
    pub(crate) command: Option<SessionsCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// List who is signed in, and what they have under way; `trunkline sessions` does the same
    #[command(visible_alias = "ls")]
    List(SessionsListArgs),
    /// End a session: what it has under way is cut, and nobody comes in by it again
    End(EndArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SessionsListArgs {
    /// Only this user's
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// What is under way, a line each
    #[arg(long)]
    pub(crate) requests: bool,
    /// How to print it
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    /// The sessions
    #[arg(value_name = "SESSION", required_unless_present = "user", conflicts_with = "user")]
    pub(crate) sessions: Vec<String>,
    /// All of this user's
    #[arg(long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Why; whoever is cut is told
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) reason: String,
}
