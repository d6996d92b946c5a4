//! The `trunkline` binary: flags, environment, printing, exit codes. How anything works stands in the libraries.

mod cli;
mod config;
mod cmd;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command, ConfigCommand, PkiCommand};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cmd::say(&format!("error: {}", trunkline_runtime::chain(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Gateway(args) => cmd::gateway::run(&args, &cli.log),
        Command::Agent(args) => cmd::agent::run(&args, &cli.log),
        Command::Demo(args) => cmd::demo::run(&args, &cli.log),
        Command::Pki { command: PkiCommand::Dev(args) } => cmd::pki::dev(&args),
        Command::Config { command: ConfigCommand::Check(args) } => cmd::config::check(&args),
        Command::Version => cmd::version::run(),
    }
}
