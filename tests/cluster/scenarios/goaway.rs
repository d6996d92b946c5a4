//! An API server that tells its clients to leave, again and again, as those behind a load balancer do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use http::{HeaderValue, Request, header};
use http_body_util::Full;

use crate::papers::User::Jane;
use crate::scenarios::how_many;
use crate::stage::Stage;
use crate::wire::{Connection, Door};

/// The greatest chance that an API server can be given.
const CHANCE: &str = "--goaway-chance=0.02";
const IN_FLIGHT: usize = 32;
/// Front connections that share them.
const CONNECTIONS: usize = 4;
const DEFAULT: &str = "/clusters/delta/api/v1/namespaces/default";

pub(crate) async fn no_request_is_lost_to_goaway(stage: &mut Stage) -> Result<String> {
    let (total, at_least) = (how_many(10_000, 1_000), how_many(100, 5));
    stage.add("delta", CHANCE).await?;
    let door = Door::gateway(stage, Jane, true)?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(door.connect(&stage.tasks).await?);
    }
    let count = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for worker in 0..IN_FLIGHT {
        let object = format!(r#"{{"metadata":{{"name":"goaway-{worker}"}}}}"#);
        let made = typed(&door, "POST", &format!("{DEFAULT}/configmaps"), "application/json", object)?;
        let answer = connections[worker % CONNECTIONS].ask(made).await?;
        ensure!(answer.status == 201, "{answer:?}");
        workers.push(ask_on(&door, connections[worker % CONNECTIONS].share()?, worker, &count, total));
    }
    try_join_all(workers).await?;
    let admin = stage.agent("delta")?.admin;
    let goaways = stage.metric(admin, "trunkline_upstream_goaways_total").await?;
    let retries = stage.metric(admin, "trunkline_upstream_retries_total").await?;
    ensure!(goaways > at_least as f64, "the API server said only {goaways} times to leave");
    Ok(format!("{total} requests, 0 errors, {goaways} times told to leave, {retries} sent again"))
}

/// Sends requests one after the other until `total` were sent by all.
async fn ask_on(
    door: &Door,
    mut connection: Connection,
    worker: usize,
    count: &AtomicUsize,
    total: usize,
) -> Result<()> {
    const REVIEW: &str = r#"{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}"#;
    let own = format!("{DEFAULT}/configmaps/goaway-{worker}");
    loop {
        let n = count.fetch_add(1, Ordering::Relaxed);
        if n >= total {
            return Ok(());
        }
        let request = match n % 10 {
            0 | 1 => {
                let patch = format!(r#"{{"data":{{"n":"{n}"}}}}"#);
                typed(door, "PATCH", &own, "application/merge-patch+json", patch)?
            }
            2 => {
                let reviews = "/clusters/delta/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
                typed(door, "POST", reviews, "application/json", REVIEW)?
            }
            _ => door.request("GET", &own, "")?,
        };
        match connection.ask(request).await {
            Ok(answer) if answer.status < 300 => {}
            Ok(answer) => bail!("request {n}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)),
            Err(error) => bail!("request {n}: {:#}", anyhow::Error::from(error)),
        }
    }
}

fn typed(
    door: &Door,
    method: &str,
    path: &str,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Result<Request<Full<Bytes>>> {
    let mut request = door.request(method, path, body)?;
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(request)
}
