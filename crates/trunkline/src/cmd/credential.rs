//! `trunkline credential`: kubectl and client libraries run this to sign in (`client.authentication.k8s.io`).
//!
//! A cluster in pass-through mode takes a second token, made for it: that goes along in the one token that kubectl can show.
//!
//! Invariants:
//! - a certificate with its key, or a token, goes to the gateway it was signed in for, and to no other address that a kubeconfig may
//!   name;
//! - the token for a cluster is given along for that cluster alone.

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::SignInArgs;
use crate::cmd::{ask, print};
use crate::exit::{Exit, Failure};
use crate::profile::Proof;
use crate::sign_in::{Bearer, ForCluster, SignIn, cluster_of, nobody, read};
use crate::words::output_is_terminal;

/// What kubectl says of why it asks; it is in this variable.
const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";
/// The versions of the exchange that are spoken, newest first.
const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    spec: Spec,
}

#[derive(Default, Deserialize)]
struct Spec {
    cluster: Option<Cluster>,
}

#[derive(Deserialize)]
struct Cluster {
    #[serde(default)]
    server: String,
}

pub(crate) fn run(args: &SignInArgs) -> anyhow::Result<()> {
    let info = std::env::var(EXEC_INFO).ok().filter(|text| !text.is_empty());
    for_programs(output_is_terminal(), info.is_some())?;
    let sign_in = SignIn::find(args)?;
    let credential = credential(&sign_in, info.as_deref())?;
    print(&credential.to_string())
}

/// A private key is for programs: a terminal would keep it on the screen and in what it scrolled away.
fn for_programs(terminal: bool, asked_by_kubectl: bool) -> anyhow::Result<()> {
    if terminal && !asked_by_kubectl {
        let what = "this prints your private key or token, and standard output is a terminal; kubectl runs it itself";
        return Err(Failure::new(Exit::Usage, what).next("trunkline kubeconfig").into());
    }
    Ok(())
}

fn credential(sign_in: &SignIn, info: Option<&str>) -> anyhow::Result<Value> {
    let info: Option<Info> = info
        .map(serde_json::from_str)
        .transpose()
        .with_context(|| format!("{EXEC_INFO} is not what kubectl sets; run this through kubectl"))?;
    let version = match info.as_ref().map(|info| info.api_version.as_str()).unwrap_or_default() {
        "" => VERSIONS[0],
        asked => *VERSIONS.iter().find(|version| **version == asked).ok_or_else(|| {
            Failure::new(Exit::Failed, format!("{asked:?} is not spoken here; {} is", VERSIONS.join(" and ")))
                .next("trunkline kubeconfig, which writes the right version")
        })?,
    };
    let mut for_cluster = None;
    if let Some(cluster) = info.and_then(|info| info.spec.cluster) {
        let within = cluster.server.strip_prefix(&sign_in.gateway);
        if !within.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            let what = format!(
                "{:?} is not at {}, and what you sign in with is not given to anybody else",
                cluster.server, sign_in.gateway
            );
            return Err(Failure::new(Exit::Failed, what).next("trunkline kubeconfig").into());
        }
        if let Some(id) = cluster_of(&sign_in.gateway, &cluster.server) {
            for_cluster = ForCluster::remembered(&sign_in.gateway, &id)?;
        }
    }
    let status = status(sign_in, for_cluster.as_ref())?;
    Ok(json!({"apiVersion": version, "kind": "ExecCredential", "status": status}))
}

/// What kubectl is given: a certificate with its key, or a token; and with either the token for the cluster, if there is one. It is
/// good for as long as all of it is.
fn status(sign_in: &SignIn, for_cluster: Option<&ForCluster>) -> anyhow::Result<Value> {
    let until = |ends: Option<Timestamp>| {
        let also = for_cluster.and_then(|second| second.ends);
        ends.into_iter().chain(also).min().map(|ends| ends.to_string())
    };
    if let Some(bearer) = Bearer::of(sign_in) {
        let token = ask("trunkline login", bearer.token())?;
        let both = for_cluster.map(|second| second.token.beside(&token.text));
        let mut status = json!({"token": both.as_deref().unwrap_or(&token.text)});
        // Without an end kubectl keeps it for as long as it runs.
        if let Some(ends) = until(token.ends) {
            status["expirationTimestamp"] = ends.into();
        }
        return Ok(status);
    }
    let ends = sign_in.not_after()?;
    let Some(Proof::Certificate { certificate, key }) = &sign_in.proof else {
        return Err(nobody("you are not signed in").into());
    };
    let mut status = json!({
        "expirationTimestamp": until(ends),
        "clientCertificateData": read(certificate)?,
        "clientKeyData": read(key)?,
    });
    if let Some(second) = for_cluster {
        status["token"] = second.token.beside("").as_str().into();
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_not_printed_on_a_terminal_unless_kubectl_asks() {
        let refused = for_programs(true, false).unwrap_err();
        assert_eq!(crate::exit::of(&refused), (Exit::Usage, "trunkline kubeconfig"));
        for (terminal, asked) in [(true, true), (false, false), (false, true)] {
            assert!(for_programs(terminal, asked).is_ok(), "{terminal} {asked}");
        }
    }
}
