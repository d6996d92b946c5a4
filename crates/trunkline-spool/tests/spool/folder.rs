//! Whose a folder is, and what is in it.

use std::os::unix::fs::PermissionsExt as _;

use trunkline_runtime::Tasks;
use trunkline_spool::{OpenError, Settings, Spool};

use crate::{contents, record, short};

#[tokio::test]
async fn one_at_a_time_has_a_spool_and_the_next_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let tasks = Tasks::new();
    let spool = Spool::open(&path, short(), &tasks).unwrap();
    let identity = spool.status().folder;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let refused = Spool::open(&path, short(), &tasks).unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)));
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    let receipt = spool.writer().append(vec![record("one"), record("two")]).await.unwrap();
    assert_eq!((receipt.first, receipt.last), (1, 2));
    spool.ack(1).unwrap();
    drop(spool);
    let spool = Spool::open(&path, short(), &tasks).unwrap();
    let status = spool.status();
    assert_eq!((status.folder, status.acked, status.last, status.records), (identity, 1, 2, 1));
    assert!(status.oldest.is_some());
    assert_eq!(spool.writer().append(vec![record("three")]).await.unwrap().first, 3);
    drop(spool);
    let there = contents(&path, short()).await.0;
    // The chunk in which the cursor stands comes whole.
    assert_eq!(there, [(1, "one".into()), (2, "two".into()), (3, "three".into())]);
    tasks.shut_down().await;
}

#[tokio::test]
async fn a_format_of_another_version_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = Tasks::new();
    drop(Spool::open(folder.path(), short(), &tasks).unwrap());
    let path = folder.path().join("epoch");
    let other = std::fs::read_to_string(&path).unwrap().replace("spool 2 ", "spool 3 ");
    std::fs::write(&path, &other).unwrap();
    let refused = Spool::open(folder.path(), short(), &tasks).unwrap_err();
    assert!(matches!(&refused, OpenError::Version { found, .. } if found == "3"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), other);
}

#[tokio::test]
async fn settings_out_of_their_bounds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for settings in [
        Settings { cap: 1_000, ..short() },
        Settings { queue_bytes: 1_000, ..short() },
        Settings { linger: std::time::Duration::from_secs(2), ..short() },
    ] {
        let refused = Spool::open(folder.path(), settings, &Tasks::new()).unwrap_err();
        assert!(matches!(refused, OpenError::Settings(_)), "{refused}");
    }
}
