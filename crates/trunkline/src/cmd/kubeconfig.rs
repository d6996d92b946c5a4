//! `trunkline kubeconfig`: a context for every cluster, with no secret in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use trunkline_api::{Cluster, ClusterList, GatewayStatus, Selector};
use trunkline_proto::ClusterId;

use crate::cli::{KubeconfigArgs, SignInArgs};
use crate::cmd::{ask, print, say};
use crate::exit::{Exit, Failure};
use crate::kubeconfig::{Plan, Target, Wanted, file, plan};
use crate::profile::Proof;
use crate::rest::{Rest, nearest};
use crate::sign_in::{self, SignIn};
use crate::words::quote;

pub(crate) fn run(args: &KubeconfigArgs, sign_in: &SignInArgs) -> anyhow::Result<()> {
    let sign_in = SignIn::find(sign_in)?;
    let rest = Rest::new(&sign_in)?;
    let (fleet, roots) = ask("trunkline kubeconfig", async {
        let list: ClusterList = rest.get("/clusters").await?;
        Ok((list.items, roots(&rest, &sign_in).await?))
    })?;
    let (clusters, missing) = chosen(args, &fleet)?;
    let wanted = Wanted {
        gateway: sign_in.gateway.clone(),
        roots,
        exec: exec(&sign_in)?,
        clusters,
        prefix: args.prefix.clone(),
        prune_to: args.prune.then(|| fleet.iter().map(|cluster| cluster.metadata.name.clone()).collect()),
    };
    if args.print {
        print(plan("", &wanted)?.text.trim_end())?;
        return partial(&missing);
    }
    let path = match (&args.out, args.merge) {
        (Some(path), _) => path.clone(),
        (None, true) => file::of_kubectl()?.into_iter().next().context("no file is named")?,
        (None, false) => file::of_ours()?,
    };
    let (changed, plan) = edit(&path, args.merge, &wanted)?;
    tell(&path, changed, &plan)?;
    if !args.merge {
        next(&path)?;
    }
    partial(&missing)
}

/// Writes what is wanted into a file.
pub(crate) fn edit(path: &Path, keep: bool, wanted: &Wanted) -> anyhow::Result<(bool, Plan)> {
    file::edit(path, keep, |text| {
        let plan = plan(text, wanted)?;
        Ok((plan.text.clone(), plan))
    })
}

/// The roots of the gateway's certificate: what it says itself, or what it was checked against.
pub(crate) async fn roots(rest: &Rest, sign_in: &SignIn) -> anyhow::Result<String> {
    let status: GatewayStatus = rest.get("/status").await?;
    match status.front_roots.filter(|roots| !roots.is_empty()) {
        Some(roots) => Ok(roots),
        None => sign_in::read(&sign_in.ca),
    }
}

/// The clusters that were asked for, and the names that are none.
fn chosen(args: &KubeconfigArgs, fleet: &[Cluster]) -> anyhow::Result<(Vec<Target>, BTreeSet<String>)> {
    let wrong = |error: String| Failure::new(Exit::Usage, error);
    let selector: Selector = args
        .selector
        .as_deref()
        .unwrap_or_default()
        .parse()
        .map_err(|error| wrong(format!("--selector: {error}")))?;
    let names: BTreeSet<ClusterId> = args
        .names
        .iter()
        .map(|name| name.parse())
        .collect::<Result<_, _>>()
        .map_err(|error: trunkline_proto::InvalidClusterId| wrong(error.to_string()))?;
    let by_name: BTreeMap<&ClusterId, &Cluster> =
        fleet.iter().map(|cluster| (&cluster.metadata.name, cluster)).collect();
    let missing: BTreeSet<String> =
        names.iter().filter(|name| !by_name.contains_key(name)).map(ToString::to_string).collect();
    let clusters: Vec<Target> = fleet
        .iter()
        .map(|cluster| &cluster.metadata)
        .filter(|metadata| names.is_empty() || names.contains(&metadata.name))
        .filter(|metadata| selector.matches(&metadata.labels))
        .map(|metadata| Target { id: metadata.name.clone(), uid: metadata.uid })
        .collect();
    if clusters.is_empty() && !args.prune {
        let what = match missing.iter().next() {
            Some(name) => match nearest(name, fleet.iter().map(|cluster| cluster.metadata.name.as_str())) {
                Some(meant) => format!("there is no cluster {name}; did you mean {meant}?"),
                None => format!("there is no cluster {name}"),
            },
            None if args.selector.is_some() => "no cluster has these labels".into(),
            None => "the fleet has no cluster yet".into(),
        };
        return Err(Failure::new(Exit::NotFound, what).next("trunkline clusters list").into());
    }
    Ok((clusters, missing))
}

