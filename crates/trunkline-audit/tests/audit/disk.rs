//! A disk that does not take what is written: who waits is told, what was queued stays, what has no room is refused.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use trunkline_api::AuditQuery;
use trunkline_audit::{AuditLog, Metrics, Options, Refused, verify};

use crate::{change, open, write_all};

/// Writes without waiting until there is no room.
fn fill(log: &AuditLog) -> Refused {
    loop {
        if let Err(refused) = log.write(&change("read", "alpha")) {
            return refused;
        }
    }
}

/// Waits until a record is durable again; then the disk takes what is written.
async fn recovered(log: &AuditLog) {
    for _ in 0..200 {
        if let Ok(written) = log.write(&change("again", "alpha"))
            && written.durable().await.is_ok()
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the log does not recover");
}

#[tokio::test]
async fn a_file_that_cannot_be_made_fails_who_waits_and_is_made_once_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 1, queue: 50, ..Options::default() };
    let log = open(folder.path(), options);
    write_all(&log, [change("first", "alpha")]).await;
    // The next file's name is taken by a disk that is always full.
    let next = folder.path().join(format!("{:020}.jsonl", 2));
    symlink("/dev/full", &next).unwrap();
    let error = log.write(&change("second", "alpha")).unwrap().durable().await.unwrap_err();
    assert!(error.to_string().contains("00000000000000000002.jsonl"), "{error}");
    assert_eq!(fill(&log), Refused::Full { waiting: 50 });
    assert_eq!(log.head().unwrap().sequence, 1);
    std::fs::remove_file(&next).unwrap();
    recovered(&log).await;
    let whats: Vec<_> =
        log.query(&AuditQuery { after: Some(0), limit: Some(3), ..AuditQuery::default() }).unwrap().records;
    assert_eq!(
        whats[1].event.verb(),
        Some("second"),
        "what was queued before the failure is written, and first"
    );
    assert!(log.head().unwrap().sequence >= 51, "nothing that was taken is lost");
    drop(log);
    assert!(verify(folder.path(), None).unwrap().intact);
}

/// A file system of a given size, while it is held.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None where this may not be done.
    fn of(bytes: u64) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "none"])
            .arg(folder.path())
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[tokio::test]
async fn a_full_disk_pushes_back_and_nothing_that_was_taken_is_lost() {
    let Some(disk) = Disk::of(1024 * 1024) else {
        println!("SKIPPED: no file system can be mounted here; a file that cannot be made is tested above");
        return;
    };
    let metrics = Metrics::default();
    let folder = disk.path().join("audit");
    let log = AuditLog::open(&folder, Options { queue: 500, ..Options::default() }, metrics.clone()).unwrap();
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0; 512 * 1024]).unwrap();
    let mut durable = 0;
    let error = loop {
        match log.write(&change(&"x".repeat(10_000), "alpha")).unwrap().durable().await {
            Ok(sequence) => durable = sequence,
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("No space left"), "{error}");
    assert!(durable > 5 && metrics.commits_failed.get() >= 1);
    assert!(matches!(fill(&log), Refused::Full { waiting: 500 }));
    assert!(metrics.records_refused.get() >= 1);
    assert_eq!(log.head().unwrap().sequence, durable, "what is shown is durable");
    std::fs::remove_file(&ballast).unwrap();
    recovered(&log).await;
    assert!(log.head().unwrap().sequence > durable + 500);
    drop(log);
    let verdict = verify(&folder, None).unwrap();
    assert!(verdict.intact, "{verdict:?}");
}
