//! `trunkline clusters token`: which file holds the token that goes through to a cluster in pass-through mode.
//!
//! Invariant: the file's place is remembered, never what it holds.

use trunkline_api::Cluster;

use crate::cli::{SignInArgs, TokenArgs};
use crate::cmd::{print, say};
use crate::exit::{Exit, Failure};
use crate::profile::{self, Profiles};
use crate::rest::Rest;
use crate::sign_in::{ForCluster, SignIn};
use crate::words::clean;

pub(super) async fn run(rest: &Rest, args: &TokenArgs, sign_in: &SignInArgs) -> anyhow::Result<()> {
    let gateway = SignIn::find(sign_in)?.gateway;
    let (path, name) = (profile::path()?, &args.name);
    let mut profiles = Profiles::load(&path)?;
    let Some(file) = &args.file else {
        profiles.set_cluster_token(&gateway, name, None)?;
        profiles.save(&path)?;
        return print(&format!("kubectl brings no token for {name} along any more"));
    };
    let file = std::fs::canonicalize(file)
        .map_err(|error| Failure::new(Exit::Usage, format!("{}: {error}", file.display())))?;
    let token = ForCluster::of(&file)?;
    let cluster: Cluster = rest.get(&format!("/clusters/{name}")).await?;
    let audiences = cluster.status.pass_through;
    if audiences.is_empty() {
        let what =
            format!("{name} is not in pass-through mode: its agent impersonates you, and takes no token");
        return Err(Failure::new(Exit::Failed, what).next(format!("trunkline clusters show {name}")).into());
    }
    profiles.set_cluster_token(&gateway, name, Some(file.clone()))?;
    profiles.save(&path)?;
    let until = token.ends.map(|ends| format!(", good until {ends:.0}")).unwrap_or_default();
    print(&format!("kubectl brings the token in {} along for {name}{until}", file.display()))?;
    say(&format!("it must be made for {}, and for nobody else", clean(&audiences.join(" or "))));
    say(&format!("next:  trunkline use {name}"));
    Ok(())
}
