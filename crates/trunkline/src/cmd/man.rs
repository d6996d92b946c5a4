//! `trunkline man`

use anyhow::Context as _;

use crate::cli::ManArgs;
use crate::cmd::say;

pub(crate) fn run(args: &ManArgs, command: clap::Command) -> anyhow::Result<()> {
    let shown = args.out.display();
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make the folder {shown}"))?;
    let first = args.out.join(format!("{}.1", command.get_name()));
    clap_mangen::generate_to(command, &args.out)
        .with_context(|| format!("cannot write the pages to {shown}"))?;
    say(&format!("the manual pages are written to {shown}; the first is {}", first.display()));
    Ok(())
}
