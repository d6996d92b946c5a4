//! A thousand ways to lie about what happened. All are found: by the files alone, or by a head that was kept elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};
use trunkline_api::{AuditHeadClaim, AuditRecord};
use trunkline_audit::verify;

use crate::{change, decision, open, short, write_all};

const TAMPERS: usize = 1_000;

/// A log of some files, as bytes; and its head, as it left the machine.
struct Original {
    files: Vec<(String, Vec<u8>)>,
    head: AuditHeadClaim,
}

impl Original {
    async fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path(), short());
        let events = (0..200).map(|number| match number % 2 {
            0 => change("lock", "alpha"),
            _ => decision(&format!("user-{number}"), "beta", number % 3 == 0),
        });
        let events: Vec<_> = events.collect();
        // A file ends with a commit.
        for some in events.chunks(10) {
            write_all(&log, some.to_vec()).await;
        }
        let head = log.head().unwrap();
        drop(log);
        let head = AuditHeadClaim { sequence: head.sequence, hash: head.hash };
        let mut files: Vec<_> = segments(folder.path())
            .into_iter()
            .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
            .collect();
        files.sort();
        assert!(files.len() >= 8, "{}", files.len());
        assert!(verify(folder.path(), Some(&head)).unwrap().intact);
        Self { files, head }
    }
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> =
        all.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    segments.sort();
    segments
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// A record's line with other content and the right hash: what somebody who knows the format would write.
fn forge(record: &AuditRecord) -> Vec<u8> {
    let with_hash = serde_json::to_string(record).unwrap();
    let at = with_hash.rfind(",\"hash\":").unwrap();
    let body = format!("{}}}", &with_hash[..at]);
    let hash: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{},\"hash\":\"{hash}\"}}\n", &with_hash[..at]).into_bytes()
}

/// Chains all lines of a log anew.
fn chain_anew(files: &mut [(String, Vec<u8>)], edit: impl Fn(&mut AuditRecord)) {
    let mut previous = "0".repeat(64);
    for (_, bytes) in files {
        let mut anew = Vec::new();
        for line in lines(bytes) {
            let mut record: AuditRecord = serde_json::from_slice(&line).unwrap();
            edit(&mut record);
            record.previous = previous;
            let line = forge(&record);
            previous = serde_json::from_slice::<AuditRecord>(&line).unwrap().hash;
            anew.extend(line);
        }
        *bytes = anew;
    }
}

/// What was done, and whether it takes a head to find it.
fn tamper(random: &mut StdRng, files: &mut Vec<(String, Vec<u8>)>) -> (&'static str, bool) {
    let file = random.random_range(0..files.len());
    let last_file = file + 1 == files.len();
    let mut here = lines(&files[file].1);
    let line = random.random_range(0..here.len());
    let parsed: AuditRecord = serde_json::from_slice(&here[line]).unwrap();
    let last_line = last_file && line + 1 == here.len();
    let (what, needs_head) = match random.random_range(0..14) {
        0 => {
            let at = random.random_range(0..here[line].len());
            here[line][at] ^= 1 << random.random_range(0..8);
            ("a bit was flipped", false)
        }
        1 => {
            let text = String::from_utf8(here[line].clone()).unwrap();
            let other = text.replace("beta", "gama").replace("\"lock\"", "\"join\"");
            here[line] = other.into_bytes();
            ("a word was replaced", false)
        }
        2 => {
            let mut other = parsed;
            other.time = jiff::Timestamp::UNIX_EPOCH;
            here[line] = forge(&other);
            ("a record was replaced by a forged one", last_line)
        }
        3 => {
            here.remove(line);
            ("a record was deleted", last_line)
        }
        4 => {
            here.insert(line, here[line].clone());
            ("a record was repeated", false)
        }
        5 => {
            let at = random.random_range(0..=here.len());
            let other =
                AuditRecord { sequence: parsed.sequence + 1, previous: parsed.hash.clone(), ..parsed };
            // Behind the very last record it is a chain that went on: the head is in it, and the rest is later.
            let at = if last_file { at.min(here.len() - 1) } else { at };
            here.insert(at, forge(&other));
            ("a forged record was inserted", false)
        }
        6 => {
            let other = (line + 1 + random.random_range(0..here.len() - 1)) % here.len();
            here.swap(line, other);
            ("two records changed places", false)
        }
        7 => {
            let to = (file + 1 + random.random_range(0..files.len() - 1)) % files.len();
            let mut there = lines(&files[to].1);
            let other = random.random_range(0..there.len());
            std::mem::swap(&mut here[line], &mut there[other]);
            files[to].1 = there.concat();
            ("two records changed places between files", false)
        }
        8 => {
            let bytes = here.concat();
            let mut cut = random.random_range(0..bytes.len());
            // At the end of a line of the last file it is as if the rest never was.
            let clean = cut == 0 || bytes[cut - 1] == b'\n';
            if clean && !last_file && cut == 0 {
                cut = 1;
            }
            files[file].1 = bytes[..cut].to_vec();
            return ("a file was cut", clean && last_file);
        }
        9 => {
            files.remove(file);
            return (("a file was deleted"), last_file);
        }
        10 => {
            let to = (file + 1 + random.random_range(0..files.len() - 1)) % files.len();
            let swapped = files[to].1.clone();
            files[to].1 = std::mem::replace(&mut files[file].1, swapped);
            return ("two files changed places", false);
        }
        11 => {
            // The whole end, from some record on.
            files.truncate(file + 1);
            here.truncate(line.max(1));
            files[file].1 = here.concat();
            return ("the end was cut off", true);
        }
        12 => {
            let sequence = parsed.sequence;
            chain_anew(files, |record| {
                if record.sequence == sequence {
                    record.time = jiff::Timestamp::UNIX_EPOCH;
                }
            });
            return ("a record was edited and all after it chained anew", true);
        }
        _ => {
            chain_anew(files, |record| record.writer = "another".into());
            return ("all was written anew under another name", true);
        }
    };
    files[file].1 = here.concat();
    (what, needs_head)
}