/// Done for some, and not for these.
fn partial(missing: &BTreeSet<String>) -> anyhow::Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(String::as_str).collect();
    let what = format!("there is no cluster {}; the others are written", names.join(", "));
    Err(Failure::new(Exit::Partial, what).next("trunkline clusters list").into())
}

/// The plugin that kubectl runs to sign in: this binary.
pub(crate) fn exec(sign_in: &SignIn) -> anyhow::Result<Value> {
    let mut args = vec!["credential".to_owned(), "--gateway".into(), sign_in.gateway.clone()];
    if !sign_in.remembered {
        // Nothing is remembered to find the papers by: their places are written, never what they hold.
        let mut files = vec![("--ca", &sign_in.ca)];
        match &sign_in.proof {
            Some(Proof::Certificate { certificate, key }) => {
                files.extend([("--certificate", certificate), ("--key", key)]);
            }
            Some(Proof::TokenFile(file)) => files.push(("--token-file", file)),
            Some(Proof::Tokens(_)) | None => {}
        }
        for (flag, path) in files {
            let path =
                std::fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))?;
            args.extend([flag.to_owned(), path.display().to_string()]);
        }
    }
    let mut exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "args": args,
        "command": command()?,
        "installHint": "trunkline signs you in at the gateway; put it where this file says",
        "interactiveMode": "IfAvailable",
        "provideClusterInfo": true,
    });
    if let Some(profile) = std::env::var_os("TRUNKLINE_PROFILE").filter(|path| !path.is_empty()) {
        let path = std::path::absolute(PathBuf::from(profile)).context("TRUNKLINE_PROFILE is no path")?;
        exec["env"] = json!([{"name": "TRUNKLINE_PROFILE", "value": path.display().to_string()}]);
    }
    Ok(exec)
}

/// How this binary is called: by its name where the shell finds it, else by its path.
fn command() -> anyhow::Result<String> {
    let own = std::env::current_exe().context("this binary has no path")?;
    let own = own.canonicalize().unwrap_or(own);
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|folder| folder.join("trunkline")).find(|file| file.is_file())
    });
    match found.and_then(|found| found.canonicalize().ok()) {
        Some(found) if found == own => Ok("trunkline".into()),
        Some(_) | None => Ok(own.display().to_string()),
    }
}

/// What was done to a file.
fn tell(path: &Path, changed: bool, plan: &Plan) -> anyhow::Result<()> {
    let shown = path.display();
    match (changed, plan.contexts.len()) {
        (false, _) => say(&format!("{shown} holds all of it already")),
        (true, 0) => say(&format!("{shown} is written")),
        (true, 1) => say(&format!("{shown} is written: one context")),
        (true, count) => say(&format!("{shown} is written: {count} contexts")),
    }
    for (id, context) in plan.contexts.iter().filter(|(id, context)| id.as_str() != context.as_str()) {
        say(&format!("the context of {id} is called {context}"));
    }
    for name in &plan.removed {
        say(&format!("the context {name} is gone"));
    }
    if let Some(name) = &plan.lost_current {
        say(&format!(
            "it was the current context: kubectl has none now; next: trunkline use NAME, not {name}"
        ));
    }
    Ok(())
}

/// How kubectl comes to read a file of ours.
fn next(path: &Path) -> anyhow::Result<()> {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let read: Vec<PathBuf> = file::of_kubectl()?;
    if read.contains(&full) {
        return Ok(());
    }
    let files: Vec<String> = read.iter().chain([&full]).map(|file| file.display().to_string()).collect();
    say("kubectl reads it after this, which you may put where your shell starts:");
    print(&format!("export KUBECONFIG={}", quote(&files.join(":"))))
}
