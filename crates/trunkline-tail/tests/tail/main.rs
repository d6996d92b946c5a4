//! A tail in front of an intake that is a fake: what is handed in, what is heard, and what `kill -9` leaves.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod intake;
mod delivery;
mod killed_within;

#[allow(unreachable_pub, reason = "the rig of the whole path has it as its own")]
#[path = "../../../../tests/harness/prove.rs"]
mod prove;

#[path = "../../../../tests/harness/killed.rs"]
mod killed;

use std::path::Path;
use std::time::{Duration, Instant};

use trunkline_tail::TailConfig;

/// Follows `*.log` in `folder`, of containers in `folder/pods`.
fn config(folder: &Path, url: &str) -> TailConfig {
    let folder = folder.display();
    serde_json::from_value(serde_json::json!({
        "intake": {"url": url},
        "containers": [format!("{folder}/pods/*/*/*.log")],
        "files": [format!("{folder}/*.log")],
        "within": [folder.to_string()],
        "checkpoint": format!("{folder}/checkpoint.json"),
        "node": "node-1",
        "admin": "127.0.0.1:0",
        "drain_seconds": 5,
    }))
    .unwrap()
}

/// Waits until something holds; it must within half a minute.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
