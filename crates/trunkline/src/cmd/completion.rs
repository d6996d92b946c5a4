//! `trunkline completion`

use std::io::Write as _;

use anyhow::Context as _;

use crate::cli::CompletionArgs;

pub(crate) fn run(args: &CompletionArgs, mut command: clap::Command) -> anyhow::Result<()> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    std::io::stdout().write_all(&script).context("standard output is closed")
}
