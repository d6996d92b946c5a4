//! The `trunkline` binary: flags, environment, printing, exit codes. How anything works stands in the libraries.
//!
//! A library of one function, [`main`], so that what the command line reads (a gateway's answers, a kubeconfig) can be
//! fed by `fuzz/` as well.

mod cli;
mod exit;
mod words;
mod table;
mod screen;
mod write;
mod config;
mod profile;
mod sign_in;
mod rest;
mod kubeconfig;
mod cmd;
#[doc(hidden)]
pub mod bare;

use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use cli::{Cli, Command, ConfigCommand, PkiCommand};

/// Does what the command line says.
pub fn main() -> ExitCode {
    let cli = Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit());
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if exit::is_closed_output(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let (exit, next) = exit::of(&error);
            // Whoever pressed Ctrl-C knows.
            if exit != exit::Exit::Interrupted {
                words::say(&format!("error: {}", trunkline_runtime::chain(error.as_ref())));
            }
            if !next.is_empty() {
                words::say(&format!("next:  {next}"));
            }
            ExitCode::from(exit.code())
        }
    }
}

/// The command line, under the name it was called by: `kubectl trunkline` is the same binary.
fn command() -> clap::Command {
    let called = std::env::args_os().next().unwrap_or_default();
    let plugin = Path::new(&called).file_stem().is_some_and(|name| name == "kubectl-trunkline");
    let command = Cli::command();
    if plugin { command.name("kubectl-trunkline").bin_name("kubectl trunkline") } else { command }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Gateway(args) => cmd::gateway::run(&args, &cli.log),
        Command::Agent(args) => cmd::agent::run(&args, &cli.log),
        Command::Tail(args) => cmd::tail::run(&args, &cli.log),
        Command::Demo(args) => cmd::demo::run(&args, &cli.log),
        Command::Login(args) => cmd::login::run(&args, &args.sign_in),
        Command::Clusters(args) => cmd::clusters::run(args),
        Command::Audit { command } => cmd::audit::run(command),
        Command::Logs(args) => cmd::logs::run(&args),
        Command::Access(args) => cmd::access::run(args),
        Command::Sessions(args) => cmd::sessions::run(args),
        Command::Status(args) => cmd::status::run(&args, &args.sign_in),
        Command::Kubeconfig(args) => cmd::kubeconfig::run(&args, &args.sign_in),
        Command::Use(args) => cmd::use_cluster::run(&args, &args.sign_in),
        Command::Credential(sign_in) => cmd::credential::run(&sign_in),
        Command::Pki { command: PkiCommand::Dev(args) } => cmd::pki::dev(&args),
        Command::Pki { command: PkiCommand::Show(args) } => cmd::pki::show(&args, &args.sign_in),
        Command::Pki { command: PkiCommand::Rotate(args) } => cmd::pki::rotate(&args, &args.sign_in),
        Command::Pki { command: PkiCommand::Client(args) } => cmd::pki::client(&args),
        Command::Config { command: ConfigCommand::Check(args) } => cmd::config::check(&args),
        Command::Completion(args) => cmd::completion::run(&args, command()),
        Command::Man(args) => cmd::man::run(&args, command()),
        Command::Version(args) => cmd::version::run(&args),
    }
}
