//! The audit log from outside: what is written is found, what was tampered with as well.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod log;
mod tampers;
mod crash;
mod disk;
mod retention;

use std::path::Path;
use std::time::{Duration, Instant};

use trunkline_api::{AuditChange, AuditDecision, AuditEvent};
use trunkline_audit::{AuditLog, Metrics, OpenError, Options};

/// Opens a log. A process that another test is just starting holds all that this one has open, and so a lock, until it is another program.
fn open(folder: &Path, options: Options) -> AuditLog {
    let began = Instant::now();
    loop {
        match AuditLog::open(folder, options, Metrics::default()) {
            Err(OpenError::InUse(_)) if began.elapsed() < Duration::from_secs(10) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.unwrap(),
        }
    }
}

/// Short segments, so that there are many.
fn short() -> Options {
    Options { segment_bytes: 4 * 1024, ..Options::default() }
}

fn change(what: &str, cluster: &str) -> AuditEvent {
    AuditEvent::Change(AuditChange {
        request: format!("r-{what}"),
        user: "jane".into(),
        what: what.into(),
        cluster: Some(cluster.into()),
        ..AuditChange::default()
    })
}

fn decision(user: &str, cluster: &str, allowed: bool) -> AuditEvent {
    AuditEvent::Decision(Box::new(AuditDecision {
        user: user.into(),
        cluster: cluster.into(),
        verb: "get".into(),
        allowed,
        ..AuditDecision::default()
    }))
}

/// Writes events, and waits for the last.
async fn write_all(log: &AuditLog, events: impl IntoIterator<Item = AuditEvent>) -> u64 {
    let mut last = None;
    for event in events {
        last = Some(log.write(&event).unwrap());
    }
    last.unwrap().durable().await.unwrap()
}
