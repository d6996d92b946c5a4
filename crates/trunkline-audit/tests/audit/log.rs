//! Writing, asking, following; across files and across restarts.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use trunkline_api::{AuditPhase, AuditQuery};
use trunkline_audit::{AuditLog, Metrics, OpenError, Options, ReadError, verify};

use crate::{change, decision, open, short, write_all};

fn query(query: &str) -> AuditQuery {
    serde_json::from_str(query).unwrap()
}

fn sequences(log: &AuditLog, asked: &str) -> Vec<u64> {
    log.query(&query(asked)).unwrap().records.iter().map(|record| record.sequence).collect()
}

#[tokio::test]
async fn the_chain_goes_on_over_files_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = None;
    for round in 0..5 {
        let log = open(folder.path(), short());
        let last = write_all(&log, (0..40).map(|_| change("edit", "alpha"))).await;
        assert_eq!(last, (round + 1) * 40);
        let head = log.head().unwrap();
        assert_eq!(head.sequence, last);
        assert_eq!(*writer.get_or_insert(head.writer.clone()), head.writer, "it is one chain");
    }
    let verdict = verify(folder.path(), None).unwrap();
    assert_eq!(
        (verdict.intact, verdict.records, verdict.first, verdict.last),
        (true, 200, 1, 200),
        "{verdict:?}"
    );
    assert!(verdict.segments >= 5, "{verdict:?}");
}

#[tokio::test]
async fn one_process_has_a_log_and_frees_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), short());
    let second = AuditLog::open(folder.path(), short(), Metrics::default());
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    // What nobody waited for is written before the folder is free.
    let _ = log.write(&change("lock", "alpha")).unwrap();
    drop(log);
    let log = open(folder.path(), short());
    assert_eq!(sequences(&log, "{}"), [1]);
}

