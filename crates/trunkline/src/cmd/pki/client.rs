//! `trunkline pki client`: a client certificate from the data folder of a gateway, on the gateway's machine.
//!
//! It needs no running gateway and no sign-in: whoever may read that folder is the fleet's authority already.

use std::path::Path;

use anyhow::Context as _;
use trunkline_pki::{PaperNames, Papers, Validity};

use crate::cli::ClientArgs;
use crate::cmd::{print, say};
use crate::exit::{Exit, Failure};

/// Where the papers lie in a gateway's data folder.
const PAPERS: &str = "pki";

pub(crate) fn client(args: &ClientArgs) -> anyhow::Result<()> {
    let papers = args.data.join(PAPERS);
    // Opening would make new roots where there are none: these would be nobody's.
    if !papers.join("roots.pem").exists() {
        let what = format!("{} holds no papers of a gateway: there is no {}", args.data.display(), PAPERS);
        return Err(Failure::new(Exit::NotFound, what)
            .next("start the gateway once with `data` in its configuration, then give that folder here")
            .into());
    }
    let papers = Papers::open(&papers, &PaperNames { front: Vec::new(), tunnel: Vec::new() })?;
    let name = file_name(&args.user);
    for ending in ["pem", "key"] {
        must_be_free(&args.out.join(format!("{name}.{ending}")))?;
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;
    let issued =
        papers.front_authority().client(&args.user, &args.groups, Validity::days(args.days.into()))?;
    let wrong = || format!("cannot write to {}", args.out.display());
    let files = issued.write_to(&args.out, &name).with_context(wrong)?;
    let ca = args.out.join("ca.pem");
    papers.front_authority().write_certificate(&ca).with_context(wrong)?;
    for path in [&ca, &files.certificate, &files.key] {
        print(&path.display().to_string())?;
    }
    say(&format!("valid for {} days; the serial, for revoking it: {}", args.days, issued.serial));
    say(&format!(
        "next:  trunkline login https://GATEWAY --ca {} --certificate {} --key {}",
        ca.display(),
        files.certificate.display(),
        files.key.display()
    ));
    Ok(())
}

/// A user's name as the name of a file.
fn file_name(user: &str) -> String {
    let name: String =
        user.chars().map(|c| if c.is_ascii_alphanumeric() || "@._-".contains(c) { c } else { '-' }).collect();
    name.trim_start_matches('.').to_owned()
}

fn must_be_free(path: &Path) -> anyhow::Result<()> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let what = format!("{} exists already and is not overwritten", path.display());
    Err(Failure::new(Exit::Failed, what).next("move it away, or name another folder with --out").into())
}
