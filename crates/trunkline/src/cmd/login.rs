//! `trunkline login`: asks the gateway whether it knows the papers, then remembers where they lie.

use std::path::{Path, PathBuf};

use trunkline_api::GatewayStatus;

use crate::cli::{LoginArgs, SignInArgs};
use crate::cmd::{ask, say};
use crate::exit::{Exit, Failure};
use crate::profile::{self, Profile, Profiles};
use crate::rest::Rest;
use crate::sign_in::{SignIn, gateway_url};
use crate::words::clean;

pub(crate) fn run(args: &LoginArgs, papers: &SignInArgs) -> anyhow::Result<()> {
    let gateway = gateway_url(&args.url)?;
    let sign_in = SignIn {
        ca: file(papers.ca.as_deref(), "--ca", "the roots of the gateway's certificate")?,
        certificate: file(papers.certificate.as_deref(), "--certificate", "your client certificate")?,
        key: file(papers.key.as_deref(), "--key", "the key of your client certificate")?,
        remembered: false,
        gateway,
    };
    let ends = sign_in.not_after()?;
    let status: GatewayStatus =
        ask("trunkline login, again", async { Rest::new(&sign_in)?.get("/status").await })?;
    let path = profile::path()?;
    let mut profiles = Profiles::load(&path)?;
    let host = sign_in.gateway.trim_start_matches("https://").to_owned();
    profiles.remember(Profile {
        name: args.name.clone().unwrap_or(host),
        gateway: sign_in.gateway.clone(),
        ca: sign_in.ca,
        certificate: sign_in.certificate,
        key: sign_in.key,
    })?;
    profiles.save(&path)?;
    say(&format!(
        "signed in at {} as {} ({}), until {ends}",
        sign_in.gateway,
        clean(&status.user),
        if status.groups.is_empty() { "in no group".into() } else { clean(&status.groups.join(", ")) },
    ));
    say(&match status.clusters {
        0 => "next:  trunkline clusters register NAME".to_owned(),
        _ => "next:  trunkline clusters".to_owned(),
    });
    Ok(())
}

/// The full path of a file that must be there: it is remembered for commands in other folders.
fn file(path: Option<&Path>, flag: &str, what: &str) -> anyhow::Result<PathBuf> {
    let path = path.ok_or_else(|| {
        Failure::new(Exit::Usage, format!("{flag} FILE is missing: {what}"))
            .next("trunkline login https://GATEWAY --ca CA.pem --certificate ME.pem --key ME.key")
    })?;
    std::fs::canonicalize(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("{flag} {}: {error}", path.display())).into())
}
