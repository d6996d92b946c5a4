//! What is recorded, how soon it is durable, and what ends a recording.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::Options;

fn log(folder: &Path, recording_bytes: u64) -> AuditLog {
    let options = Options { recording_bytes, ..Options::default() };
    AuditLog::open(folder, options, Metrics::default()).unwrap()
}

fn session(id: &str) -> Session {
    Session { id: id.into(), title: "kubectl exec".into() }
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_session_is_a_file_whose_hash_is_known_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (log, tasks) = (log(folder.path(), 1 << 20), Tasks::new());
    let recording = log.record(&session("a-1"), &tasks).unwrap();
    recording.resize(120, 40).unwrap();
    recording.output("$ é".as_bytes().split_last().unwrap().1).unwrap();
    recording.input(b"ls\r").unwrap();
    recording.output(&"é".as_bytes()[1..]).unwrap();
    recording.error_output(b"oh").unwrap();
    let ended = recording.finish().await.unwrap();
    let path = folder.path().join("recordings/a-1.cast");
    assert_eq!(repair::describe("a-1", &path).unwrap(), ended);
    let lines = lines(&path);
    assert_eq!((&lines[0]["version"], &lines[0]["title"]), (&2.into(), &"kubectl exec".into()));
    let said: Vec<_> =
        lines[1..].iter().map(|line| (line[1].as_str().unwrap(), line[2].as_str().unwrap())).collect();
    assert_eq!(said, [("r", "120x40"), ("o", "$ "), ("i", "ls\r"), ("o", "é"), ("o", "oh")]);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(log.record(&session("../a"), &tasks).is_err());
    assert_eq!(recording.finish().await.unwrap(), ended, "asked again it says the same");
}

#[tokio::test]
async fn what_was_said_is_on_the_disk_within_a_second_while_the_session_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (log, tasks) = (log(folder.path(), 1 << 20), Tasks::new());
    let recording = log.record(&session("live"), &tasks).unwrap();
    recording.output(b"half a sentence").unwrap();
    let said = Instant::now();
    let live = folder.path().join("recordings/live.cast.part");
    while !fs::read_to_string(&live).unwrap().contains("half a sentence") {
        assert!(said.elapsed() < Duration::from_secs(1), "not within a second");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let listed = log.recordings().unwrap();
    assert_eq!((listed[0].request.as_str(), listed[0].live), ("live", true));
    assert!(log.open_recording("live").is_ok());
    drop(recording);
    tasks.shut_down().await;
    assert!(!log.recordings().unwrap()[0].live, "dropped it is finished");
}

#[tokio::test]
async fn a_recording_that_is_as_long_as_it_may_be_cuts_its_session_and_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (log, tasks) = (log(folder.path(), 1_000), Tasks::new());
    let recording = log.record(&session("long"), &tasks).unwrap();
    let full = loop {
        if let Err(fault) = recording.output(&[b'x'; 100]) {
            break fault;
        }
    };
    assert_eq!(full, RecordingFault::Full { bytes: 1_000 });
    assert_eq!(recording.fault(), Some(full.clone()));
    assert_eq!(recording.input(b"x"), Err(full));
    let ended = recording.finish().await.unwrap();
    assert!(ended.bytes <= 1_000 && lines(&folder.path().join("recordings/long.cast")).len() > 3);
}

#[tokio::test]
async fn a_session_that_says_more_than_the_disk_takes_waits() {
    let folder = tempfile::tempdir().unwrap();
    let (log, tasks) = (log(folder.path(), u64::MAX), Tasks::new());
    let recording = log.record(&session("fast"), &tasks).unwrap();
    let room = || std::future::poll_fn(|cx| recording.poll_room(cx));
    for _ in 0..200 {
        room().await.unwrap();
        recording.output(&[b'x'; 64 * 1024]).unwrap();
        assert!(recording.shared.state().pending.len() < ROOM + 70 * 1024);
    }
    let ended = recording.finish().await.unwrap();
    assert!(ended.bytes > 200 * 64 * 1024);
    assert_eq!(repair::describe("fast", &folder.path().join("recordings/fast.cast")).unwrap(), ended);
}

#[tokio::test]
async fn without_a_folder_nothing_is_recorded() {
    let fault = AuditLog::without_folder().record(&session("a"), &Tasks::new()).unwrap_err();
    assert_eq!(fault, RecordingFault::NotKept);
}

/// The client's end of a session, whose other end is in hand.
mod tapped {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::{Protocol, Tap};

    #[tokio::test]
    async fn what_goes_by_is_recorded_and_goes_by_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let (log, tasks) = (log(folder.path(), 1 << 20), Tasks::new());
        let recording = log.record(&session("tap"), &tasks).unwrap();
        let (mut client, gateway) = tokio::io::duplex(4096);
        let mut tap = Tap::new(gateway, Protocol::Binary, recording.clone());
        let size = br#"{"Width":100,"Height":30}"#;
        let typed =
            [&[0x82, 0x83, 0, 0, 0, 0, 0, b'l', b's'][..], &[0x82, 0x80 + 26, 0, 0, 0, 0, 4], size].concat();
        client.write_all(&typed).await.unwrap();
        let mut heard = vec![0; typed.len()];
        tap.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, typed);
        let shown = [&[0x82, 3, 1, b'o', b'k'][..], &[0x82, 3, 3, b'{', b'}']].concat();
        tap.write_all(&shown).await.unwrap();
        let mut seen = vec![0; shown.len()];
        client.read_exact(&mut seen).await.unwrap();
        assert_eq!(seen, shown);
        recording.finish().await.unwrap();
        let lines = lines(&folder.path().join("recordings/tap.cast"));
        let said: Vec<_> =
            lines[1..].iter().map(|line| (line[1].as_str().unwrap(), line[2].as_str().unwrap())).collect();
        assert_eq!(said, [("i", "ls"), ("r", "100x30"), ("o", "ok")]);
    }

    #[tokio::test]
    async fn what_cannot_be_followed_does_not_go_by() {
        // A message in pieces, an unknown frame.
        for (id, bytes) in [
            ("pieces", &[0x02, 0x81, 0, 0, 0, 0, 4, 0x80, 0x82, 0, 0, 0, 0, 0, b'x'][..]),
            ("kind", &[0x83, 0]),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let (log, tasks) = (log(folder.path(), 1 << 20), Tasks::new());
            let recording = log.record(&session(id), &tasks).unwrap();
            let (mut client, gateway) = tokio::io::duplex(4096);
            let mut tap = Tap::new(gateway, Protocol::Binary, recording.clone());
            client.write_all(bytes).await.unwrap();
            let mut heard = Vec::new();
            tap.read_to_end(&mut heard).await.unwrap_err();
            assert!(matches!(recording.fault(), Some(RecordingFault::NotFollowed(_))), "{id}");
            assert!(tap.write(b"x").await.is_err(), "nor back");
        }
    }
}
