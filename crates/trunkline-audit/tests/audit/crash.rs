//! `kill -9` at random points of writing: what was answered as durable is there, and the chain is whole.
//!
//! The test starts itself again as another process, which writes as several at once and says on its standard output
//! what was answered. It is killed after a random number of those words and a random number of microseconds.
//! `TRUNKLINE_PROVE=1` does it 200 times.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;
use trunkline_api::{AuditEvent, AuditPhase, AuditQuery};
use trunkline_audit::{Session, verify};
use trunkline_runtime::Tasks;

use crate::{change, open, short};

#[path = "../../../../tests/harness/killed.rs"]
mod killed;

use killed::{hear_and_kill, say};

const FOLDER: &str = "TRUNKLINE_TEST_AUDIT";
const ROUND: &str = "TRUNKLINE_TEST_ROUND";
const WRITERS: usize = 8;

/// Not a test of its own: the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) else { return };
    let log = open(Path::new(&folder), short());
    let tasks = Tasks::new();
    let recording = log.record(&Session { id: format!("s{round}"), title: "exec".into() }, &tasks).unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (log, round, recording) = (log.clone(), round.clone(), recording.clone());
        writers.spawn(async move {
            for turn in 0u64.. {
                let what = format!("w{round}-{writer}-{turn}");
                recording.output(what.as_bytes()).unwrap();
                let written = log.write(&change(&what, &"x".repeat(turn as usize % 300))).unwrap();
                if turn % 3 == 0 {
                    drop(written);
                } else {
                    let sequence = written.durable().await.unwrap();
                    say(&format!("durable {sequence} {what}"));
                }
            }
        });
    }
    writers.join_all().await;
}

/// Hears that a record is durable.
fn hear(line: &str, durable: &mut BTreeSet<(u64, String)>) -> bool {
    let mut words = line.split(' ').skip_while(|word| *word != "durable").skip(1);
    let (Some(sequence), Some(what)) = (words.next().and_then(|word| word.parse().ok()), words.next()) else {
        return false;
    };
    durable.insert((sequence, what.to_owned()));
    true
}

#[test]
fn what_was_answered_as_durable_survives_kill_9_and_the_chain_is_whole() {
    let rounds = if std::env::var("TRUNKLINE_PROVE").is_ok_and(|prove| prove == "1") { 200 } else { 8 };
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(12);
    let mut durable = BTreeSet::new();
    for round in 0..rounds {
        let (words, then) = (random.random_range(1..200), random.random_range(0..20_000));
        let path = folder.path().to_str().unwrap();
        hear_and_kill(
            "crash::the_process_that_is_killed",
            &[(FOLDER, path), (ROUND, &round.to_string())],
            words,
            Duration::from_micros(then),
            |line| hear(line, &mut durable),
        );
        // As the next gateway does it: repairs, and goes on.
        let log = open(folder.path(), short());
        let verdict = log.verify(None, &std::sync::atomic::AtomicBool::new(false)).unwrap();
        assert!(verdict.intact, "{round}: {verdict:?}");
        drop(log);
    }
    let log = open(folder.path(), short());
    let mut found = BTreeSet::new();
    let (mut after, mut repairs, mut recordings) = (0, 0, 0);
    loop {
        let query = AuditQuery { after: Some(after), limit: Some(1_000), ..AuditQuery::default() };
        let page = log.query(&query).unwrap();
        if page.records.is_empty() {
            break;
        }
        after = page.newer.unwrap();
        for record in page.records {
            match record.event {
                AuditEvent::Change(change) => drop(found.insert((record.sequence, change.what))),
                AuditEvent::Repair(repair) => {
                    repairs += usize::from(repair.cut > 0);
                    recordings += usize::from(repair.recording.is_some());
                }
                other => assert_ne!(other.phase(), AuditPhase::Start),
            }
        }
    }
    let lost: Vec<_> = durable.difference(&found).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(recordings, rounds, "every recording that was cut off is vouched for");
    let verdict = verify(folder.path(), None).unwrap();
    assert_eq!((verdict.intact, verdict.recordings), (true, rounds as u64), "{verdict:?}");
    println!(
        "{rounds} kills: {} answered as durable, {} found, {repairs} torn lines repaired",
        durable.len(),
        found.len()
    );
}

#[test]
fn a_torn_line_is_cut_off_and_told_by_a_record() {
    for cut in [1, 40] {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path(), short());
        let _ = log.write(&change("one", "alpha")).unwrap();
        let _ = log.write(&change("two", "alpha")).unwrap();
        drop(log);
        let path = folder.path().join(format!("{:020}.jsonl", 1));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        assert!(!verify(folder.path(), None).unwrap().intact);
        let log = open(folder.path(), short());
        let page = log.query(&AuditQuery::default()).unwrap();
        assert!(matches!(&page.records[1].event, AuditEvent::Repair(repair) if repair.cut > 0), "{page:?}");
        drop(log);
        assert!(verify(folder.path(), None).unwrap().intact);
    }
}

#[test]
fn a_log_whose_last_record_was_edited_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), short());
    let _ = log.write(&change("one", "alpha")).unwrap();
    drop(log);
    let path = folder.path().join(format!("{:020}.jsonl", 1));
    let before = std::fs::read_to_string(&path).unwrap().replace("alpha", "gamma");
    std::fs::write(&path, &before).unwrap();
    let error = trunkline_audit::AuditLog::open(folder.path(), short(), trunkline_audit::Metrics::default());
    assert!(error.unwrap_err().to_string().contains("damaged"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before, "it is left as it is");
}
