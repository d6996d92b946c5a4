//! Disks that take no more: a small file system, and files that may not grow.

use std::path::Path;
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::{RngCore as _, SeedableRng as _};
use trunkline_runtime::Tasks;
use trunkline_spool::{Chunk, Limits, NewRecord, Refused, Settings, Spool};

use crate::prove::count;

const FOLDER: &str = "TRUNKLINE_TEST_FULL_SPOOL";

/// Writes until refused, reads and acknowledges all, and again: says how often it was refused. Each record says which it is,
/// and what was refused is brought again.
async fn fill_and_free(folder: &Path, settings: &Settings, rounds: usize) -> usize {
    let tasks = Tasks::new();
    let spool = Spool::open(folder, settings.clone(), &tasks).unwrap();
    let (writer, mut reader) = (spool.writer(), spool.reader());
    let mut luck = StdRng::seed_from_u64(4);
    let (mut brought, mut read, mut refused) = (0_u64, 0, 0);
    for _ in 0..rounds {
        let why = loop {
            let mut bytes = vec![0; 20_000];
            luck.fill_bytes(&mut bytes);
            bytes[..8].copy_from_slice(&brought.to_le_bytes());
            match writer.append(vec![NewRecord { tag: 0, bytes: bytes.into() }]).await {
                Ok(receipt) => {
                    brought += 1;
                    assert_eq!(receipt.last, brought);
                }
                Err(refused) => break refused,
            }
        };
        assert!(matches!(why, Refused::Disk { .. }), "{why}");
        assert!(spool.status().fault.is_some());
        refused += 1;
        while read < brought {
            let chunk = reader.next().await.unwrap().unwrap();
            assert_eq!(chunk.gap, None);
            for record in Chunk::decode(&chunk.bytes, chunk.epoch, &Limits::default()).unwrap().records() {
                assert_eq!((record.sequence, &record.bytes[..8]), (read + 1, &read.to_le_bytes()[..]));
                read += 1;
            }
        }
        spool.ack(read).unwrap();
    }
    assert_eq!(spool.status().lost, 0);
    drop((spool, writer, reader));
    tasks.shut_down().await;
    let spool = Spool::open(folder, settings.clone(), &Tasks::new()).unwrap();
    assert_eq!((spool.status().records, spool.status().lost), (0, 0), "all of it was acknowledged");
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_file_system_refuses_and_goes_on_with_what_is_freed() {
    let count = count(5, 50);
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        // The model of a disk is full as well, and files that may not grow are below.
        println!("SKIPPED: this test may not mount a file system");
        return;
    }
    let _unmount = Unmount(folder.path());
    let settings = Settings { segment_bytes: 200_000, ..Settings::default() };
    let refused = fill_and_free(&folder.path().join("spool"), &settings, count.times).await;
    println!("{count} times full and free: {refused} refused");
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

/// Not a test of its own: the process whose files may not grow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_whose_files_may_not_grow() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let refused = fill_and_free(Path::new(&folder), &Settings::default(), count(5, 50).times).await;
    println!("{refused} refused");
}

#[test]
fn files_that_may_not_grow_are_closed_and_others_begun() {
    let folder = tempfile::tempdir().unwrap();
    // In blocks of 512 or 1,024 bytes, as the shell likes it: far less than a segment either way.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 600; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "full::the_process_whose_files_may_not_grow", "--nocapture"])
        .env(FOLDER, folder.path().join("spool"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains(" refused"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
