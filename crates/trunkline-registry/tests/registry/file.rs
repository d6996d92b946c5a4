//! The registry's file: kept over a restart, one process's alone, and left as it is when it is no registry.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use redb::{Database, TableDefinition};
use trunkline_api::ClusterPatch;
use trunkline_proto::Slot;
use trunkline_registry::{OpenError, Registry, RegistryError};

use crate::note;
use crate::{AWAY, LIFE, at, certificate, id, pin, register, uid};

const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("trunkline-registry");
const OBJECTS: TableDefinition<(&str, &str), (u64, &[u8])> = TableDefinition::new("objects");

/// A folder with a registry of two clusters, one of them joined.
async fn registry() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("registry.redb");
    let registry = Registry::open(&path).unwrap();
    let (record, token) = register(&registry, "a").await;
    registry.redeem(&id("a"), Some(token.reveal()), &pin(1), at(1), AWAY).await.unwrap();
    note(&registry, &id("a"), uid(&record), Slot(0), certificate(10, at(1))).await.unwrap();
    note(&registry, &id("a"), uid(&record), Slot(12), certificate(11, at(1))).await.unwrap();
    registry.note_seen(&id("a"), uid(&record), at(2)).await.unwrap();
    register(&registry, "b").await;
    (folder, path)
}

/// That a file is refused and left as it was; why.
fn refused(path: &Path) -> OpenError {
    let before = std::fs::read(path).unwrap();
    let error = match Registry::open(path) {
        Err(RegistryError::Open(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(std::fs::read(path).unwrap(), before, "the file was touched: {error}");
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    let beside: Vec<_> =
        std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(beside, [path], "something was left beside it");
    error
}

#[tokio::test]
async fn all_of_it_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    let registry = Registry::open(&path).unwrap();
    let (record, token) = register(&registry, "a").await;
    register(&registry, "gone").await;
    registry.redeem(&id("a"), Some(token.reveal()), &pin(1), at(1), AWAY).await.unwrap();
    note(&registry, &id("a"), uid(&record), Slot(12), certificate(10, at(1))).await.unwrap();
    registry.remove(&id("gone")).await.unwrap();
    let before = registry.list();
    drop(registry);
    let registry = Registry::open(&path).unwrap();
    assert_eq!(registry.list(), before);
    // What was known of tokens and revisions goes on.
    let error = registry.redeem(&id("a"), Some(token.reveal()), &pin(2), at(1), AWAY).await.unwrap_err();
    assert_eq!(error.reason(), trunkline_proto::EnrolReason::TokenUsed);
    registry
        .edit(&id("a"), &ClusterPatch { description: Some("new".into()), ..Default::default() }, "ada")
        .await
        .unwrap();
}

#[tokio::test]
async fn only_its_owner_may_read_it_and_no_token_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("registry.redb");
    let registry = Registry::open(&path).unwrap();
    let (_, used) = register(&registry, "a").await;
    registry.redeem(&id("a"), Some(used.reveal()), &pin(1), at(1), AWAY).await.unwrap();
    let (_, unused) = registry.renew_token(&id("a"), "ada", at(2), LIFE).await.unwrap();
    drop(registry);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
    let bytes = std::fs::read(&path).unwrap();
    for token in [used, unused] {
        let secret = &token.reveal().as_bytes()[4..];
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "a token is in the file");
    }
}

#[tokio::test]
async fn a_second_process_is_told_that_the_file_is_in_use() {
    let (_folder, path) = registry().await;
    let first = Registry::open(&path).unwrap();
    let error = Registry::open(&path).unwrap_err();
    assert!(matches!(error, RegistryError::Open(OpenError::InUse(_))), "{error}");
    drop(first);
    Registry::open(&path).unwrap();
}

#[test]
fn a_file_that_is_something_else_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    for text in ["", "r", "redb", "hello, I am a letter\n", "SQLite format 3\0", &"\0".repeat(100_000)] {
        std::fs::write(&path, text).unwrap();
        let error = refused(&path);
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let other = Database::create(&path).unwrap();
    let write = other.begin_write().unwrap();
    write.open_table(TableDefinition::<u64, u64>::new("numbers")).unwrap().insert(1, 2).unwrap();
    write.commit().unwrap();
    drop(other);
    let error = refused(&path);
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    let error = Registry::open(folder.path()).unwrap_err();
    assert!(matches!(error, RegistryError::Open(OpenError::Io { .. })), "a folder: {error}");
}

