//! `trunkline pki`: development certificates, client certificates, and the rotation of the tunnel's root.

mod client;
mod rotate;

use anyhow::Context as _;
use trunkline_pki::dev::{DevSpec, generate};

use crate::cli::DevArgs;
use crate::cmd::{print, say};

pub(crate) use client::client;
pub(crate) use rotate::{rotate, show};

pub(crate) fn dev(args: &DevArgs) -> anyhow::Result<()> {
    let spec = match &args.from {
        None => DevSpec::default_set()?,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}; does the file exist?", path.display()))?;
            DevSpec::from_toml(&text).with_context(|| format!("in {}", path.display()))?
        }
    };
    for path in generate(&spec, &args.out, args.force)? {
        print(&path.display().to_string())?;
    }
    say("these are for development and tests; their keys lie open in that folder");
    Ok(())
}
