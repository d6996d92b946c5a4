//! Asks the API server how it is, how many nodes there are and which rights the agent has, and keeps the newest answer for the gateway.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{debug, info, warn};
use trunkline_proto::{StatusReport, UpstreamState};
use trunkline_runtime::chain;
use trunkline_upstream::Upstream;

use crate::rights::Rights;

/// How often a healthy API server is asked.
const EVERY: Duration = Duration::from_secs(30);
/// How often one that did not answer is asked.
const EVERY_WHEN_DOWN: Duration = Duration::from_secs(3);
/// How long an answer may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long counting the nodes may hold up a report.
const COUNT_DEADLINE: Duration = Duration::from_secs(3);
/// How often the nodes are counted.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// How often they are when the agent may not: a right that is given is noticed.
const COUNT_EVERY_IN_VAIN: Duration = Duration::from_secs(600);
/// One node, and how many there are beside it. Names and labels only: a node's status is long.
const NODES: &str = "/api/v1/nodes?limit=1";
const METADATA_ONLY: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;q=0.1";
/// The longest list of one node that is read, in bytes.
const MAX_LIST: usize = 256 * 1024;

/// Asks for ever; every change goes to `report`.
pub(crate) async fn probe_for_ever(upstream: Upstream, report: watch::Sender<StatusReport>) {
    let (mut nodes, mut rights) = (Nodes::default(), Rights::default());
    loop {
        let newest = match tokio::time::timeout(DEADLINE, upstream.probe()).await {
            Ok(Ok(version)) => StatusReport {
                upstream: UpstreamState::Up,
                kubernetes: Some(version),
                nodes: nodes.count(&upstream).await,
                message: String::new(),
                rights: rights.look(&upstream).await,
                logs: Vec::new(),
            },
            Ok(Err(error)) => down(chain(&error)),
            Err(_) => down(format!("the API server did not answer within {} s", DEADLINE.as_secs())),
        };
        let before = report.borrow().upstream;
        report.send_if_modified(|last| {
            // What waits in the spools is told by who ships it.
            let newest = StatusReport { logs: last.logs.clone(), ..newest.clone() };
            let changed = *last != newest;
            if changed {
                *last = newest;
            }
            changed
        });
        match newest.upstream {
            UpstreamState::Up if before != UpstreamState::Up => {
                info!(version = newest.kubernetes.as_deref().unwrap_or_default(), "the API server answers");
            }
            UpstreamState::Down if before != UpstreamState::Down => {
                warn!(why = newest.message, "the API server does not answer");
            }
            UpstreamState::Up | UpstreamState::Down | UpstreamState::Unknown => {}
        }
        let pause = if newest.upstream == UpstreamState::Up { EVERY } else { EVERY_WHEN_DOWN };
        tokio::time::sleep(pause).await;
    }
}

fn down(message: String) -> StatusReport {
    StatusReport { upstream: UpstreamState::Down, message, ..StatusReport::default() }
}

/// How many nodes there are, by the last count.
#[derive(Default)]
struct Nodes {
    last: Option<u32>,
    next: Option<Instant>,
}

impl Nodes {
    /// The last count, which is made anew when it is old. `None` where the agent may not count.
    async fn count(&mut self, upstream: &Upstream) -> Option<u32> {
        if self.next.is_some_and(|next| Instant::now() < next) {
            return self.last;
        }
        let counted =
            tokio::time::timeout(COUNT_DEADLINE, counted(upstream)).await.unwrap_or(Counted::Failed);
        let pause = match counted {
            Counted::There(nodes) => {
                self.last = Some(nodes);
                COUNT_EVERY
            }
            Counted::Forbidden => {
                self.last = None;
                COUNT_EVERY_IN_VAIN
            }
            Counted::Failed => COUNT_EVERY,
        };
        self.next = Some(Instant::now() + pause);
        self.last
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Counted {
    There(u32),
    Forbidden,
    Failed,
}

async fn counted(upstream: &Upstream) -> Counted {
    let request = Request::get(NODES).header(header::ACCEPT, METADATA_ONLY).body(Bytes::new());
    let Ok(request) = request else { return Counted::Failed };
    match upstream.ask(request, MAX_LIST).await {
        Ok(answer) => read(answer.status(), answer.body()),
        Err(error) => {
            debug!(error = chain(&error), "the nodes were not counted");
            Counted::Failed
        }
    }
}

fn read(status: StatusCode, body: &[u8]) -> Counted {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        metadata: Metadata,
        items: Vec<serde::de::IgnoredAny>,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        #[serde(default)]
        remaining_item_count: u32,
    }
    match status {
        StatusCode::OK => match serde_json::from_slice::<List>(body) {
            Ok(list) => {
                let here = u32::try_from(list.items.len()).unwrap_or(u32::MAX);
                Counted::There(here.saturating_add(list.metadata.remaining_item_count))
            }
            Err(_) => Counted::Failed,
        },
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Counted::Forbidden,
        _ => Counted::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_those_in_the_list_and_those_that_it_says_remain() {
        let read = |text: &str| read(StatusCode::OK, text.as_bytes());
        assert_eq!(
            read(r#"{"metadata":{"remainingItemCount":11,"continue":"x"},"items":[{}]}"#),
            Counted::There(12)
        );
        assert_eq!(read(r#"{"metadata":{},"items":[{}]}"#), Counted::There(1));
        assert_eq!(read(r#"{"items":[]}"#), Counted::There(0));
        assert_eq!(read("{}"), Counted::Failed);
        assert_eq!(read("<html>"), Counted::Failed);
    }

    #[test]
    fn an_agent_that_may_not_count_says_nothing() {
        assert_eq!(read_status(StatusCode::FORBIDDEN), Counted::Forbidden);
        assert_eq!(read_status(StatusCode::INTERNAL_SERVER_ERROR), Counted::Failed);
    }

    fn read_status(status: StatusCode) -> Counted {
        read(status, b"{}")
    }
}