#[tokio::test]
async fn a_newer_format_is_named_and_left_as_it_is() {
    let (_folder, path) = registry().await;
    let newer = Database::create(&path).unwrap();
    let write = newer.begin_write().unwrap();
    write.open_table(NUMBERS).unwrap().insert("format", 7).unwrap();
    write.commit().unwrap();
    drop(newer);
    let error = refused(&path);
    assert!(matches!(error, OpenError::Newer { format: 7, known: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_record_that_contradicts_itself_is_named_and_the_file_left_as_it_is() {
    let good = r#"{"apiVersion":"trunkline.dev/v1","kind":"Cluster","metadata":{"name":"b","uid":"123e4567-e89b-42d3-a456-426614174000","labels":{},"created":"2026-01-01T00:00:00Z","createdBy":"","revision":1},"spec":{}}"#;
    let cases = [
        ("{".to_owned(), "EOF"),
        (good.replace("Cluster", "AccessRule"), "AccessRule"),
        (good.replace("trunkline.dev/v1", "trunkline.dev/v9"), "v9"),
        (good.replace(r#""name":"b""#, r#""name":"c""#), "names itself c"),
        (good.replace(r#""2026-01-01T00:00:00Z""#, "null"), "no uid"),
        (good.replace(r#""spec":{}"#, r#""spec":{},"slots":{"0":{"key":"k","serial":"1","root":"r","issued":"2026-01-01T00:00:00Z","notAfter":"2026-01-01T00:00:00Z"}}"#), "no key"),
    ];
    let (_folder, path) = registry().await;
    let put = |body: &str| {
        let database = Database::create(&path).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(OBJECTS).unwrap().insert(("Cluster", "b"), (9, body.as_bytes())).unwrap();
        write.commit().unwrap();
    };
    for (body, why) in cases {
        put(&body);
        let error = refused(&path);
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("\"b\"") && error.to_string().contains(why), "{error}");
    }
    put(good);
    assert_eq!(Registry::open(&path).unwrap().list().len(), 2);
}

/// A number sequence that looks random and is the same in each run.
fn sequence(mut state: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_untouched_or_holds_what_it_held() {
    let (_folder, path) = registry().await;
    let good = Registry::open(&path).unwrap().list();
    let whole = std::fs::read(&path).unwrap();
    let mut next = sequence(4);
    let mut refusals = 0;
    for round in 0..300 {
        let mut bytes = whole.clone();
        if round % 3 == 0 {
            bytes.truncate(next(bytes.len()));
        } else {
            let at = next(bytes.len());
            let until = (at + 1 + next(if round % 3 == 1 { 1 } else { 4_096 })).min(bytes.len());
            bytes[at..until].iter_mut().for_each(|byte| *byte ^= 0x5a);
        }
        std::fs::write(&path, &bytes).unwrap();
        match Registry::open(&path) {
            // What was hit is not in use, or is kept twice.
            Ok(registry) => assert_eq!(registry.list(), good, "round {round}"),
            Err(_) => {
                std::fs::write(&path, &bytes).unwrap();
                refused(&path);
                refusals += 1;
            }
        }
    }
    println!("{refusals} of 300 damaged files refused, the others whole");
    assert!(refusals > 100, "{refusals}");
}

#[tokio::test]
async fn a_start_that_was_cut_off_while_the_file_was_made_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    std::fs::write(folder.path().join("registry.redb.new"), "half of it").unwrap();
    let registry = Registry::open(&path).unwrap();
    register(&registry, "a").await;
    drop(registry);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(Registry::open(&path).unwrap().list().len(), 1);
}

#[tokio::test]
async fn the_file_does_not_grow_with_the_number_of_changes() {
    let (_folder, path) = registry().await;
    let registry = Registry::open(&path).unwrap();
    for round in 0..500 {
        let patch = ClusterPatch { description: Some(format!("{round:01000}")), ..Default::default() };
        registry.edit(&id("b"), &patch, "ada").await.unwrap();
    }
    drop(registry);
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(bytes < 2 << 20, "{bytes} bytes for two clusters");
}
