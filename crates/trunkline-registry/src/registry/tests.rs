//! A disk that fails and a disk that does not answer.

use std::sync::{Arc, Condvar, Mutex};

use futures_util::future::join_all;
use jiff::Timestamp;
use redb::StorageBackend;
use redb::backends::FileBackend;
use trunkline_api::ProblemReason;

use super::*;

/// How the disk is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Well,
    Fails,
    /// Waits until it is otherwise; `true` once somebody waits.
    Waits(bool),
}

/// A file on a disk with moods.
#[derive(Debug)]
struct Moody {
    file: FileBackend,
    mood: Arc<(Mutex<Mood>, Condvar)>,
}

impl StorageBackend for Moody {
    fn len(&self) -> std::io::Result<u64> {
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.file.set_len(len)
    }
    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.file.write(offset, data)
    }
    fn sync_data(&self) -> std::io::Result<()> {
        match when_answered(&self.mood) {
            Mood::Fails => Err(std::io::Error::from(std::io::ErrorKind::StorageFull)),
            _ => self.file.sync_data(),
        }
    }
    fn close(&self) -> std::io::Result<()> {
        self.file.close()
    }
}

/// Says that somebody waits, and waits, if the disk does not answer.
fn when_answered((mood, changed): &(Mutex<Mood>, Condvar)) -> Mood {
    let mut mood = mood.lock().unwrap();
    if let Mood::Waits(_) = *mood {
        *mood = Mood::Waits(true);
        changed.notify_all();
    }
    *changed.wait_while(mood, |mood| matches!(mood, Mood::Waits(_))).unwrap()
}

/// A registry on a disk with moods, and what sets them.
fn moody(path: &Path) -> (Registry, Arc<(Mutex<Mood>, Condvar)>) {
    drop(Registry::open(path).unwrap());
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mood = Arc::new((Mutex::new(Mood::Well), Condvar::new()));
    let backend = Moody { file: FileBackend::new(file).unwrap(), mood: mood.clone() };
    (Registry::over(Store::on(path, backend)).unwrap(), mood)
}

fn set(mood: &(Mutex<Mood>, Condvar), to: Mood) {
    *mood.0.lock().unwrap() = to;
    mood.1.notify_all();
}

fn new(name: &str) -> NewCluster {
    serde_json::from_value(serde_json::json!({ "name": name })).unwrap()
}

async fn register(registry: &Registry, name: &str) -> Result<(), RegistryError> {
    registry.register(&new(name), "ada", Timestamp::UNIX_EPOCH, Duration::from_secs(60)).await.map(drop)
}

#[tokio::test]
async fn a_disk_that_fails_is_no_acknowledgement_and_when_it_is_well_again_so_is_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    let (registry, mood) = moody(&path);
    register(&registry, "a").await.unwrap();
    set(&mood, Mood::Fails);
    let mut changes = registry.changes();
    let error = register(&registry, "b").await.unwrap_err();
    assert_eq!(error.reason(), ProblemReason::Unavailable, "{error}");
    assert!(registry.get(&"b".parse().unwrap()).is_none() && changes.try_recv().is_err(), "it was shown");
    assert!(registry.get(&"a".parse().unwrap()).is_some(), "what is there can still be read");
    set(&mood, Mood::Well);
    register(&registry, "c").await.unwrap();
    let before = registry.list();
    drop(registry);
    let registry = Registry::open(&path).unwrap();
    assert_eq!(registry.list(), before, "what is shown is what is kept");
    assert!(registry.get(&"a".parse().unwrap()).is_some() && registry.get(&"c".parse().unwrap()).is_some());
}

#[tokio::test]
async fn a_disk_that_does_not_answer_fills_the_queue_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, mood) = moody(&folder.path().join("registry.redb"));
    register(&registry, "a").await.unwrap();
    set(&mood, Mood::Waits(false));
    let names: Vec<String> = (0..QUEUE).map(|number| format!("c-{number}")).collect();
    let first = register(&registry, "b");
    let waiting = join_all(names.iter().map(|name| register(&registry, name)));
    let one_more = async {
        let error = register(&registry, "one-more").await.unwrap_err();
        set(&mood, Mood::Well);
        error
    };
    // Each is asked in its turn: the first is taken by the writer, the queue fills, and then there is no room.
    let filled = async {
        let taken = mood.clone();
        tokio::task::spawn_blocking(move || {
            let mood = taken.0.lock().unwrap();
            drop(taken.1.wait_while(mood, |mood| *mood != Mood::Waits(true)).unwrap());
        })
        .await
        .unwrap();
        tokio::join!(waiting, one_more)
    };
    let (first, (waiting, error)) = tokio::join!(first, filled);
    assert_eq!(error.reason(), ProblemReason::Unavailable, "{error}");
    assert!(error.to_string().contains("1024"), "{error}");
    assert!(first.is_ok() && waiting.iter().all(Result::is_ok), "those in the queue are done");
    assert_eq!(registry.list().len(), QUEUE + 2);
}