#[tokio::test]
async fn t38_a_thousand_tampers_with_the_chain_are_all_found() {
    let original = Original::make().await;
    let mut random = StdRng::seed_from_u64(38);
    let folder = tempfile::tempdir().unwrap();
    let (mut by_head, mut by_files) = (0, 0);
    for round in 0..TAMPERS {
        let mut files = original.files.clone();
        let (what, needs_head) = tamper(&mut random, &mut files);
        assert!(files != original.files, "{round}: {what} changed nothing");
        for path in segments(folder.path()) {
            fs::remove_file(path).unwrap();
        }
        for (name, bytes) in &files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let verdict = verify(folder.path(), None).unwrap();
        let with_head = verify(folder.path(), Some(&original.head)).unwrap();
        assert!(!with_head.intact, "{round}: {what} was not found: {with_head:?}");
        let fault = with_head.fault.unwrap();
        assert!(!fault.why.is_empty() && fault.sequence >= 1, "{fault:?}");
        if needs_head {
            by_head += 1;
        } else {
            assert!(!verdict.intact, "{round}: {what} was found by the head only: {verdict:?}");
            by_files += 1;
        }
    }
    assert_eq!(by_head + by_files, TAMPERS);
    assert!(by_head > 100 && by_files > 500, "{by_head} {by_files}");
    println!("{TAMPERS} tampers found: {by_files} by the files alone, {by_head} by a head kept elsewhere");
}

#[tokio::test]
async fn the_first_fault_is_named_by_file_line_and_record() {
    let original = Original::make().await;
    let folder = tempfile::tempdir().unwrap();
    for (place, (name, bytes)) in original.files.iter().enumerate() {
        let mut lines = lines(bytes);
        if place == 1 {
            lines[2] = String::from_utf8(lines[2].clone()).unwrap().replace("jane", "joan").into_bytes();
            lines[3] = String::from_utf8(lines[3].clone()).unwrap().replace("beta", "gama").into_bytes();
        }
        fs::write(folder.path().join(name), lines.concat()).unwrap();
    }
    let verdict = verify(folder.path(), None).unwrap();
    let fault = verdict.fault.unwrap();
    assert_eq!(fault.file, original.files[1].0);
    assert_eq!(fault.sequence, verdict.last + 1);
    assert!((3..=4).contains(&fault.line) && fault.why.contains("edited"), "{fault:?}");
}

#[tokio::test]
async fn a_recording_that_was_edited_or_removed_is_found() {
    use trunkline_api::{AuditEnd, AuditEvent};
    use trunkline_audit::Session;
    use trunkline_runtime::Tasks;

    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), short());
    let session = Session { id: "exec-1".into(), title: "exec".into() };
    let recording = log.record(&session, &Tasks::new()).unwrap();
    recording.output(b"rm -rf /").unwrap();
    let recorded = recording.finish().await.unwrap();
    drop(recording);
    let end = AuditEnd { request: "exec-1".into(), recording: Some(recorded), ..AuditEnd::default() };
    write_all(&log, [AuditEvent::End(end)]).await;
    drop(log);
    let verdict = verify(folder.path(), None).unwrap();
    assert_eq!((verdict.intact, verdict.recordings), (true, 1), "{verdict:?}");
    let path = folder.path().join("recordings/exec-1.cast");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("rm -rf", "ls -la")).unwrap();
    assert!(verify(folder.path(), None).unwrap().fault.unwrap().why.contains("exec-1 is not as it was"));
    fs::remove_file(&path).unwrap();
    assert!(verify(folder.path(), None).unwrap().fault.unwrap().why.contains("exec-1 is missing"));
}
