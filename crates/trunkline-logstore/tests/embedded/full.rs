//! A disk that takes no more: who writes is told, and all goes on by itself once there is room.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use trunkline_logs::Day;
use trunkline_logstore::Outcome;
use trunkline_runtime::Tasks;

use crate::{document, found, now, open, quick, settled};

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_what_was_answered_is_found_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=16m", "tmpfs"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        println!("SKIPPED: this test may not mount a file system");
        return;
    }
    let _unmount = Unmount(folder.path());
    let ballast = folder.path().join("ballast");
    std::fs::write(&ballast, vec![0; 10 * 1024 * 1024]).unwrap();
    let tasks = Tasks::new();
    let store = open(&folder.path().join("logs"), quick(), &tasks);
    let (today, mut luck) = (Day::of(now()), StdRng::seed_from_u64(9));
    let mut next = |sequence| {
        let fill: String = (0..4_000).map(|_| char::from(luck.random_range(b'a'..=b'z'))).collect();
        document(0, 1, sequence, today, None, &fill)
    };
    let mut answered = 0;
    let unavailable = loop {
        match store.write(&[next(answered + 1)]).await {
            Ok(outcomes) => {
                assert_eq!(outcomes, [Outcome::Stored]);
                answered += 1;
            }
            Err(unavailable) => break unavailable,
        }
    };
    assert!(answered > 10 && unavailable.retry_after.is_some(), "{answered}: {unavailable}");
    assert!(store.status().fault.is_some());
    std::fs::remove_file(&ballast).unwrap();
    let mut waited = 0;
    while store.write(&[next(answered + 1)]).await.is_err() {
        waited += 1;
        assert!(waited < 300, "{:?}", store.status());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    settled(&store).await;
    assert_eq!(found(&store).await.len() as u64, answered + 1);
    assert_eq!(store.status().fault, None);
    tasks.shut_down().await;
}