#[tokio::test]
async fn who_waits_waits_for_one_commit_and_who_does_not_is_written_soon() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Metrics::default();
    let log = AuditLog::open(folder.path(), Options::default(), metrics.clone()).unwrap();
    let mut waiting = Vec::new();
    for number in 0..1_000 {
        waiting.push(log.write(&change(&number.to_string(), "alpha")).unwrap());
    }
    let mut sequences = Vec::new();
    for written in waiting {
        sequences.push(written.durable().await.unwrap());
    }
    assert_eq!(sequences, (1..=1_000).collect::<Vec<u64>>(), "in the order they came");
    let mut text = String::new();
    let mut registry = prometheus_client::registry::Registry::default();
    metrics.register(&mut registry);
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let commits = text.lines().find(|line| line.starts_with("trunkline_audit_commit_seconds_count")).unwrap();
    let commits: u64 = commits.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(commits < 100, "{commits} commits of 1,000 records");
    let began = Instant::now();
    let _ = log.write(&change("lock", "alpha")).unwrap();
    while log.head().unwrap().sequence < 1_001 {
        assert!(began.elapsed() < Duration::from_secs(2), "it lies for 200 ms, and is then written");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn records_are_found_by_what_they_say_from_either_end_page_by_page() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), short());
    let events = (0..300u64).map(|number| match number % 3 {
        0 => change("lock", "alpha"),
        1 => decision("jane", "beta", true),
        _ => decision("joe \"j\"", "alpha", false),
    });
    write_all(&log, events).await;
    assert_eq!(sequences(&log, r#"{"limit": 3}"#), [298, 299, 300]);
    assert_eq!(sequences(&log, r#"{"limit": 2, "phase": "change"}"#), [295, 298]);
    assert_eq!(sequences(&log, r#"{"limit": 2, "user": "joe \"j\""}"#), [297, 300]);
    assert_eq!(
        sequences(&log, r#"{"limit": 2, "allowed": false, "cluster": "alpha", "after": 10}"#),
        [12, 15]
    );
    assert!(sequences(&log, r#"{"verb": "unlock"}"#).is_empty());
    assert_eq!(sequences(&log, r#"{"request": "r-lock", "limit": 1}"#), [298]);
    let page = log.query(&query(r#"{"limit": 120}"#)).unwrap();
    assert_eq!((page.records[0].sequence, page.older, page.newer), (181, Some(181), Some(300)));
    for (asked, expected) in [("{}", 300), (r#"{"phase": "decision"}"#, 200)] {
        let (mut back, mut before) = (Vec::new(), None);
        loop {
            let page = log.query(&AuditQuery { before, limit: Some(70), ..query(asked) }).unwrap();
            back.splice(0..0, page.records.iter().map(|record| record.sequence));
            before = page.older;
            if before.is_none() {
                break;
            }
        }
        let (mut forth, mut after) = (Vec::new(), 0);
        loop {
            let page =
                log.query(&AuditQuery { after: Some(after), limit: Some(70), ..query(asked) }).unwrap();
            if page.records.is_empty() {
                break;
            }
            forth.extend(page.records.iter().map(|record| record.sequence));
            after = page.newer.unwrap();
        }
        assert_eq!((back.len(), &back), (expected, &forth), "{asked}");
    }
    assert_eq!(log.query(&query(r#"{"limit": 100000, "after": 0}"#)).unwrap().records.len(), 300);
    let middle = log.query(&query(r#"{"after": 149, "limit": 1}"#)).unwrap().records[0].time;
    let since = AuditQuery { since: Some(middle), limit: Some(1_000), ..AuditQuery::default() };
    let found = log.query(&since).unwrap().records;
    assert!(found.len() >= 151 && found.iter().all(|record| record.time >= middle));
    let until = AuditQuery { until: Some(middle), limit: Some(1_000), ..AuditQuery::default() };
    assert!(log.query(&until).unwrap().records.iter().any(|record| record.sequence == 150));
}

#[tokio::test]
async fn who_follows_is_told_of_every_record_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), short());
    write_all(&log, (0..10).map(|_| change("edit", "alpha"))).await;
    let mut follow = log.follow(&AuditQuery { after: Some(4), ..AuditQuery::default() }).unwrap();
    let mut denied = log.follow(&query(r#"{"phase": "decision", "allowed": false}"#)).unwrap();
    let writing = log.clone();
    let write = async move {
        for number in 0..500u64 {
            let written = writing.write(&decision("jane", "alpha", number % 100 != 0)).unwrap();
            if number % 50 == 0 {
                written.durable().await.unwrap();
            }
        }
    };
    let hear = async {
        let mut heard = Vec::new();
        while heard.len() < 506 {
            // Dropped halfway now and then: nothing is lost.
            if let Ok(records) = tokio::time::timeout(Duration::from_millis(1), follow.next()).await {
                heard.extend(records.unwrap().iter().map(|record| record.sequence));
            }
        }
        heard
    };
    let (heard, ()) = tokio::join!(hear, write);
    assert_eq!(heard, (5..=510).collect::<Vec<u64>>());
    let mut no = Vec::new();
    while no.len() < 5 {
        no.extend(denied.next().await.unwrap());
    }
    assert!(no.iter().all(|record| record.event.phase() == AuditPhase::Decision));
    assert_eq!(no.len(), 5);
    drop(log);
    assert!(matches!(denied.next().await, Err(ReadError::Stopped)), "the log is closed");
}

#[tokio::test]
async fn a_running_log_verifies_itself_up_to_its_head() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), short());
    let go_on = AtomicBool::new(false);
    assert!(log.verify(None, &go_on).unwrap().intact, "nothing is whole");
    write_all(&log, (0..100).map(|_| change("edit", "alpha"))).await;
    let verdict = log.verify(None, &go_on).unwrap();
    assert_eq!((verdict.intact, verdict.records), (true, 100), "{verdict:?}");
    // The end of the file is cut behind its back.
    let last = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let last = last.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).max().unwrap();
    let text = std::fs::read_to_string(&last).unwrap();
    let cut = text[..text.len() - 1].rfind('\n').unwrap() + 1;
    std::fs::write(&last, &text[..cut]).unwrap();
    let verdict = log.verify(None, &go_on).unwrap();
    assert!(!verdict.intact && verdict.fault.unwrap().why.contains("cut off"));
}

#[tokio::test]
async fn without_a_folder_nothing_is_kept_and_everything_is_accepted() {
    let log = AuditLog::without_folder();
    log.write(&change("lock", "alpha")).unwrap().durable().await.unwrap();
    assert!(matches!(log.query(&AuditQuery::default()), Err(ReadError::NotKept)));
    assert!(matches!(log.verify(None, &AtomicBool::new(false)), Err(ReadError::NotKept)));
    assert_eq!(log.head(), None);
}
