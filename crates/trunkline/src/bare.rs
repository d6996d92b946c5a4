//! What the command line reads, over plain values: for `fuzz/`, which feeds it anything.
//!
//! No interface: hidden from the documentation, and it changes with what it lays bare.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde::de::DeserializeOwned;
use trunkline_proto::ClusterId;

use crate::kubeconfig::{self, Target, Wanted};
use crate::rest::{Events, of_answer};

/// How a command ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The process's status.
    pub exit: u8,
    /// What happened, for people.
    pub what: String,
    /// What to run next.
    pub next: String,
}

/// How a command ends that the gateway answered with a no.
pub fn answered_no(about: Option<&str>, status: StatusCode, body: &[u8]) -> Ended {
    let failure = of_answer("https://gateway.test:8443", about, status, body);
    Ended { exit: failure.exit.code(), what: failure.what, next: failure.next }
}

/// The events of a stream that came in these parts, up to the first that is none; and whether all were read.
pub async fn events<T: DeserializeOwned>(parts: Vec<Bytes>) -> (Vec<T>, bool) {
    let frames = parts.into_iter().map(|part| Ok::<_, std::io::Error>(Frame::data(part)));
    let mut events = Events::new(StreamBody::new(futures_util::stream::iter(frames)));
    let mut read = Vec::new();
    loop {
        match events.next().await {
            Ok(Some(event)) => read.push(event),
            Ok(None) => return (read, true),
            Err(_) => return (read, false),
        }
    }
}

/// A kubeconfig's new text with entries for these clusters of a gateway, and those of all others taken out if `only`.
///
/// # Errors
/// When the text is no kubeconfig, or cannot be changed without touching what is not ours.
pub fn kubeconfig(
    text: &str,
    gateway: &str,
    clusters: &BTreeSet<ClusterId>,
    only: bool,
) -> anyhow::Result<String> {
    let wanted = Wanted {
        gateway: gateway.into(),
        roots: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into(),
        exec: serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "trunkline"}),
        clusters: clusters.iter().map(|id| Target { id: id.clone(), uid: None }).collect(),
        prefix: None,
        prune_to: only.then(|| clusters.clone()),
    };
    Ok(kubeconfig::plan(text, &wanted)?.text)
}

/// A kubeconfig's current context.
///
/// # Errors
/// When the text is no kubeconfig.
pub fn current_context(text: &str) -> anyhow::Result<Option<String>> {
    kubeconfig::current_context(text)
}

/// The context of a cluster in a kubeconfig, if it has one of ours.
///
/// # Errors
/// When the text is no kubeconfig.
pub fn own_context(text: &str, gateway: &str, cluster: &ClusterId) -> anyhow::Result<Option<String>> {
    kubeconfig::own_context(text, gateway, cluster)
}
