//! What is kept long enough goes, and the rest still tells that this is right.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use trunkline_api::{AuditEnd, AuditEvent, AuditHeadClaim, AuditPhase, AuditQuery};
use trunkline_audit::{AuditLog, Options, Session, verify};
use trunkline_runtime::Tasks;

use crate::{change, open, short, write_all};

fn segments(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut segments: Vec<_> = names.filter(|name| name.ends_with(".jsonl")).collect();
    segments.sort();
    segments
}

/// Waits until the log's first file begins later than with 1.
fn trimmed(log: &AuditLog, folder: &Path) {
    let began = Instant::now();
    while segments(folder)[0].ends_with("00001.jsonl") {
        assert!(began.elapsed() < Duration::from_secs(20), "nothing is removed: {:?}", log.head());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn what_is_too_much_goes_and_the_rest_verifies_and_says_where_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), Options { bytes: 20 * 1024, ..short() });
    for _ in 0..10 {
        write_all(&log, (0..30).map(|_| change("edit", "alpha"))).await;
    }
    trimmed(&log, folder.path());
    let head = log.head().unwrap();
    // What is asked for from its beginning on begins where it begins.
    let page = log.query(&AuditQuery { after: Some(0), ..AuditQuery::default() }).unwrap();
    assert!(page.records[0].sequence > 1);
    let trims = log.query(&AuditQuery { phase: Some(AuditPhase::Trim), ..AuditQuery::default() }).unwrap();
    assert!(!trims.records.is_empty());
    drop(log);
    let left: u64 = segments(folder.path())
        .iter()
        .map(|name| fs::metadata(folder.path().join(name)).unwrap().len())
        .sum();
    assert!(left < 40 * 1024, "{left}");
    let claim = AuditHeadClaim { sequence: head.sequence, hash: head.hash };
    let verdict = verify(folder.path(), Some(&claim)).unwrap();
    assert!(verdict.intact && verdict.first > 1, "{verdict:?}");
    // Who removes more than the log itself did is found.
    fs::remove_file(folder.path().join(&segments(folder.path())[0])).unwrap();
    let fault = verify(folder.path(), Some(&claim)).unwrap().fault.unwrap();
    assert!(fault.why.contains("no record says that they were removed"), "{fault:?}");
    // A head of what is gone says nothing about what is left.
    let old = AuditHeadClaim { sequence: 1, hash: "0".repeat(64) };
    assert!(!verify(folder.path(), Some(&old)).unwrap().intact);
}

#[tokio::test]
async fn what_is_too_old_goes_recordings_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = Tasks::new();
    let log = open(folder.path(), short());
    let recording = log.record(&Session { id: "old".into(), title: "exec".into() }, &tasks).unwrap();
    let recorded = recording.finish().await.unwrap();
    drop(recording);
    let end = AuditEvent::End(AuditEnd { recording: Some(recorded), ..AuditEnd::default() });
    write_all(&log, [end]).await;
    for _ in 0..3 {
        write_all(&log, (0..30).map(|_| change("edit", "alpha"))).await;
    }
    tasks.shut_down().await;
    drop(log);
    assert!(segments(folder.path()).len() > 2);
    let log = open(folder.path(), Options { age: Duration::ZERO, ..short() });
    trimmed(&log, folder.path());
    let began = Instant::now();
    while !log.recordings().unwrap().is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    write_all(&log, [change("last", "alpha")]).await;
    drop(log);
    let verdict = verify(folder.path(), None).unwrap();
    assert!(verdict.intact && verdict.first > 30, "{verdict:?}");
}
